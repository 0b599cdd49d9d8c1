/// An estimate with its 95 % interval.
package struct CompareInterval: Sendable, Hashable {
  package var estimate: Double
  package var low: Double
  package var high: Double

  /// The interval between the 2.5th and 97.5th percentile of resampled estimates.
  package init(estimate: Double, resampled: [Double]) {
    self.estimate = estimate
    let sorted = resampled.filter { !$0.isNaN }.sorted()
    guard !sorted.isEmpty else {
      (low, high) = (.nan, .nan)
      return
    }
    low = sorted[Int((0.025 * Double(sorted.count - 1)).rounded(.down))]
    high = sorted[Int((0.975 * Double(sorted.count - 1)).rounded(.up))]
  }

  /// Whether the interval leaves out no difference at all.
  package var excludesZero: Bool { low > 0 || high < 0 }
}
