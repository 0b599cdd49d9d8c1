import Serving

/// One request as a benchmark client saw it.
struct ServerRequest: Sendable, Hashable {
  /// When it was sent.
  var start: Seconds
  var promptTokens: Int32
  var outputTokens: Int32
  /// Time to first token.
  var firstToken: Seconds
  /// Gaps between successive chunks of its stream, which are tokens unless the server bundled some.
  var gaps: [Seconds]
  /// Time from sending to the last token.
  var endToEnd: Seconds

  /// Mean time per output token after the first; `nil` for a single token.
  var perOutputToken: Seconds? {
    outputTokens > 1 ? (endToEnd - firstToken) / Double(outputTokens - 1) : nil
  }
}
