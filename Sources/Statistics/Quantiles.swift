import Glibc

/// Quantiles by linear interpolation between ranks, as numpy has them by default: the only definition in use here.
///
/// The quantile of share p of n values in ascending order lies at position p (n − 1), counted from 0. Definition 7 of
/// Hyndman and Fan, "Sample quantiles in statistical packages", The American Statistician 50 (1996),
/// doi:10.2307/2684934.
public enum Quantiles {
  /// Where a quantile lies among ranks, which count from 0.
  public struct Position: Sendable, Hashable {
    /// The rank below, or the very rank.
    public let below: Int
    /// The rank above; that below if there is none above.
    public let above: Int
    /// How far the quantile lies from `below` to `above`, in 0..<1.
    public let fraction: Double

    /// The position of a quantile.
    ///
    /// - Parameters:
    ///   - share: The share of the values that lie below the quantile, from 0 to 1.
    ///   - count: The number of values; at least 1.
    public init(_ share: Double, count: Int) {
      let position = share * Double(count - 1)
      below = Int(position)
      above = min(below + 1, count - 1)
      fraction = position - Double(below)
    }

    /// The quantile, from the values at the two ranks.
    public func value(_ below: Double, _ above: Double) -> Double { below + (above - below) * fraction }
  }

  /// The quantile of values in ascending order; not a number if there is none.
  ///
  /// - Parameters:
  ///   - share: The share of the values that lie below the quantile, from 0 to 1.
  ///   - sorted: The values, in ascending order.
  /// - Returns: The quantile.
  /// - Complexity: O(1).
  public static func quantile(_ share: Double, ofSorted sorted: [Double]) -> Double {
    guard !sorted.isEmpty else { return .nan }
    let position = Position(share, count: sorted.count)
    return position.value(sorted[position.below], sorted[position.above])
  }

  /// The quantile of values in any order; not a number if there is none.
  ///
  /// - Complexity: O(n log n).
  public static func quantile(_ share: Double, of values: [Double]) -> Double {
    quantile(share, ofSorted: values.sorted())
  }

  /// Quantiles of values in ascending order of which each occurs as often as its weight says.
  ///
  /// They are those of the list in which every value is repeated that often.
  ///
  /// - Parameters:
  ///   - shares: The shares, in any order.
  ///   - count: The number of values.
  ///   - value: The value at an index.
  ///   - weight: How often it occurs; 0 or more.
  /// - Returns: A quantile for each share; not numbers if the weights sum to 0.
  /// - Complexity: O(n), and O(k log k) for k shares.
  @inlinable
  public static func quantiles(
    _ shares: [Double], count: Int, value: (Int) -> Double, weight: (Int) -> Int
  ) -> [Double] {
    var total = 0
    for index in 0..<count { total += weight(index) }
    return quantiles(shares, count: count, total: total, value: value, weight: weight)
  }

  /// The same, where the sum of the weights is known.
  ///
  /// - Complexity: O(n) up to the greatest of the quantiles, and O(k log k) for k shares.
  @inlinable
  public static func quantiles(
    _ shares: [Double], count: Int, total: Int, value: (Int) -> Double, weight: (Int) -> Int
  ) -> [Double] {
    guard total > 0 else { return shares.map { _ in .nan } }
    let positions = shares.map { Position($0, count: total) }
    // The two ranks of each position; those of two positions may overlap.
    let ranks = positions.flatMap { [$0.below, $0.above] }
    var found = Array(repeating: 0.0, count: ranks.count)
    var passed = 0
    var index = -1
    for place in ranks.indices.sorted(by: { ranks[$0] < ranks[$1] }) {
      while passed <= ranks[place] {
        index += 1
        passed += weight(index)
      }
      found[place] = value(index)
    }
    return positions.enumerated().map { i, position in position.value(found[2 * i], found[2 * i + 1]) }
  }
}
