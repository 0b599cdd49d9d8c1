import Serving

/// The latest prefills, one for each of the bands that a step may have, and what follows from their segments alone.
struct PrefillMemo: Sendable {
  /// Bands of a step whose prefills are remembered.
  private let most: Int

  var entries: [RecalledPrefill] = []
  /// A digest of each entry's segments: prefills that are new are told from the known ones without a look at those.
  private var digests = InlineArray<24, UInt64>(repeating: 0)
  private var latest = 0
  private let misses: ExpertMisses

  /// Creates an empty memo.
  ///
  /// - Parameters:
  ///   - misses: of no segments.
  ///   - bands: prefills of different rows that a step may have, at most 24.
  init(misses: ExpertMisses, bands: Int = 8) {
    self.misses = misses
    most = bands
  }

  /// The entry of some segments, and whether it is known; if not, it is the one that was replaced longest ago, now with
  /// these segments.
  mutating func entry(_ segments: [PrefillSegment], _ range: Range<Int>) -> (index: Int, isKnown: Bool) {
    let digest = Self.digest(segments, range)
    if latest < entries.count, digests[latest] == digest,
      Self.areEqual(entries[latest].segments, segments, range)
    {
      return (latest, true)
    }
    for entry in 0..<entries.count where digests[entry] == digest {
      if Self.areEqual(entries[entry].segments, segments, range) {
        latest = entry
        return (entry, true)
      }
    }
    if entries.count < most {
      latest = entries.count
      entries.append(RecalledPrefill(misses: misses))
    } else {
      latest = (latest + 1) % most
    }
    digests[latest] = digest
    entries[latest].reset(to: segments, range)
    return (latest, false)
  }

  private static func areEqual(
    _ known: [PrefillSegment], _ segments: [PrefillSegment], _ range: Range<Int>
  ) -> Bool {
    guard known.count == range.count else { return false }
    for i in 0..<known.count where known[i] != segments[range.lowerBound + i] { return false }
    return true
  }

  private static func digest(_ segments: [PrefillSegment], _ range: Range<Int>) -> UInt64 {
    var digest: UInt64 = 0
    for i in range {
      let segment = UInt64(segments[i].prefix) << 32 | UInt64(segments[i].tokens)
      digest = (digest ^ segment) &* 0x9E37_79B9_7F4A_7C15
    }
    return digest
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
  /// The ``SideKernels`` of one layer that has such.
  var side = Launch()
  /// The choice of keys in one layer that has it.
  var selection = Launch()

  /// The experts that were asked for last.
  var experts = ExpertCall()

  init(misses: ExpertMisses) { self.misses = misses }

  /// Forgets what is known, and takes other segments.
  mutating func reset(to others: [PrefillSegment], _ range: Range<Int>) {
    while !segments.isEmpty { segments.removeLast() }
    while !tokens.isEmpty { tokens.removeLast() }
    rows = 0
    for i in range {
      segments.append(others[i])
      tokens.append(Int32(others[i].tokens))
      rows += others[i].tokens
    }
    experts = ExpertCall()
  }
}
