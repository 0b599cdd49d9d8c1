import Statistics

/// The capacity of a policy.
package struct CapacityResult: Sendable {
  /// The largest rate known to hold, in requests a second; `nil` if none does.
  package let rate: Double?
  /// The least rate known to fail; `nil` if none was found.
  package let failing: Double?
  /// Where the mean of the seeds' own capacities lies, the tolerance of the search included; `nil` for a single seed.
  package let interval: Interval?
  /// What fails beyond the capacity, or keeps it from existing.
  package let limit: CapacityCriterion.Limit?
  /// Means over seeds at the capacity.
  package let figures: CapacityFigures?
  /// The seeds' own capacities in their order; empty unless each has one.
  package let ownRates: [Double]
  /// Runs that the search looked at.
  package let runs: Int
  /// Whether a run at the capacity is a burst, and says nothing of a steady rate.
  package var isBurst: Bool { figures?.isBurst ?? false }
  /// The rate, unless runs at it are bursts, which say nothing of it.
  package var steadyRate: Double? { isBurst ? nil : rate }
  /// The word for `limited_by`: what fails beyond the capacity, or `burst`; `nil` if nothing fails.
  package var limitedBy: String? { isBurst ? "burst" : limit?.description }

  package init(
    rate: Double?, failing: Double?, interval: Interval?, limit: CapacityCriterion.Limit?,
    figures: CapacityFigures?, ownRates: [Double] = [], runs: Int
  ) {
    self.rate = rate
    self.failing = failing
    self.interval = interval
    self.limit = limit
    self.figures = figures
    self.ownRates = ownRates
    self.runs = runs
  }

  /// A system that cannot serve the model at all.
  package static let doesNotFit = CapacityResult(
    rate: nil, failing: nil, interval: nil, limit: .memory, figures: nil, runs: 0)
}
