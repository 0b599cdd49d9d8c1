/// A stretch of successive iterations that a request took part in, in one phase.
///
/// Together with the iterations' times, spans give the time of every token without a row for each: the span of
/// a completed prefill emits one token at the end of its last iteration, and a decode span emits one at the end
/// of each of its iterations that decoded.
public struct SpanRecord: Sendable, Hashable {
  /// What the request did.
  public enum Phase: UInt8, Sendable {
    /// Its prompt went through the model; after a preemption, its prompt and the tokens written so far.
    case prefill
    /// It decoded.
    case decode
  }

  /// The request's position in the workload.
  public var request: Int
  /// The instance.
  public var instance: Int32
  /// What the request did.
  public var phase: Phase
  /// Index of the first iteration.
  public var firstIteration: Int64
  /// Index of the last iteration, inclusive.
  public var lastIteration: Int64
  /// Whether the phase came to its end.
  ///
  /// A prefill that a preemption cut short did not, and emits no token.
  public var completed: Bool
  /// Whether it is a further token of a step that speculation wrote several tokens in.
  public var isBurst: Bool

  /// Creates a span.
  public init(
    request: Int, instance: Int32, phase: Phase, firstIteration: Int64, lastIteration: Int64,
    completed: Bool = true, isBurst: Bool = false
  ) {
    self.request = request
    self.instance = instance
    self.phase = phase
    self.firstIteration = firstIteration
    self.lastIteration = lastIteration
    self.completed = completed
    self.isBurst = isBurst
  }
}
