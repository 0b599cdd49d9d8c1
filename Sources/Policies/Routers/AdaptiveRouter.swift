import Serving
import Statistics

/// NVIDIA Dynamo's KV router with weights that follow the load: the controller of "price of anarchy" (arXiv 2606.17081).
///
/// Every few seconds it reads the 99th percentile of the times to first token since it read last, smooths it exponentially and
/// holds it against two thresholds. Some readings in a row beyond one of them change the regime, and with it temperature and weight
/// of the prompt:
///
///     below        temperature 0       scale 1
///     transition   as asked for; the paper's are not known
///     saturated    temperature 0.8     scale 0.1
public struct AdaptiveRouter: Router {
  /// When to change what.
  public struct Rules: Sendable, Hashable {
    /// Seconds between two readings.
    public var interval: Seconds = 5
    /// Weight of the newest reading, from 0 to 1.
    public var weight = 0.3
    /// Readings in a row that change the regime.
    public var readings = 3
    /// The percentile from which on load is in transition.
    public var transition: Seconds = 1
    /// The percentile from which on it saturates.
    public var saturated: Seconds = 5
    /// Temperature between the two.
    public var temperature = 0.4
    /// Weight of the prompt between the two.
    public var scale = 0.5

    /// The defaults.
    public init() {}
  }

  /// How loaded the instances are taken to be.
  enum Regime: Int, Sendable {
    case below, transition, saturated
  }

  private let rules: Rules
  private var router: KVRouter
  private var nextReading: Seconds
  private var sentAt: [Int: Seconds] = [:]
  private var waits: [Seconds] = []
  private var level = Double.nan
  private(set) var regime = Regime.below
  private var candidate = Regime.below
  private var streak = 0

  /// Creates the router around one whose weights it sets.
  public init(_ router: KVRouter, rules: Rules = Rules()) {
    self.router = router
    self.rules = rules
    nextReading = rules.interval
    adopt(.below)
  }

  /// True.
  public var listens: Bool { true }

  /// An instance by the costs of the regime.
  public mutating func route(_ request: Request, inFlight: [Int]) -> Int {
    while nextReading <= request.arrival {
      read()
      // Without first tokens nothing is read, however long that lasts.
      nextReading = waits.isEmpty ? request.arrival + rules.interval : nextReading + rules.interval
      waits.removeAll(keepingCapacity: true)
    }
    sentAt[request.id] = request.arrival
    return router.route(request, inFlight: inFlight)
  }

  /// Takes note of the wait for it.
  public mutating func noteFirstToken(of request: Int, at time: Seconds) {
    if let sent = sentAt.removeValue(forKey: request) { waits.append(time - sent) }
    router.noteFirstToken(of: request, at: time)
  }

  /// The request is gone.
  public mutating func noteEnd(of request: Int, at time: Seconds) {
    sentAt[request] = nil
    router.noteEnd(of: request, at: time)
  }

  private mutating func read() {
    guard !waits.isEmpty else { return }
    waits.sort()
    let reading = Quantiles.quantile(0.99, ofSorted: waits)
    level = level.isNaN ? reading : rules.weight * reading + (1 - rules.weight) * level
    let seen: Regime =
      level < rules.transition ? .below : level < rules.saturated ? .transition : .saturated
    guard seen != regime else { return streak = 0 }
    streak = seen == candidate ? streak + 1 : 1
    candidate = seen
    guard streak >= rules.readings else { return }
    streak = 0
    adopt(seen)
  }

  private mutating func adopt(_ next: Regime) {
    regime = next
    switch next {
    case .below: (router.rules.temperature, router.rules.scale) = (0, 1)
    case .transition: (router.rules.temperature, router.rules.scale) = (rules.temperature, rules.scale)
    case .saturated: (router.rules.temperature, router.rules.scale) = (0.8, 0.1)
    }
  }
}
