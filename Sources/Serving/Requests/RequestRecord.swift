import Statistics

/// How one request fared.
public struct RequestRecord: Sendable, Hashable {
  /// What became of a request.
  public enum Status: UInt8, Sendable {
    /// It received all of its tokens.
    case completed
    /// It was longer than the model's context or than all of KV memory, and was turned away on arrival.
    case rejected
    /// The run was cut before its last token; its record tells how far it came.
    case unfinished
  }

  /// The request as the engine saw it; `arrival` is the moment it was sent, after any wait for a free client.
  public var request: Request
  /// What became of it.
  public var status: Status = .completed
  /// The instance that served it.
  public var instance: Int32 = 0
  /// When the first iteration that works on its prompt began; not a number if none did.
  public var scheduledAt: Seconds = .nan
  /// When its first token was out; not a number if it had none.
  public var firstTokenAt: Seconds = .nan
  /// When its last token was out; not a number if it was not completed.
  public var completedAt: Seconds = .nan
  /// The longest wait between two successive tokens; 0 for a single token.
  public var longestGap: Seconds = 0
  /// How often it lost its KV memory and was computed anew.
  public var preemptions: Int32 = 0
  /// Tokens of its prompt whose KV entries were found in the prefix cache when it was admitted first.
  public var cachedTokens: Int32 = 0
  /// Those of them that were loaded from a level below the GPU's memory.
  public var loadedTokens: Int32 = 0
  /// Its share of the energy of the iterations that it took part in, all GPUs.
  public var joules: Joules = 0
  /// Its share of the expert weights read, all GPUs, in bytes.
  public var expertBytes: Double = 0

  /// Creates the record of a request that has just arrived.
  public init(request: Request) { self.request = request }

  /// Adds to what is attributed to it.
  mutating func attribute(joules: Joules, expertBytes: Double) {
    self.joules += joules
    self.expertBytes += expertBytes
  }

  /// Notes that its last token is out.
  ///
  /// - Parameters:
  ///   - now: when.
  ///   - firstChunk: tokens with which the first one reached the client.
  mutating func complete(at now: Seconds, firstChunk: Int) {
    completedAt = now
    guard firstChunk > 1 else { return }
    // A whole answer in one lot has no rounding: no token comes after the last.
    firstTokenAt =
      firstChunk >= Int(request.outputTokens)
      ? now : min(now, firstTokenAt + Double(firstChunk - 1) * timePerOutputToken)
  }

  /// Time to first token.
  public var timeToFirstToken: Seconds { firstTokenAt - request.arrival }
  /// Time from arrival to last token.
  public var endToEnd: Seconds { completedAt - request.arrival }
  /// Mean time per output token after the first; not a number for a single token.
  public var timePerOutputToken: Seconds {
    request.outputTokens > 1 ? (completedAt - firstTokenAt) / Double(request.outputTokens - 1) : .nan
  }
}
