/// The decode work that a layer does in one iteration; the prefill beside it comes as ``PrefillSegment``s.
public struct LayerLoad: Sendable, Hashable {
  /// Decode rows: one for each sequence that takes a step.
  public var decodes: Int
  /// KV entries that the decode rows attend to, themselves included, summed over the sequences.
  public var decodeContext: Tokens
  /// The same where each sequence sees at most the cost model's ``CostModel/slidingWindow`` entries.
  public var decodeWindowContext: Tokens

  /// Creates a load.
  public init(decodes: Int = 0, decodeContext: Tokens = 0, decodeWindowContext: Tokens = 0) {
    self.decodes = decodes
    self.decodeContext = decodeContext
    self.decodeWindowContext = decodeWindowContext
  }
}

/// One prompt's rows in a layer: `tokens` new positions behind `prefix` earlier ones whose KV entries exist.
public struct PrefillSegment: Sendable, Hashable {
  /// New positions.
  public var tokens: Tokens
  /// Positions before them.
  public var prefix: Tokens

  /// Creates a segment.
  public init(tokens: Tokens, prefix: Tokens) {
    self.tokens = tokens
    self.prefix = prefix
  }
}
