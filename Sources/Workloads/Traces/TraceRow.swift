import Serving

/// One request as a trace file has it; 16 bytes.
public struct TraceRow: Sendable, Hashable {
  /// Prompt length in tokens; at least 1.
  public var promptTokens: Int32
  /// Output length in tokens; at least 1.
  public var outputTokens: Int32
  /// Seconds after the first request of the trace, in whole microseconds; not a number if the trace has no
  /// arrivals.
  public var arrival: Seconds
  /// Images in the prompt; below 0 if the trace does not tell.
  public var images: Int32 = -1

  /// Creates a row.
  public init(promptTokens: Int32, outputTokens: Int32, arrival: Seconds = .nan) {
    self.promptTokens = promptTokens
    self.outputTokens = outputTokens
    self.arrival = arrival
  }
}
