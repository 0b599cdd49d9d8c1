/// An estimate with its 95 % interval.
struct CompareInterval: Sendable, Hashable {
  var estimate: Double
  var low: Double
  var high: Double

  /// The interval between the 2.5th and 97.5th percentile of resampled estimates.
  init(estimate: Double, resampled: [Double]) {
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
  var excludesZero: Bool { low > 0 || high < 0 }
}
