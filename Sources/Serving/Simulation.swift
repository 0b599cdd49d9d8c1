/// What an instance is made of.
public struct InstanceConfiguration: Sendable {
  /// Decides what each iteration runs.
  public var scheduler: any Scheduler
  /// Says what an iteration costs, and how much KV memory there is.
  public var costModel: any CostModel
  /// Most sequences that an iteration may work on.
  public var maxSequences: Int

  /// Creates a configuration.
  public init(scheduler: any Scheduler, costModel: any CostModel, maxSequences: Int = 256) {
    self.scheduler = scheduler
    self.costModel = costModel
    self.maxSequences = maxSequences
  }
}

/// A discrete-event simulation of one or more instances that serve a workload.
///
/// Two kinds of events move time: a request arrives, an iteration ends. A request that arrives while an iteration
/// runs becomes visible to the policy at its end; an instance with nothing to do starts at the next arrival.
///
///     var simulation = Simulation(instances: [configuration], requests: workload.makeIterator())
///     try simulation.run(recorder: &recorder)
///
/// A simulation reads no clock, does no I/O and keeps no global state: the same inputs give the same results to the
/// last bit. Memory grows with the requests in the system, not with the length of the trace.
public struct Simulation: ~Copyable {
  private var instances: [Instance]
  private var router: any Router
  private var requests: any IteratorProtocol<Request>
  private var upcoming: Request?
  private var events = EventQueue()
  private let maxConcurrency: Int
  private let repeatsDecodeSteps: Bool
  private let stopAt: Seconds
  private var inFlight: [Int]
  private var totalInFlight = 0
  /// Requests whose time has come but that wait for a free client, in order.
  private var held: [Request] = []
  private var heldHead = 0
  private var arrivals = 0
  private var sumInSystem = 0

  /// Creates a simulation.
  ///
  /// - Parameters:
  ///   - instances: at least one.
  ///   - router: decides which instance serves a request.
  ///   - requests: in order of arrival.
  ///   - maxModelLength: requests whose prompt and output together are longer are rejected.
  ///   - maxConcurrency: most requests in the system; later ones are sent when an earlier one completes.
  ///   - stopAt: when the run is cut. From then on no request is sent and no iteration begins; those under way
  ///     come to their end, so that what iterations and kernels used still adds up. Requests that are then in the
  ///     system are recorded as unfinished.
  ///   - exactSteps: whether to ask the policy before every iteration, even where it would only repeat itself. Slower,
  ///     with the same results to the last bit.
  public init(
    instances: [InstanceConfiguration], router: any Router = RoundRobin(),
    requests: any IteratorProtocol<Request>, maxModelLength: Tokens = .max, maxConcurrency: Int = .max,
    stopAt: Seconds = .infinity, exactSteps: Bool = false
  ) {
    precondition(!instances.isEmpty, "a simulation needs an instance")
    self.instances = instances.enumerated().map {
      Instance(number: $0.offset, configuration: $0.element, maxModelLength: maxModelLength)
    }
    self.router = router
    self.requests = requests
    self.maxConcurrency = maxConcurrency
    self.stopAt = stopAt
    repeatsDecodeSteps = !exactSteps
    inFlight = Array(repeating: 0, count: instances.count)
  }

  /// Runs until every request is done, or the run is cut.
  ///
  /// - Throws: if a policy breaks the rules.
  /// - Complexity: O(iterations + requests), independent of how many sequences decode.
  public mutating func run(recorder: inout some Recorder) throws(SimulationError) {
    if recorder.wantsKernels {
      for i in instances.indices { instances[i].costModel.logsKernels = true }
    }
    while try step(recorder: &recorder) {}
  }

