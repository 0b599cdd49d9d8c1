/// Stored KV entries of a prompt's chunks that are used again wherever the chunks stand, and repaired in part (CacheBlend, EuroSys
/// 2025).
///
/// The first layer computes all rows. Behind it only some are: a share of those that are stored, evenly spread, those that
/// are not stored, and the end of the prompt, which is its own. Each attends to all positions before it and itself, whether
/// computed or loaded. Entries are loaded layer by layer under the layers before.
///
///     layer       ratio 0.25, suffix 2
///     3 .-...-..--
///     2 .-...-..--   rows that are computed; entries of the others are loaded
///     0 ----------
public struct ChunkReuse: Sendable, Hashable {
  /// Share of the stored rows that are computed again.
  public let ratio: Double
  /// Share of a prompt's rows, but its end, that are stored.
  public let hits: Double
  /// Rows at the end of a prompt that are never stored: the question.
  public let suffix: Tokens
  /// Time to load a token's entries of one layer.
  public let loading: Seconds

  /// Creates a description.
  ///
  /// - Precondition: shares are from 0 to 1.
  public init(ratio: Double, hits: Double = 1, suffix: Tokens, loading: Seconds = 0) {
    precondition(
      (0...1).contains(ratio) && (0...1).contains(hits) && suffix >= 0 && loading >= 0,
      "shares are from 0 to 1")
    self.ratio = ratio
    self.hits = hits
    self.suffix = suffix
    self.loading = loading
  }

  /// Rows of a chunk of a prompt that are loaded.
  func loaded(_ tokens: Range<Tokens>, of prompt: Tokens) -> Tokens {
    let stored = max(0, min(tokens.upperBound, prompt - suffix) - tokens.lowerBound)
    return Int((Double(stored) * hits).rounded())
  }

  /// Rows of a chunk of a prompt behind the first layer, as a segment with as many pairs of a query and a key: what lies
  /// between them counts as lying before.
  func segment(_ tokens: Range<Tokens>, of prompt: Tokens) -> PrefillSegment {
    let own = max(0, tokens.upperBound - max(tokens.lowerBound, prompt - suffix))
    let stored = tokens.count - own
    let loaded = loaded(tokens, of: prompt)
    let spread = min(stored, Int((Double(loaded) * ratio).rounded(.up)) + stored - loaded)
    let rows = spread + own
    // The last row of a prompt gives the first token.
    guard rows > 0 else { return PrefillSegment(tokens: 1, prefix: tokens.upperBound - 1) }
    let before = Double(tokens.lowerBound)
    let pairs =
      Double(spread) * (before + Double(stored + 1) / 2)
      + Double(own) * (before + Double(stored) + Double(own + 1) / 2)
    let prefix = pairs / Double(rows) - Double(rows + 1) / 2
    return PrefillSegment(tokens: rows, prefix: max(0, Int(prefix.rounded())))
  }
}
