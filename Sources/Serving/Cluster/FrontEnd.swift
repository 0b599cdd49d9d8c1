/// What stands between clients and instances: an API server in front of each, which tokenises prompts one after another.
///
/// A prompt occupies its server for a time in proportion to its tokens; what else passes outside the GPU loop (HTTP,
/// detokenising) delays the request and occupies nothing.
public struct FrontEnd: Sendable, Hashable {
  /// Time that each request spends, whatever its length.
  public let seconds: Seconds
  /// Time that a token of a prompt occupies the server.
  public let secondsPerToken: Seconds
  /// When each instance's server has tokenised what it was given.
  private var free: [Seconds] = []

  /// Creates idle servers.
  ///
  /// - Parameters:
  ///   - seconds: of each request, at least 0.
  ///   - secondsPerToken: of each token of a prompt, at least 0.
  public init(seconds: Seconds = 0, secondsPerToken: Seconds = 0) {
    precondition(seconds >= 0 && secondsPerToken >= 0, "time passes")
    self.seconds = seconds
    self.secondsPerToken = secondsPerToken
  }

  /// Whether requests get to their instance at once.
  var isImmediate: Bool { seconds == 0 && secondsPerToken == 0 }

  /// The earliest time that a request can get to any instance.
  func earliest(arrival: Seconds, promptTokens: Tokens) -> Seconds {
    arrival + Double(promptTokens) * secondsPerToken + seconds
  }

  /// Takes in a request.
  ///
  /// - Parameters:
  ///   - request: sent not before those that the same instance was given earlier.
  ///   - target: the instance that it goes to.
  /// - Returns: when it gets there.
  mutating func pass(_ request: Request, to target: Int) -> Seconds {
    while free.count <= target { free.append(0) }
    free[target] = max(free[target], request.arrival) + Double(request.promptTokens) * secondsPerToken
    return free[target] + seconds
  }
}
