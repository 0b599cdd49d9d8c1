/// One request of a workload: when it arrives, and how many tokens it reads and writes.
public struct Request: Sendable, Hashable {
  /// Position in the workload, from 0; also its first-come-first-served rank.
  public var id: Int
  /// When the client sends it, in seconds since the start of the run.
  public var arrival: Seconds
  /// Prompt length; at least 1.
  public var promptTokens: Tokens
  /// Output length, the first token included; at least 1.
  ///
  /// Policies see it as the limit that the client sets, if their engine knows limits (``InstanceView/outputLimit(of:)``),
  /// and otherwise not at all.
  public var outputTokens: Tokens
  /// Its priority: lower comes first, as in vLLM.
  public var priority = 0
  /// What a predictor expects it to write; `nil` where the workload has no such prediction.
  public var expectedOutputTokens: Tokens?
  /// Whose it is, from 0: the place of its class in a mix of them.
  public var tenant: Int16 = 0
  /// What its prompt begins with: a number of ``PromptContents``; -1 if nothing is known of it.
  public var content: Int32 = -1
  /// Tokens of its prompt that stand for images.
  public var imageTokens: Tokens = 0
  /// Images that they stand for.
  public var images = 0
  /// What it asks of the server; `nil` where the workload has no objective of its own.
  public var objective: ServiceObjective?

  /// Tokens of prompt and output together.
  public var totalTokens: Tokens { promptTokens + outputTokens }

  /// Creates a request.
  public init(id: Int, arrival: Seconds, promptTokens: Tokens, outputTokens: Tokens) {
    self.id = id
    self.arrival = arrival
    self.promptTokens = promptTokens
    self.outputTokens = outputTokens
  }
}
