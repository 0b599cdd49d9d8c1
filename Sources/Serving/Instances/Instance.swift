/// One copy of a model: a scheduler, its KV memory, and the steps that it runs.
///
/// An instance knows no other. ``Simulation`` hands it requests, calls ``next(at:before:stopAt:)`` to plan a step, and
/// ``end(recorder:)`` when that ends.
public struct Instance {
  /// Its number among the instances of a simulation.
  public let number: Int
  /// The longest requests that it serves.
  public let longest: LongestRequest
  /// What its policy sees.
  public internal(set) var view: InstanceView
  /// Time spent with nothing to do, up to the last step's end.
  public internal(set) var idleSeconds: Seconds = 0
  /// What its kernels have used.
  public internal(set) var ledger = KernelLedger()

  /// Steps that it took with other ranks, and how long its GPUs have waited for theirs in them.
  var waiting: (steps: Int, seconds: Seconds) = (0, 0)
  /// Blocks that those will hold that memory is taken for and that are yet to come, where the policy wants to know.
  var awaitedBlocks = 0
  /// Whether to keep ``heard`` for a router.
  var isHeard = false
  /// First tokens and ends of requests that a router has not been told of.
  var heard: [RequestEvent] = []

  var scheduler: any Scheduler
  let costModel: any CostModel
  /// The cost model, where it is that of a pipeline, and the micro-batches of that; `nil` without stages.
  let pipeline: PipelineCostModel?
  var microBatches: MicroBatches?
  let idleWatts: Double
  var clock: StepClock
  /// The steps in flight: `flightCount` of them from `firstFlight` on, in a ring.
  var flights: [Flight]
  var firstFlight = 0
  /// Steps that are planned and have not ended.
  public internal(set) var flightCount = 0
  var load = StepLoad()
  var leap = Leap()
  /// Sequences that the step planned last decodes, if it does nothing else; 0 otherwise.
  var repeatableDecodes = 0
  /// How long the step that was planned last takes.
  var latestSeconds: Seconds = 0
  /// Whether something happened since the policy was last asked that it would want to know.
  var hasNews = true
  /// Whether decode steps are repeated without asking the policy.
  let fastForwards: Bool

  /// Creates an instance without requests.
  ///
  /// - Parameters:
  ///   - number: its number in records.
  ///   - configuration: what it is made of.
  ///   - maxModelLength: longer sequences are rejected.
  ///   - fastForwards: whether decode steps are repeated without asking the policy; the results are the same.
  public init(
    number: Int, configuration: InstanceConfiguration, maxModelLength: Tokens = .max,
    fastForwards: Bool = true
  ) {
    self.number = number
    scheduler = configuration.scheduler
    costModel = configuration.costModel
    idleWatts = costModel.idleWatts
    longest = LongestRequest(
      sequence: min(maxModelLength, scheduler.longestSequence, configuration.memory.capacity),
      prompt: min(scheduler.longestPrompt, configuration.rules.longestPrompt(in: configuration.memory)))
    view = InstanceView(configuration: configuration, longestOutput: longest.sequence, number: number)
    clock = StepClock(
      overlapsHost: configuration.rules.stepsInFlight > 1, idleWatts: idleWatts, power: configuration.power)
    pipeline = costModel as? PipelineCostModel
    flights = Array(
      repeating: Flight(instance: number), count: pipeline?.stages.count ?? configuration.rules.stepsInFlight)
    self.fastForwards = fastForwards
    if let pipeline {
      microBatches = MicroBatches(
        pipeline, view, overlapsHost: configuration.rules.stepsInFlight > 1,
        servesInOrder: scheduler.servesInOrder)
    }
  }

  /// Whether it plans a step as a request comes in although others are in flight.
  var seesArrivals: Bool { microBatches != nil && view.rules.seesArrivalsInFlight }

  /// Whether a step is in flight.
  public var isRunning: Bool { flightCount > 0 }

  /// When the oldest step in flight ends; `nil` if none is.
  public var endOfStep: Seconds? {
    guard flightCount > 0 else { return nil }
    guard leap.isPending else { return flights[firstFlight].record.end }
    return flights.count == 1 ? view.busyUntil : leap.event
  }

  /// Whether another step may be planned now.
  public var hasRoomForStep: Bool { flightCount < flights.count && !leap.isPending }

  /// What each of its kernels has used, and what the power limit has made of it.
  ///
  /// `wait_for_ranks` is the time that its GPUs waited for those of other ranks which share its experts.
  /// Kernels are listed with what they take at full clock. Where the limit has slowed steps down the last entry,
  /// `power_limit`, has the time that it has added and, below 0, the energy that the lower clock has saved.
  public var kernels: [KernelUse] {
    var kernels = costModel.kernels(in: ledger)
    if waiting.steps > 0 {
      kernels.append(
        KernelUse(kernel: KernelUse.waitForRanks, calls: waiting.steps, seconds: waiting.seconds))
    }
    return kernels + ((microBatches?.clock.limitUse ?? clock.limitUse).map { [$0] } ?? [])
  }

  /// Takes in a request, which must not be longer than ``longest``.
  public mutating func accept(_ request: Request) {
    hasNews = true
    view.enqueue(request)
  }

  /// Plans as many steps as may be in flight.
  ///
  /// - Parameters: as of ``next(at:before:stopAt:)``.
  /// - Returns: when the instance is to be called next, to end a step; `nil` if none is in flight.
  /// - Throws: if the policy breaks a rule.
  @inline(__always)
  mutating func fill(
    at now: Seconds, before horizon: Seconds, stopAt: Seconds
  ) throws(SimulationError) -> Seconds? {
    var end = try next(at: now, before: horizon, stopAt: stopAt)
    while flights.count > 1, end != nil, hasRoomForStep {
      guard let sooner = try next(at: now, before: horizon, stopAt: stopAt) else { break }
      end = sooner
    }
    guard let end else { return endOfStep }
    return end
  }

