/// A discrete-event simulation of one or more instances that serve a workload.
///
/// Two kinds of events move time: a request arrives, a step ends. A request that arrives while a step runs becomes
/// visible to the policy at its end; an instance with nothing to do starts at the next arrival. Of an arrival and an end
/// at the same time the arrival comes first.
///
///     var simulation = Simulation(instances: [configuration], requests: workload.makeIterator())
///     try simulation.run(recorder: &recorder)
///
/// A simulation reads no clock, does no I/O and keeps no global state: the same inputs give the same results to the
/// last bit. Memory grows with the requests in the system, not with the length of the trace.
public struct Simulation: ~Copyable {
  var instances: [Instance]
  var router: any Router
  /// Whether the router is told of first tokens and ends.
  let listens: Bool
  /// What the router has yet to learn, and what it knows of loads; `nil` where it knows all at once.
  var reports: ReportQueue?
  /// Instances that requests are sent to: the first ones, or all.
  let senders: Int
  private var requests: any IteratorProtocol<Request>
  var upcoming: Request?
  /// Whether no request is to come.
  private var isExhausted = false
  var events: EventQueue
  private let maxConcurrency: Int
  let stopAt: Seconds
  var inFlight: [Int]
  var totalInFlight = 0
  /// Instances that a request was just sent to.
  private var woken: [Int] = []
  /// Requests whose time has come but that wait for a free client, in order.
  var held: [Request] = []
  var heldHead = 0
  /// What delays requests between the moment they are sent and that in which the instance sees them.
  private var frontEnd: FrontEnd
  /// Requests that are sent and not yet there, in the order in which they get there, and when each does.
  var travelling: [(request: Request, time: Seconds, target: Int)] = []
  var travellingHead = 0
  /// How many requests arrivals have found.
  public private(set) var population = Population()
  /// The instances that are run; requests to others are left out.
  let share: Range<Int>
  /// When, and with what, the event happened that was handled last.
  public private(set) var moment = Moment(0, .sending)
  /// Prompts on their way to the instances that decode them; `nil` where each instance does both.
  var handovers: Handovers?
  /// Ranks that step together, and which of these groups each instance is of; nothing where every instance steps by itself.
  var lockSteps: [LockStep] = []
  var lockStepOf: [Int?] = []
  /// The instances of each server; empty where each has one.
  let servers: [Range<Int>]
  /// The instance whose event is handled, or -1.
  ///
  /// Those before it have had their turn at this time: what comes to them comes after a step of theirs that ends now.
  private(set) var turn = -1

