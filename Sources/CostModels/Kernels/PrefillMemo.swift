import Serving

/// The latest prefills, one for each of the bands that a step may have, and what follows from their segments alone.
struct PrefillMemo: Sendable {
  /// Bands of a step whose prefills are remembered.
  private static let most = 8

  var entries: [RecalledPrefill] = []
  private var latest = 0
  private let misses: ExpertMisses

  init(misses: ExpertMisses) { self.misses = misses }

  /// The entry of some segments; `nil` if it is not known.
  mutating func find(_ segments: [PrefillSegment], _ range: Range<Int>) -> Int? {
    for i in 0..<entries.count {
      var entry = latest + i
      if entry >= entries.count { entry -= entries.count }
      if entries[entry].isOf(segments, range) {
        latest = entry
        return entry
      }
    }
    return nil
  }

  /// Makes the entry that was replaced longest ago, or a new one, that of some segments.
  mutating func replace(by segments: [PrefillSegment], _ range: Range<Int>) -> Int {
    if entries.count < Self.most {
      latest = entries.count
      entries.append(RecalledPrefill(misses: misses))
    } else {
      latest = (latest + 1) % entries.count
    }
    entries[latest].reset(to: segments, range)
    return latest
  }
}

/// A prefill, and what follows from its segments alone: computed once for all stages of a cohort.
struct RecalledPrefill: Sendable {
  var segments: [PrefillSegment] = []
  /// The segments' tokens.
  var tokens: [Int32] = []
  /// The segments' tokens in all.
  var rows = 0
  /// How likely each expert is to be left out.
  var misses: ExpertMisses
  /// Attention in one layer.
  var attention = Launch()
  /// Attention in one layer with a sliding window.
  var windowedAttention = Launch()

  /// The experts that were asked for last.
  var experts = ExpertCall()

  init(misses: ExpertMisses) { self.misses = misses }

  /// Whether these are its segments.
  func isOf(_ others: [PrefillSegment], _ range: Range<Int>) -> Bool {
    guard segments.count == range.count else { return false }
    for i in 0..<segments.count where segments[i] != others[range.lowerBound + i] { return false }
    return true
  }

  /// Forgets what is known, and takes other segments.
  mutating func reset(to others: [PrefillSegment], _ range: Range<Int>) {
    segments.removeAll(keepingCapacity: true)
    tokens.removeAll(keepingCapacity: true)
    rows = 0
    for i in range {
      segments.append(others[i])
      tokens.append(Int32(others[i].tokens))
      rows += others[i].tokens
    }
    experts = ExpertCall()
  }
}
