/// What one sequence does in one step.
public struct StepRow: Sendable, Hashable {
  /// The request's position in the workload.
  public var request: Int
  /// Tokens that are computed.
  public var tokens: Int
  /// Tokens whose KV entries are there before.
  public var before: Int

  /// Creates a row.
  public init(request: Int, tokens: Int, before: Int) {
    self.request = request
    self.tokens = tokens
    self.before = before
  }
}
