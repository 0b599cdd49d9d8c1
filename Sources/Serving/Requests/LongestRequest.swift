/// How long requests may be that an instance serves.
public struct LongestRequest: Sendable, Hashable {
  /// The longest sequence, prompt and output together.
  public let sequence: Tokens
  /// The longest prompt.
  public let prompt: Tokens

  /// Whether a request can be served at all.
  public func allows(_ request: Request) -> Bool {
    request.totalTokens <= sequence && request.promptTokens <= prompt
  }

  /// Whether a request's prompt can be computed, whatever it writes.
  func allowsPrompt(of request: Request) -> Bool {
    request.promptTokens < sequence && request.promptTokens <= prompt
  }
}