  /// Creates a simulation.
  ///
  /// - Parameters:
  ///   - instances: at least one.
  ///   - router: decides which instance serves a request.
  ///   - requests: in order of arrival.
  ///   - maxModelLength: requests whose prompt and output together are longer are rejected.
  ///   - maxConcurrency: most requests in the system; later ones are sent when an earlier one completes.
  ///   - stopAt: when the run is cut. From then on no request is sent and no step begins; those under way come to
  ///     their end, so that what steps and kernels used still adds up. Requests that are then in the system are
  ///     recorded as unfinished.
  ///   - frontEnd: what a request passes before its instance sees it.
  ///   - fastForwards: whether decode steps are repeated without asking the policy where it would only repeat itself.
  ///     Asking it before every step is slower, with the same results to the last bit.
  ///   - disaggregation: which instances compute prompts for the others; `nil` where each does both.
  ///   - reportDelay: seconds, at least 0, until the router learns of first tokens and ends. What it has sent itself it knows
  ///     at once, and that a request is too long for where it is sent. It must be 0 with disaggregation.
  ///   - servers: how the instances are put together to servers; `nil` where each is one. A router then chooses among the
  ///     servers.
  ///   - share: the instances that this simulation runs, where others run the rest; `nil` for all. It may be some only
  ///     where none knows of another at once: with a router that is oblivious or learns late of what happens, no limit on
  ///     concurrency, no disaggregation, and one instance to a server. In the latter case those who run shares exchange
  ///     reports whenever ``run(onto:atMost:)`` says so.
  public init(
    instances: [InstanceConfiguration], router: any Router = RoundRobin(),
    requests: any IteratorProtocol<Request>, maxModelLength: Tokens = .max, maxConcurrency: Int = .max,
    stopAt: Seconds = .infinity, frontEnd: FrontEnd = FrontEnd(), fastForwards: Bool = true,
    disaggregation: Disaggregation? = nil, reportDelay: Seconds = 0, servers: Servers? = nil,
    share: Range<Int>? = nil
  ) {
    precondition(!instances.isEmpty, "a simulation needs an instance")
    precondition(
      share == nil
        || (router.isOblivious || reportDelay > 0) && maxConcurrency == .max && disaggregation == nil
          && servers == nil,
      "no instance knows of another")
    self.share = share ?? instances.indices
    let senders = disaggregation?.prefillInstances ?? instances.count
    precondition(
      servers.map { $0.ranks.last?.upperBound == instances.count } ?? true, "each instance is of a server")
    precondition(reportDelay >= 0, "nothing is known before it happens")
    precondition(disaggregation == nil || reportDelay == 0, "instances that hand prompts over report at once")
    precondition(
      disaggregation == nil || (1..<instances.count).contains(senders),
      "some instance computes prompts, and some decodes")
    let listens = router.listens
    let mode = disaggregation?.mode
    self.instances = instances.enumerated().map { place, configuration in
      var instance = Instance(
        number: place, configuration: configuration, maxModelLength: maxModelLength,
        fastForwards: fastForwards)
      instance.isHeard = (listens || reportDelay > 0) && place < senders
      if let mode, place < senders { instance.handOverPrompts(mode) }
      return instance
    }
    self.senders = senders
    self.listens = listens
    reports =
      reportDelay > 0
      ? ReportQueue(delay: reportDelay, instances: instances.count, isShared: share != nil) : nil
    self.router = router
    handovers = disaggregation.map { Handovers($0, instances: instances.count) }
    self.requests = requests
    self.maxConcurrency = maxConcurrency
    self.stopAt = stopAt
    self.frontEnd = frontEnd
    events = EventQueue(sources: instances.count)
    inFlight = Array(repeating: 0, count: instances.count)
    self.servers = servers?.ranks ?? []
    if let servers, servers.stepTogether.contains(true) {
      lockStepOf = Array(repeating: nil, count: instances.count)
      for (ranks, stepTogether) in zip(servers.ranks, servers.stepTogether) where stepTogether {
        for i in ranks { lockStepOf[i] = lockSteps.count }
        lockSteps.append(
          LockStep(ranks, of: self.instances, power: instances[ranks.lowerBound].power))
      }
    }
  }

  /// Runs until every request is done, or the run is cut.
  ///
  /// - Throws: if a policy breaks the rules.
  /// - Complexity: O(steps + requests), independent of how many sequences decode.
  public mutating func run(recorder: inout some Recorder) throws(SimulationError) {
    if recorder.wantsKernels {
      for i in instances.indices { instances[i].ledger.logsSteps = true }
    }
    if recorder.wantsRows {
      for i in instances.indices { instances[i].view.logsRows = true }
    }
    while try step(recorder: &recorder) {}
  }

  /// Handles the next event; false once nothing is left.
  public mutating func step(recorder: inout some Recorder) throws(SimulationError) -> Bool {
    fetchUpcoming()
    let event = events.first
    if travellingHead < travelling.count, let handled = try comeIn(before: event, recorder: &recorder) {
      return handled
    }
    if handovers != nil, let handled = try deliver(before: event, recorder: &recorder) { return handled }
    if let arrival = upcoming?.arrival, arrival <= event?.time ?? .infinity, let request = upcoming {
      upcoming = nil
      try arrive(request, recorder: &recorder)
      return true
    }
    guard let event else {
      moment = Moment(.infinity, .end, share.lowerBound)
      reportUnfinished(recorder: &recorder)
      return false
    }
    moment = Moment(event.time, .stepEnd, event.source)
    turn = event.source
    defer { turn = -1 }
    if !lockSteps.isEmpty, let group = lockStepOf[event.source] {
      try endTogether(group, at: event.time, recorder: &recorder)
      if !woken.isEmpty { try beginWoken(at: event.time) }
      return true
    }
    let completed = instances[event.source].end(recorder: &recorder)
    if listens || reports != nil { tellRouter(of: event.source) }
    if completed > 0 {
      inFlight[event.source] -= completed
      totalInFlight -= completed
      if heldHead < held.count { release(at: event.time, recorder: &recorder) }
    }
    if handovers != nil { takeUp(event, completed: completed, recorder: &recorder) }
    try begin(event.source, at: event.time)
    if !woken.isEmpty { try beginWoken(at: event.time) }
    return true
  }

