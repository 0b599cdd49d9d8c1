import Statistics

/// What a request must be served like to count as good: an upper limit on each of some latencies.
public struct ServiceObjective: Sendable, Hashable {
  /// Longest time to first token; `nil` for no limit.
  public var timeToFirstToken: Seconds?
  /// Longest gap between any two successive tokens.
  public var timeBetweenTokens: Seconds?
  /// Longest mean time per output token after the first.
  public var timePerOutputToken: Seconds?
  /// Longest time from arrival to last token.
  public var endToEnd: Seconds?

  /// Creates an objective without limits.
  public init() {}

  /// Whether no limit is set.
  public var isEmpty: Bool { self == ServiceObjective() }

  /// Whether a request meets the limit on its first token; one that was not completed does not.
  public func isMetByFirstToken(of request: RequestRecord) -> Bool {
    request.status == .completed && (timeToFirstToken.map { request.timeToFirstToken <= $0 } ?? true)
  }

  /// Whether a request meets the limit on every gap between its tokens; one that was not completed does
  /// not.
  public func isMetByGaps(of request: RequestRecord) -> Bool {
    request.status == .completed && (timeBetweenTokens.map { request.longestGap <= $0 } ?? true)
  }

  /// Whether a request meets all limits; one that was not completed does not.
  public func isMet(by request: RequestRecord) -> Bool {
    isMetByFirstToken(of: request) && isMetByGaps(of: request)
      && (timePerOutputToken.map { !(request.timePerOutputToken > $0) } ?? true)
      && (endToEnd.map { request.endToEnd <= $0 } ?? true)
  }
}
