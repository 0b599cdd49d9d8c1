/// A range that most probably holds an unknown figure.
public struct Interval: Sendable, Hashable {
  /// The lower end.
  public var low: Double
  /// The upper end.
  public var high: Double

  /// Creates an interval.
  public init(low: Double, high: Double) {
    self.low = low
    self.high = high
  }

  /// Where the ends of a percentile interval lie.
  public enum Ends: Sendable, Hashable {
    /// At the quantiles, by interpolation between draws.
    case interpolated
    /// At the draws next to the quantiles, away from the middle: a little wide rather than a little narrow.
    case outward
  }

  /// The percentile interval of drawn figures: all of them but a share at each end.
  ///
  /// B. Efron, "Nonparametric standard errors and confidence intervals", Canadian Journal of Statistics 9 (1981),
  /// section 4, doi:10.2307/3314608.
  ///
  /// - Parameters:
  ///   - draws: The figures; those that are not numbers are left out. If none is left, both ends are not numbers.
  ///   - tails: The share that lies beyond each end: 0.025 for a 95 % interval, 0.05 for a 90 % interval.
  ///   - ends: Where the ends lie.
  /// - Complexity: O(n log n).
  public init(ofDraws draws: [Double], tails: Double = 0.025, ends: Ends = .interpolated) {
    let sorted = draws.filter { !$0.isNaN }.sorted()
    guard !sorted.isEmpty else {
      self.init(low: .nan, high: .nan)
      return
    }
    switch ends {
    case .interpolated:
      self.init(
        low: Quantiles.quantile(tails, ofSorted: sorted),
        high: Quantiles.quantile(1 - tails, ofSorted: sorted))
    case .outward:
      let low = Quantiles.Position(tails, count: sorted.count)
      let high = Quantiles.Position(1 - tails, count: sorted.count)
      self.init(low: sorted[low.below], high: sorted[high.fraction > 0 ? high.above : high.below])
    }
  }

  /// The difference of the ends.
  public var width: Double { high - low }

  /// Whether a value lies within, the ends included.
  public func contains(_ value: Double) -> Bool { low <= value && value <= high }

  /// Whether all of it lies on one side of 0, so that a difference is not by chance alone.
  public var excludesZero: Bool { low > 0 || high < 0 }
}

/// A figure and how sure it is.
public struct Estimate: Sendable, Hashable {
  /// The figure.
  public var value: Double
  /// Its interval.
  public var interval: Interval

  /// Creates an estimate.
  public init(_ value: Double, _ interval: Interval) {
    self.value = value
    self.interval = interval
  }
}