  /// Plans the next step, if there is anything to do.
  ///
  /// Where the policy would only repeat itself, it is not asked, and several steps are priced ahead; see ``Leap``.
  ///
  /// - Parameters:
  ///   - now: the time.
  ///   - horizon: when something is likely to happen next; steps beyond are priced in vain.
  ///   - stopAt: no step begins at this time or later.
  /// - Returns: when the instance is to be called next, to end a step; `nil` if there is nothing to do.
  /// - Throws: if the policy breaks a rule.
  public mutating func next(
    at now: Seconds, before horizon: Seconds = .infinity, stopAt: Seconds = .infinity
  ) throws(SimulationError) -> Seconds? {
    guard now < stopAt else { return nil }
    if flights.count > 1 {
      if pipeline != nil { return try planMicroBatch(at: now) }
      passNewest()
      if let end = startLeapAhead(at: now, before: horizon, stopAt: stopAt) { return end }
    } else if let end = startLeap(at: now, before: horizon, stopAt: stopAt) {
      return end
    }
    return try plan(at: now)
  }

  /// Asks the policy for a plan, and runs it.
  private mutating func plan(at now: Seconds) throws(SimulationError) -> Seconds? {
    guard view.waitingCount + view.prefillingCount + view.decodingCount > 0 else { return nil }
    view.now = now
    let f = flightCount == 0 ? firstFlight : (firstFlight + flightCount) % flights.count
    let busyUntil = view.busyUntil
    let planned = try Self.plan(
      &flights[f], at: now, with: &scheduler, view: &view, load: &load, costModel: costModel, ledger: &ledger,
      clock: &clock)
    if flightCount > 0 { handOver() }
    guard let start = planned else {
      // Nothing goes on before memory has been fetched, or before those are here that it is taken for.
      if view.sending + view.awaited > 0, flightCount == 0, flights[f].plan.victims == 0 { return nil }
      // What was taken from those that ran may be enough for one of them.
      return flightCount > 0 ? nil : try plan(at: now)
    }
    hasNews = false
    view.hasOverlapped = flightCount > 0
    idleSeconds += start - busyUntil
    repeatableDecodes = flights[f].plainDecodes
    latestSeconds = view.busyUntil - start
    flightCount += 1
    return flightCount == 1 ? view.busyUntil : flights[firstFlight].record.end
  }

  /// Lets those that the newest step in flight finishes leave and join, before the next one is planned.
  mutating func passNewest() {
    view.ending.removeAll(keepingCapacity: true)
    view.isInFlight = flightCount > 0
    guard flightCount > 0 else { return }
    let newest = (firstFlight + flightCount - 1) % flights.count
    flights[newest].pass(in: &view)
    for slot in flights[newest].leaving { view.ending.append(slot) }
    for slot in flights[newest].finishing where view.sequences[slot.index].phase == .finishing {
      view.ending.append(slot)
    }
  }

  /// Hands the newest step in flight those whose accounts are settled when it ends.
  mutating func handOver() {
    let newest = (firstFlight + flightCount - 1) % flights.count
    flights[newest].departing += view.departing
    view.departing.removeAll(keepingCapacity: true)
    flights[newest].returning += view.returning
    view.returning.removeAll(keepingCapacity: true)
  }

  // Each part is handed in by itself, and by a call: what is lent from one that is lent whole is copied.
  @inline(never)
  private static func plan(
    _ flight: inout Flight, at now: Seconds, with scheduler: inout any Scheduler, view: inout InstanceView,
    load: inout StepLoad, costModel: any CostModel, ledger: inout KernelLedger, clock: inout StepClock
  ) throws(SimulationError) -> Seconds? {
    guard try make(&flight, at: now, with: &scheduler, view: &view, load: &load) else { return nil }
    price(load, with: costModel, into: &flight.cost, ledger: &ledger)
    if flight.plan.loadSeconds > 0 { flight.cost.exposedSeconds += flight.plan.loadSeconds }
    return flight.start(at: now, clock: &clock, in: &view)
  }

  /// Makes a plan, and applies it; false if there is nothing in it.
  @inline(__always)
  static func make(
    _ flight: inout Flight, at now: Seconds, with scheduler: inout any Scheduler, view: inout InstanceView,
    load: inout StepLoad
  ) throws(SimulationError) -> Bool {
    flight.plan.begin(freeBlocks: view.memory.freeBlocks, queue: view.queue.head)
    if view.hasCache { flight.plan.beginDraft(view) }
    ask(&scheduler, about: &view, into: &flight.plan)
    guard !flight.plan.isEmpty else {
      guard flight.plan.victims > 0 || view.isInFlight || view.sending + view.awaited > 0 else {
        throw .stalled(at: now, unfinished: view.count)
      }
      try flight.apply(to: &view, load: &load)
      return false
    }
    try flight.apply(to: &view, load: &load)
    return true
  }

  @inline(never)
  static func ask(
    _ scheduler: inout any Scheduler, about view: inout InstanceView, into plan: inout StepPlan
  ) {
    scheduler.plan(view, into: &plan)
  }

  @inline(never)
  private static func price(
    _ load: borrowing StepLoad, with costModel: any CostModel, into cost: inout StepCost,
    ledger: inout KernelLedger
  ) {
    costModel.price(load, into: &cost, ledger: &ledger)
  }
}
