/// Decides which instance serves a request.
///
/// A router knows what it has sent where, and what it is told of that: nothing of the instances' own state, as a router in
/// front of real servers. Request by request it is told of first tokens and ends, if it wants to be: at once, or some time
/// later where reports take it (`reportDelay` of ``Simulation``).
public protocol Router: Sendable {
  /// The index of the instance to send a request to.
  ///
  /// - Parameters:
  ///   - request: the request to send; its arrival is the time.
  ///   - inFlight: requests that were sent to each instance and have not ended, as far as it knows: where reports take
  ///     time (`reportDelay` of ``Simulation``), those whose ends have been reported no longer count, all others do.
  /// - Returns: an index into `inFlight`.
  mutating func route(_ request: Request, inFlight: [Int]) -> Int
  /// Takes note that a request's first token is out, and when; only called if ``listens``.
  mutating func noteFirstToken(of request: Int, at time: Seconds)
  /// Takes note that a request has ended, and when; only called if ``listens``.
  mutating func noteEnd(of request: Int, at time: Seconds)
  /// Whether it wants to be told of first tokens and ends.
  var listens: Bool { get }
  /// Whether it decides without a look at what becomes of requests: at `inFlight`, first tokens or ends.
  ///
  /// What happens at one instance then matters to no other, and they may run apart.
  var isOblivious: Bool { get }
}

extension Router {
  /// Does nothing.
  public mutating func noteFirstToken(of request: Int, at time: Seconds) {}
  /// Does nothing.
  public mutating func noteEnd(of request: Int, at time: Seconds) {}
  /// False.
  public var listens: Bool { false }
  /// False.
  public var isOblivious: Bool { false }
}

/// Sends requests to the instances in turn.
public struct RoundRobin: Router {
  private var next = 0

  /// True.
  public var isOblivious: Bool { true }

  /// Creates the router.
  public init() {}

  /// The instance whose turn it is.
  public mutating func route(_ request: Request, inFlight: [Int]) -> Int {
    defer { next += 1 }
    return next % inFlight.count
  }
}
