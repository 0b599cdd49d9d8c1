import Statistics

/// The capacity of a policy.
package struct CapacityResult: Sendable {
  /// The largest rate known to hold, in requests a second; `nil` if none does.
  package let rate: Double?
  /// The least rate known to fail; `nil` if none was found.
  package let failing: Double?
  /// Where the mean of the seeds' own capacities lies; `nil` for a single seed.
  package let interval: Interval?
  /// What fails beyond the capacity, or keeps it from existing.
  package let limit: CapacityCriterion.Limit?
  /// Means over seeds at the capacity.
  package let figures: CapacityFigures?
  /// Runs that the search looked at.
  package let runs: Int
}
