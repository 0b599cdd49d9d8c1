/// Decides which instance serves a request.
public protocol Router: Sendable {
  /// The index of the instance to send a request to.
  ///
  /// - Parameters:
  ///   - request: the request to send.
  ///   - inFlight: requests in each instance, waiting or running.
  /// - Returns: an index into `inFlight`.
  mutating func route(_ request: Request, inFlight: [Int]) -> Int
}

/// Sends requests to the instances in turn.
public struct RoundRobin: Router {
  private var next = 0

  /// Creates the router.
  public init() {}

  /// The instance whose turn it is.
  public mutating func route(_ request: Request, inFlight: [Int]) -> Int {
    defer { next += 1 }
    return next % inFlight.count
  }
}
