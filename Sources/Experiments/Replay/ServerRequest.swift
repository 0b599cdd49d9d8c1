import Serving

/// One request as a benchmark client saw it.
package struct ServerRequest: Sendable, Hashable {
  /// When it was sent; `nil` where the tool does not say.
  package var start: Seconds?
  package var promptTokens: Int32
  package var outputTokens: Int32
  /// Time to first token.
  package var firstToken: Seconds
  /// Gaps between successive chunks of its stream, which are tokens unless the server bundled some.
  package var gaps: [Seconds]
  /// Time from sending to the last token.
  package var endToEnd: Seconds

  package init(
    start: Seconds?, promptTokens: Int32, outputTokens: Int32, firstToken: Seconds, gaps: [Seconds],
    endToEnd: Seconds
  ) {
    self.start = start
    self.promptTokens = promptTokens
    self.outputTokens = outputTokens
    self.firstToken = firstToken
    self.gaps = gaps
    self.endToEnd = endToEnd
  }

  /// Mean time per output token after the first; `nil` for a single token.
  package var perOutputToken: Seconds? {
    outputTokens > 1 ? (endToEnd - firstToken) / Double(outputTokens - 1) : nil
  }
}