  /// What each of the instances that are run leaves behind, in their order.
  public var outcomes: [InstanceOutcome] { instances[share].map { InstanceOutcome($0) } }

  /// Energy that the instances drew while they had nothing to do, until the last step of all ended, in joules.
  public var idleJoules: Joules { InstanceOutcome.idleJoules(of: outcomes) }

  /// How much of the stages' time of each instance was used; `nil` where an instance has none.
  public var pipelineUses: [PipelineUse?] { outcomes.map(\.pipelineUse) }

  /// What the power limit has made of steps that ranks took together; see ``Instance/kernels``.
  public var limitUses: [KernelUse] { lockSteps.compactMap(\.clock.limitUse) }

  /// What each kernel used, over all instances.
  public var kernels: [KernelUse] { InstanceOutcome.kernels(of: outcomes, and: limitUses) }

  /// What layers used by what they carry, over all instances; `nil` unless it was asked for.
  public var layerUses: LayerUses? { InstanceOutcome.layerUses(of: outcomes) }

  /// Keeps what layers use by what they carry, for ``layerUses``; call it before the run.
  public mutating func keepLayerUses() {
    for i in instances.indices { instances[i].ledger.byLayers = LayerUses() }
  }

  /// Lets a request come in; all that come at the same moment are taken in before an instance starts.
  private mutating func arrive(_ request: Request, recorder: inout some Recorder) throws(SimulationError) {
    let now = request.arrival
    moment = Moment(now, .sending, request.id)
    send(request, recorder: &recorder)
    upcoming = nextRequest()
    while let next = upcoming, next.arrival == now {
      send(next, recorder: &recorder)
      upcoming = nextRequest()
    }
    try beginWoken(at: now)
  }

  /// Lets the requests come in that get there next, if that is before anything else; `nil` if it is not.
  private mutating func comeIn(
    before event: EventQueue.Event?, recorder: inout some Recorder
  ) throws(SimulationError) -> Bool? {
    let now = travelling[travellingHead].time
    guard now <= event?.time ?? .infinity, now <= upcoming?.arrival ?? .infinity else { return nil }
    moment = Moment(now, .comingIn, travelling[travellingHead].request.id)
    while travellingHead < travelling.count, travelling[travellingHead].time == now {
      let one = travelling[travellingHead]
      hand(one.request, to: one.target, at: now, recorder: &recorder)
      travellingHead += 1
    }
    if travellingHead == travelling.count {
      travelling.removeAll(keepingCapacity: true)
      travellingHead = 0
    }
    try beginWoken(at: now)
    return true
  }

  /// Sees to it that the next request is known, if there is one.
  @inline(__always)
  mutating func fetchUpcoming() {
    if !isExhausted, upcoming == nil { upcoming = nextRequest() }
  }

  /// The next request that comes before the run is cut.
  private mutating func nextRequest() -> Request? {
    guard !isExhausted else { return nil }
    guard let request = requests.next(), request.arrival < stopAt else {
      isExhausted = true
      return nil
    }
    return request
  }

