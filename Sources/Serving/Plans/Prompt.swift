/// What a policy sees of a prompt that waits or is on its way through the model.
public struct Prompt: Sendable, Hashable {
  /// Names the prompt in tiles; valid until its last tile has run.
  public let slot: Slot
  /// When its request arrived.
  public let arrival: Seconds
  /// Positions to compute: the prompt and, after a preemption, the tokens written before it.
  public let tokens: Tokens
  /// Positions that are through every layer.
  public internal(set) var done: Tokens
  /// The request's priority: lower comes first, 0 where the workload has none.
  public let priority: Int
  /// Positions not yet through every layer.
  public var remaining: Tokens { tokens - done }
}
