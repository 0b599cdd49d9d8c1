import Serving
import Statistics

/// Draws an index with given odds in constant time.
///
/// Vose, "A linear algorithm for generating random numbers with a given distribution", IEEE Transactions on
/// Software Engineering 17(9), 1991, doi:10.1109/32.92917.
struct AliasTable: Sendable {
  /// A column of the table: the index itself below the threshold, else its alias.
  private struct Column {
    var threshold: UInt64
    var alias: Int
  }

  private var columns: [Column] = []

  /// Creates the table of weights that are not negative and do not all vanish.
  ///
  /// - Complexity: O(*n*).
  init(weights: [Double]) {
    let total = weights.reduce(0, +)
    var odds = weights.map { $0 / total * Double(weights.count) }
    var small = odds.indices.filter { odds[$0] < 1 }
    var large = odds.indices.filter { odds[$0] >= 1 }
    columns = odds.indices.map { Column(threshold: .max, alias: $0) }
    while let low = small.popLast(), let high = large.popLast() {
      columns[low] = Column(threshold: UInt64(odds[low] * 0x1p64), alias: high)
      odds[high] -= 1 - odds[low]
      if odds[high] < 1 { small.append(high) } else { large.append(high) }
    }
  }

  /// Draws an index.
  ///
  /// - Complexity: O(1); one random number.
  @inline(__always)
  func sample(using random: inout SplitMix64) -> Int {
    let (index, rest) = random.next().multipliedFullWidth(by: UInt64(columns.count))
    let column = columns[Int(index)]
    return rest < column.threshold ? Int(index) : column.alias
  }
}
