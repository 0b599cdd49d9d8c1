import Serving
import Synchronization

/// What a ``MeteredRouter`` has seen: for each request, in the order of decisions, when it would have been through on each
/// instance, and where it was sent.
public final class RoutingLog: Sendable {
  /// A decision.
  public struct Decision: Sendable, Hashable {
    /// The number of the request.
    public var request: Int
    /// The latency that was forecast on each instance, with loads as the router knew them.
    public var latencies: [Seconds]
    /// The instance that it was sent to.
    public var chosen: Int

    /// Creates a decision.
    public init(request: Int, latencies: [Seconds], chosen: Int) {
      self.request = request
      self.latencies = latencies
      self.chosen = chosen
    }
  }

  private let kept = Mutex<[Decision]>([])

  /// Creates an empty log.
  public init() {}

  /// The decisions so far.
  public var decisions: [Decision] { kept.withLock { $0 } }

  func note(_ decision: Decision) { kept.withLock { $0.append(decision) } }
}

/// A router whose decisions are logged beside what they were about; it decides nothing itself.
public struct MeteredRouter: Router {
  private var router: any Router
  private var known: LatencyForecast
  private let log: RoutingLog

  /// Creates the router around one that decides.
  public init(_ router: any Router, facts: RouterCatalog.Facts, log: RoutingLog) {
    self.router = router
    self.log = log
    known = LatencyForecast(instances: facts.instances, contents: facts.contents, prices: facts.prices)
  }

  /// True.
  public var listens: Bool { true }

  /// What the other router says.
  public mutating func route(_ request: Request, inFlight: [Int]) -> Int {
    let chosen = router.route(request, inFlight: inFlight)
    let latencies = known.forecast(request).map { $0.first + $0.rest }
    log.note(RoutingLog.Decision(request: request.id, latencies: latencies, chosen: chosen))
    known.noteSent(request, to: chosen)
    return chosen
  }

  /// Passes it on.
  public mutating func noteFirstToken(of request: Int, at time: Seconds) {
    known.noteFirstToken(of: request)
    if router.listens { router.noteFirstToken(of: request, at: time) }
  }

  /// Passes it on.
  public mutating func noteEnd(of request: Int, at time: Seconds) {
    known.noteEnd(of: request)
    if router.listens { router.noteEnd(of: request, at: time) }
  }
}
