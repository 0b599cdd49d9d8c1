import SimCore

/// Prices that depend on a row count alone, computed when first asked for, with a count of how often each was used.
///
/// The counts give each kernel's totals at the end of a run without adding them up in every iteration.
struct RowPriceTable: Sendable {
  struct Entry: Sendable {
    var launch = Launch()
    /// Rows that are computed, padding included.
    var computed = 0
    /// Time that the host takes to issue it.
    var issue: Seconds = 0
    var isKnown = false
  }

  private var entries: [Entry] = []
  private(set) var uses: [Int] = []

  /// The price for a number of rows.
  ///
  /// - Parameters:
  ///   - rows: rows with a token.
  ///   - times: how often it is used now.
  ///   - price: computes a price that is not known yet.
  /// - Returns: the price of one use.
  /// - Complexity: O(1), beside `price` the first time.
  mutating func entry(rows: Int, times: Int, _ price: (Int) -> Entry) -> Entry {
    if rows >= entries.count {
      let size = max(rows + 1, 2 * entries.count, 1024)
      entries += Array(repeating: Entry(), count: size - entries.count)
      uses += Array(repeating: 0, count: size - uses.count)
    }
    uses[rows] += times
    if !entries[rows].isKnown {
      entries[rows] = price(rows)
      entries[rows].isKnown = true
    }
    return entries[rows]
  }
}