  /// Handles the next event; false once nothing is left.
  public mutating func step(recorder: inout some Recorder) throws(SimulationError) -> Bool {
    if upcoming == nil { upcoming = nextRequest() }
    if let request = upcoming, events.first.map({ request.arrival <= $0.time }) ?? true {
      upcoming = nil
      try arrive(request, recorder: &recorder)
      return true
    }
    guard let event = events.first else {
      reportUnfinished(recorder: &recorder)
      return false
    }
    let completed = instances[event.instance].end(recorder: &recorder)
    if completed > 0 {
      inFlight[event.instance] -= completed
      totalInFlight -= completed
    }
    let released = heldHead < held.count && release(at: event.time, recorder: &recorder)
    if repeatsDecodeSteps, completed == 0, !released {
      let horizon = min(upcoming?.arrival ?? .infinity, events.secondTime, stopAt)
      if let end = instances[event.instance].repeatDecodeSteps(until: horizon, recorder: &recorder) {
        events.postponeFirst(to: end)
        return true
      }
    }
    let now = instances[event.instance].state.now
    if now < stopAt, let end = try instances[event.instance].begin(at: now) {
      events.postponeFirst(to: end)
    } else {
      events.removeFirst()
    }
    if released { try beginIdle(at: event.time) }
    return true
  }

  /// Energy that the instances drew while they had nothing to do, until the last iteration ended, in joules.
  public var idleJoules: Joules {
    instances.reduce(0) { $0 + $1.idleSeconds * $1.costModel.idleWatts }
  }

  /// What each kernel used, over all instances.
  public var kernels: [KernelUse] {
    var totals: [KernelUse] = []
    for instance in instances {
      for use in instance.costModel.kernels {
        if let i = totals.firstIndex(where: { $0.kernel == use.kernel }) {
          totals[i] += use
        } else {
          totals.append(use)
        }
      }
    }
    return totals
  }

  /// Mean number of requests in the system, the newcomer included, as each arrives.
  public var meanInSystem: Double { arrivals > 0 ? Double(sumInSystem) / Double(arrivals) : 0 }

  /// Most requests in the system at any time.
  public private(set) var peakInSystem = 0

  /// Lets a request come in; all that come at the same moment are taken in before anybody starts.
  private mutating func arrive(_ request: Request, recorder: inout some Recorder) throws(SimulationError) {
    let now = request.arrival
    send(request, recorder: &recorder)
    upcoming = nextRequest()
    while let next = upcoming, next.arrival == now {
      send(next, recorder: &recorder)
      upcoming = nextRequest()
    }
    try beginIdle(at: now)
  }

  /// The next request that comes before the run is cut.
  private mutating func nextRequest() -> Request? {
    guard let request = requests.next(), request.arrival < stopAt else { return nil }
    return request
  }

  private mutating func send(_ request: Request, recorder: inout some Recorder) {
    guard totalInFlight < maxConcurrency else {
      held.append(request)
      return
    }
    let target = router.route(request, inFlight: inFlight)
    guard instances[target].accept(request, recorder: &recorder) else { return }
    inFlight[target] += 1
    totalInFlight += 1
    arrivals += 1
    sumInSystem += totalInFlight
    peakInSystem = max(peakInSystem, totalInFlight)
  }

  /// Sends held requests while there is a free client.
  ///
  /// - Returns: whether there was any; it may have gone to an instance that had nothing to do.
  private mutating func release(at now: Seconds, recorder: inout some Recorder) -> Bool {
    guard now < stopAt else { return false }
    let first = heldHead
    while heldHead < held.count, totalInFlight < maxConcurrency {
      var request = held[heldHead]
      heldHead += 1
      request.arrival = now
      send(request, recorder: &recorder)
    }
    let released = heldHead > first
    if heldHead == held.count, heldHead > 0 {
      held.removeAll(keepingCapacity: true)
      heldHead = 0
    }
    return released
  }

  private mutating func beginIdle(at now: Seconds) throws(SimulationError) {
    for i in instances.indices where !instances[i].isRunning { try begin(i, at: now) }
  }

  private mutating func begin(_ instance: Int, at now: Seconds) throws(SimulationError) {
    guard now < stopAt, let end = try instances[instance].begin(at: now) else { return }
    events.insert(time: end, instance: instance)
  }

  /// Records the requests that a cut has left behind: those in the instances, and those without a client.
  private mutating func reportUnfinished(recorder: inout some Recorder) {
    for i in instances.indices { instances[i].abandon(recorder: &recorder) }
    for request in held[heldHead...] {
      var record = RequestRecord(request: request)
      record.status = .unfinished
      recorder.record(record)
    }
    held.removeAll()
    heldHead = 0
    totalInFlight = 0
  }
}
