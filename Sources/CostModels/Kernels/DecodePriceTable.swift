import SimCore

/// Prices of decode steps without prefill, by the number of sequences: what does not depend on their contexts.
///
/// Kept once they are known, with a count of how many layers used each: the counts give each kernel's totals at the
/// end of a run.
struct DecodePriceTable: Sendable {
  struct Entry: Sendable {
    /// Kernels of one layer, attention aside.
    var layer = Launch()
    /// Its experts alone, as contained in `layer`.
    var experts = Launch()
    /// Distinct experts of one layer.
    var distinct = 0.0
    /// Time that the host takes to issue a layer.
    var issue: Seconds = 0
    var isKnown = false
  }

  private(set) var entries: [Entry] = []
  /// Layers that used each entry.
  private(set) var uses: [Int] = []

  /// Whether the price for so many sequences is known.
  @inline(__always)
  func knows(_ batch: Int) -> Bool { batch < entries.count && entries[batch].isKnown }

  /// Keeps the price for so many sequences.
  mutating func learn(_ batch: Int, _ entry: Entry) {
    if batch >= entries.count {
      let size = max(batch + 1, 2 * entries.count, 256)
      entries += Array(repeating: Entry(), count: size - entries.count)
      uses += Array(repeating: 0, count: size - uses.count)
    }
    entries[batch] = entry
    entries[batch].isKnown = true
  }

  /// Takes note that some layers use the price for so many sequences, which must be known.
  @inline(__always)
  mutating func note(_ batch: Int, layers: Int) { uses[batch] += layers }
}
