/// The capacity of a policy.
struct CapacityResult: Sendable {
  /// The largest rate known to hold, in requests a second; `nil` if none does.
  let rate: Double?
  /// The least rate known to fail; `nil` if none was found.
  let failing: Double?
  /// Where the mean of the seeds' own capacities lies; `nil` for a single seed.
  let interval: CapacityInterval?
  /// What fails beyond the capacity, or keeps it from existing.
  let limit: CapacityCriterion.Limit?
  /// Means over seeds at the capacity.
  let figures: RunFigures?
  /// Runs that the search looked at.
  let runs: Int
}
