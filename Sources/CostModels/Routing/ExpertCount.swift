/// How many distinct experts some calls touch: expectation and variance, both summed over the calls.
public struct ExpertCount: Sendable, Hashable {
  /// The expected count.
  public var mean: Double
  /// Its variance, if experts are touched independently of each other: Σ q (1 − q).
  ///
  /// A token uses exactly k experts, so that experts in truth exclude each other a little: an upper bound.
  public var variance: Double

  /// Creates a count.
  public init(mean: Double, variance: Double) {
    self.mean = mean
    self.variance = variance
  }

  /// The count of a number of equal calls.
  static func * (count: ExpertCount, calls: Double) -> ExpertCount {
    ExpertCount(mean: count.mean * calls, variance: count.variance * calls)
  }
}
