import SimCore

/// Prices that depend on a row count alone, kept once they are known, with a count of how often each was used.
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

  private(set) var entries: [Entry] = []
  /// How often each price was used.
  private(set) var uses: [Int] = []

  /// Whether the price for a number of rows is known.
  @inline(__always)
  func knows(_ rows: Int) -> Bool { rows < entries.count && entries[rows].isKnown }

  /// Keeps the price for a number of rows.
  mutating func learn(_ rows: Int, _ entry: Entry) {
    if rows >= entries.count {
      let size = max(rows + 1, 2 * entries.count, 1024)
      entries += Array(repeating: Entry(), count: size - entries.count)
      uses += Array(repeating: 0, count: size - uses.count)
    }
    entries[rows] = entry
    entries[rows].isKnown = true
  }

  /// Takes note that the price for a number of rows, which must be known, is used some times now.
  @inline(__always)
  mutating func note(_ rows: Int, times: Int) { uses[rows] += times }
}
