/// One copy of a model: a scheduler, its KV memory, and the steps that it runs.
///
/// An instance knows no other. ``Simulation`` hands it requests, calls ``next(at:before:stopAt:)`` to plan a step, and
/// ``end(recorder:)`` when that ends.
public struct Instance {
  /// Its number among the instances of a simulation.
  public let number: Int
  /// The longest sequence, prompt and output together, that it serves.
  public let longestSequence: Tokens
  /// What its policy sees.
  public internal(set) var view: InstanceView
  /// Time spent with nothing to do, up to the last step's end.
  public internal(set) var idleSeconds: Seconds = 0
  /// What its kernels have used.
  public internal(set) var ledger = KernelLedger()

  var scheduler: any Scheduler
  let costModel: any CostModel
  let idleWatts: Double
  var clock: StepClock
  /// The steps in flight: `flightCount` of them from `firstFlight` on, in a ring.
  var flights: [Flight]
  var firstFlight = 0
  /// Steps that are planned and have not ended.
  public internal(set) var flightCount = 0
  var load = StepLoad()
  var leap = Leap()
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
    longestSequence = min(maxModelLength, scheduler.longestSequence, configuration.memory.capacity)
    view = InstanceView(configuration: configuration, longestOutput: longestSequence, number: number)
    clock = StepClock(overlapsHost: configuration.stepsInFlight > 1, power: configuration.power)
    flights = Array(repeating: Flight(), count: configuration.stepsInFlight)
    self.fastForwards = fastForwards
  }

  /// Whether a step is in flight.
  public var isRunning: Bool { flightCount > 0 }

  /// When the oldest step in flight ends; `nil` if none is.
  public var endOfStep: Seconds? {
    guard flightCount > 0 else { return nil }
    return leap.isPending ? view.busyUntil : flights[firstFlight].record.end
  }

  /// Whether another step may be planned now.
  public var hasRoomForStep: Bool { flightCount < flights.count }

  /// Energy that it drew while it had nothing to do, in joules.
  public var idleJoules: Joules { idleSeconds * idleWatts }

  /// What each of its kernels has used, and what the power limit has made of it.
  ///
  /// Kernels are listed with what they take at full clock. Where the limit has slowed steps down the last entry,
  /// `power_limit`, has the time that it has added and, below 0, the energy that the lower clock has saved.
  public var kernels: [KernelUse] {
    let kernels = costModel.kernels(in: ledger)
    guard let state = clock.power?.state, state.slowedSteps > 0 else { return kernels }
    return kernels + [
      KernelUse(
        kernel: "power_limit", calls: state.slowedSteps, seconds: state.addedSeconds,
        joules: -state.savedJoules)
    ]
  }

  /// Whether a request can be served at all.
  public func accepts(_ request: Request) -> Bool {
    request.promptTokens + request.outputTokens <= longestSequence
  }

  /// Takes in a request, which must be acceptable.
  public mutating func accept(_ request: Request) {
    hasNews = true
    view.enqueue(request)
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
    if let end = startLeap(at: now, before: horizon, stopAt: stopAt) { return end }
    return try plan(at: now)
  }

  /// Asks the policy for a plan, and runs it.
  private mutating func plan(at now: Seconds) throws(SimulationError) -> Seconds? {
    if flightCount > 0 { pass((firstFlight + flightCount - 1) % flights.count) }
    let unfinished = view.waitingCount + view.prefillingCount + view.decodingCount
    guard unfinished > 0 else { return nil }
    view.now = now
    let f = (firstFlight + flightCount) % flights.count
    flights[f].plan.begin(view)
    scheduler.plan(view, into: &flights[f].plan)
    guard !flights[f].plan.isEmpty else { throw .stalled(at: now, unfinished: unfinished) }
    hasNews = false
    try apply(f)
    costModel.price(load, into: &flights[f].cost, ledger: &ledger)
    run(f, at: now)
    return flights[firstFlight].record.end
  }

  /// Applies a plan to the sequences and to memory, and makes its load.
  private mutating func apply(_ f: Int) throws(SimulationError) {
    for i in flights[f].plan.actions.indices {
      switch flights[f].plan.actions[i] {
      case .decode(let steppers, let victims): view.decode(steppers: steppers, victims: victims)
      case .admit(let slot): view.admit(slot)
      }
    }
    flights[f].prefillArea = 0
    flights[f].prefillAttended = 0
    while !flights[f].finishing.isEmpty { flights[f].finishing.removeLast() }
    for i in flights[f].plan.tiles.indices {
      let tile = flights[f].plan.tiles[i]
      if try view.apply(tile) { flights[f].finishing.append(tile.sequence) }
      flights[f].prefillArea += tile.area
      flights[f].prefillAttended += tile.attended
    }
    let decode = flights[f].plan.decodes > 0 ? view.decoding.nextLoad : DecodeLoad()
    flights[f].decode = decode
    load.fill(decode: decode, tiles: flights[f].plan.tiles, layers: view.layers)
    load.finishingSequences = flights[f].finishing.count
    load.draw = view.estimator.firstDraw + UInt64(view.step)
    flights[f].cost = StepCost()
  }

  /// Lets a planned step run.
  private mutating func run(_ f: Int, at now: Seconds) {
    let (start, seconds) = clock.run(&flights[f].cost, plannedAt: now, after: view.busyUntil)
    flights[f].cost.addIdle(idleWatts * seconds, decodeShare: load.decodeShare)
    idleSeconds += start - view.busyUntil
    let depth = load.prefillDepth(layers: view.layers)
    flights[f].record.instance = Int32(number)
    flights[f].record.index = view.step
    flights[f].record.fill(from: flights[f].cost, start: start, end: start + seconds)
    flights[f].record.decodeTokens = Int32(flights[f].plan.decodes)
    flights[f].record.outputTokens = Int32(flights[f].plan.decodes + flights[f].finishing.count)
    flights[f].record.prefillTokens = Int32(load.prefillRows)
    flights[f].record.prefillSequences = Int32(load.prefillSequences)
    flights[f].record.layerBegin = Int32(depth.begin)
    flights[f].record.layerEnd = Int32(depth.end)
    flights[f].record.queueLength = Int32(view.waitingCount)
    flights[f].record.kvBlocksUsed = Int32(view.memory.usedBlocks)
    if flights[f].plan.decodes > 0 {
      view.decoding.advance()
      if !view.decoding.fresh.isEmpty { swap(&flights[f].fresh, &view.decoding.fresh) }
    }
    flights[f].decodeStep = view.decoding.step
    flights[f].hasPassed = false
    view.step += 1
    view.busyUntil = flights[f].record.end
    flightCount += 1
  }

  /// Takes those that end with a step out of the sums, and those that decode after it in.
  mutating func pass(_ f: Int) {
    guard !flights[f].hasPassed else { return }
    flights[f].hasPassed = true
    if flights[f].decode.sequences > 0 {
      view.leave(afterStep: flights[f].decodeStep, into: &flights[f].leaving)
    }
    view.join(flights[f].finishing, afterStep: flights[f].record.index)
  }
}
