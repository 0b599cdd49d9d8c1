/// Independent values, summed up.
public struct Sample: Sendable, Hashable {
  /// The values, in ascending order.
  public let sorted: [Double]
  /// The arithmetic mean; not a number if there is no value.
  public let mean: Double
  /// The variance of what the values were drawn from, with n − 1 in the denominator; not a number if there are fewer
  /// than two.
  public let variance: Double

  /// Sums up values.
  ///
  /// - Complexity: O(n log n).
  public init(_ values: [Double]) {
    let count = Double(values.count)
    let mean = values.reduce(0, +) / count
    self.mean = mean
    variance =
      values.count < 2 ? .nan : values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (count - 1)
    sorted = values.sorted()
  }

  /// How many values there are.
  public var count: Int { sorted.count }

  /// The standard deviation of what the values were drawn from; not a number if there are fewer than two.
  public var deviation: Double { variance.squareRoot() }

  /// The standard error of the mean; not a number if there are fewer than two values.
  public var standardError: Double { (variance / Double(count)).squareRoot() }

  /// The quantile of a share, from 0 to 1; see ``Quantiles``.
  public func quantile(_ share: Double) -> Double { Quantiles.quantile(share, ofSorted: sorted) }

  /// The interval of the mean by Student's t distribution; `nil` if there are fewer than two values.
  ///
  /// It holds the mean of what the values were drawn from, in a share of `level` of all samples, where that is a normal
  /// distribution; where it is another one, nearly so from some ten values on.
  ///
  /// - Parameter level: Above 0 and below 1.
  /// - Returns: The interval.
  public func meanInterval(level: Double = 0.95) -> Interval? {
    guard count >= 2 else { return nil }
    let t = StudentT(degreesOfFreedom: count - 1).quantile((1 + level) / 2)
    return Interval(low: mean - t * standardError, high: mean + t * standardError)
  }
}