  private mutating func send(_ request: Request, recorder: inout some Recorder) {
    guard totalInFlight < maxConcurrency else {
      held.append(request)
      return
    }
    let target = target(of: request)
    guard accepts(request, at: target) else {
      if listens { router.noteEnd(of: request.id, at: request.arrival) }
      guard share.contains(target) else { return }
      var record = RequestRecord(request: request)
      record.status = .rejected
      record.instance = Int32(target)
      return recorder.record(record)
    }
    reports?.noteSent(to: target)
    guard share.contains(target) else { return }
    inFlight[target] += 1
    totalInFlight += 1
    population.note(totalInFlight)
    guard !frontEnd.isImmediate else {
      return hand(request, to: target, at: request.arrival, recorder: &recorder)
    }
    let time = frontEnd.pass(request, to: target)
    // Those on their way to other instances may get there later.
    var place = travelling.count
    while place > travellingHead, travelling[place - 1].time > time { place -= 1 }
    travelling.insert((request, time, target), at: place)
  }

  /// Where the router sends a request, by what it knows now.
  private mutating func target(of request: Request) -> Int {
    reports?.deliver(at: request.arrival, to: &router, listens: listens)
    let known = reports?.inFlight ?? inFlight
    guard servers.isEmpty else { return rank(for: request, in: servers, known: known) }
    return router.route(request, inFlight: senders == known.count ? known : Array(known[..<senders]))
  }

  /// Tells the router what has happened to requests of an instance, or sends it on its way there.
  mutating func tellRouter(of instance: Int) {
    for event in instances[instance].heard {
      guard reports == nil else {
        reports?.add(event, of: instance)
        continue
      }
      switch event {
      case .firstToken(let request, let time): router.noteFirstToken(of: request, at: time)
      case .end(let request, let time): router.noteEnd(of: request, at: time)
      }
    }
    instances[instance].heard.removeAll(keepingCapacity: true)
  }

  /// Whether a request can be served where it is sent and, if it goes on elsewhere, there.
  private func accepts(_ request: Request, at target: Int) -> Bool {
    // An instance that is asked itself is copied for it.
    let longest = instances[target].longest
    guard handovers != nil else { return longest.allows(request) }
    return longest.allowsPrompt(of: request) && instances[senders].longest.allows(request)
  }

  /// Hands a request to its instance.
  private mutating func hand(
    _ request: Request, to target: Int, at now: Seconds, recorder: inout some Recorder
  ) {
    if let end = instances[target].interrupt(at: now, hadItsTurn: target < turn, recorder: &recorder) {
      events.set(end, for: target)
    }
    instances[target].accept(request)
    woken.append(target)
  }

  /// Sends held requests while there is a free client.
  mutating func release(at now: Seconds, recorder: inout some Recorder) {
    guard now < stopAt else { return }
    while heldHead < held.count, totalInFlight < maxConcurrency {
      var request = held[heldHead]
      heldHead += 1
      request.arrival = now
      send(request, recorder: &recorder)
    }
    if heldHead == held.count {
      held.removeAll(keepingCapacity: true)
      heldHead = 0
    }
  }

  /// Lets those instances start that requests were sent to and that have nothing to do, or look out for requests.
  private mutating func beginWoken(at now: Seconds) throws(SimulationError) {
    for i in woken where !isRunning(i) || instances[i].seesArrivals { try begin(i, at: now) }
    woken.removeAll(keepingCapacity: true)
  }

  /// Plans as many steps of an instance as may be in flight, and notes when it is to be called next.
  mutating func begin(_ i: Int, at now: Seconds) throws(SimulationError) {
    if !lockSteps.isEmpty, let group = lockStepOf[i] { return try beginTogether(group, at: now) }
    // What comes to the only instance is known; which of several the next request is sent to is not.
    let horizon = instances.count == 1 ? nextComing : .infinity
    if let end = try instances[i].fill(at: now, before: horizon, stopAt: stopAt) {
      events.set(end, for: i)
    } else {
      events.remove(i)
    }
  }

  /// When the next request that is known gets to its instance.
  private var nextComing: Seconds {
    // A request is copied where it is unwrapped whole.
    var next = upcoming?.arrival ?? .infinity
    if !frontEnd.isImmediate, let tokens = upcoming?.promptTokens {
      next = frontEnd.earliest(arrival: next, promptTokens: tokens)
    }
    return travellingHead < travelling.count ? min(next, travelling[travellingHead].time) : next
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
