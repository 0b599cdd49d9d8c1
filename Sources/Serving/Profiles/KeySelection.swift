/// Sparse attention of prompts: each block of queries sees the keys that an indexer picks for it.
///
/// Keys stay in memory, and decoding sees all of them.
public struct KeySelection: Sendable, Hashable {
  /// Keys that a query sees at most.
  public let keys: Tokens
  /// Successive queries that share a choice of keys.
  public let block: Tokens
  /// Width of the indexer's one head.
  public let indexWidth: Int

  /// Creates a selection.
  ///
  /// - Precondition: all are positive.
  public init(keys: Tokens, block: Tokens, indexWidth: Int) {
    precondition(keys > 0 && block > 0 && indexWidth > 0, "a selection has keys, queries and an indexer")
    self.keys = keys
    self.block = block
    self.indexWidth = indexWidth
  }

  /// Whether it leaves out any key that a segment would see; where it does not, nothing is scored.
  public func cuts(_ segment: PrefillSegment) -> Bool { segment.tokens + segment.prefix > keys }

  /// Pairs of a query of a segment and a key that it sees: each query sees what comes before it and itself, and no more than
  /// ``keys``.
  public func pairs(_ segment: PrefillSegment) -> Double {
    let (new, before) = (Double(segment.tokens), Double(segment.prefix))
    let short = max(0, min(new, Double(keys) - before))
    return short * (before + (short + 1) / 2) + (new - short) * Double(keys)
  }
}
