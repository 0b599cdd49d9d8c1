/// The 95 % interval of a mean of few values, by Student's t distribution.
package struct CapacityInterval: Sendable, Hashable {
  package let low: Double
  package let high: Double

  /// The 0.975 quantile of Student's t with one degree of freedom, two, and so on, as in any table of it.
  private static let quantiles = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
  ]

  /// The interval of independent values; `nil` if there are fewer than two.
  package init?(_ values: [Double]) {
    guard values.count >= 2 else { return nil }
    let n = Double(values.count)
    let mean = values.reduce(0, +) / n
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (n - 1)
    let t = values.count <= Self.quantiles.count ? Self.quantiles[values.count - 2] : 1.96
    let half = t * (variance / n).squareRoot()
    low = max(0, mean - half)
    high = mean + half
  }
}
