/// One request of a workload: when it arrives, and how many tokens it reads and writes.
public struct Request: Sendable, Hashable {
  /// Position in the workload, from 0; also its first-come-first-served rank.
  public var id: Int
  /// When the client sends it, in seconds since the start of the run.
  public var arrival: Seconds
  /// Prompt length; at least 1.
  public var promptTokens: Tokens
  /// Output length, the first token included; at least 1.
  public var outputTokens: Tokens

  /// Creates a request.
  public init(id: Int, arrival: Seconds, promptTokens: Tokens, outputTokens: Tokens) {
    self.id = id
    self.arrival = arrival
    self.promptTokens = promptTokens
    self.outputTokens = outputTokens
  }
}
