/// One copy of a model: a scheduler, its KV memory, and the steps that it runs.
///
/// An instance knows no other. ``Simulation`` hands it requests, calls ``next(at:before:stopAt:)`` to plan a step, and
/// ``end(recorder:)`` when that ends.
public struct Instance {
  /// Its number among the instances of a simulation.
  public let number: Int
  /// The longest sequence, prompt and output together, that it serves.
  public let longestSequence: Tokens
  /// The longest prompt that it serves.
  let longestPrompt: Tokens
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
  /// Whether to write down what each sequence does in each step.
  var logsRows = false
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
    longestPrompt = scheduler.longestPrompt
    view = InstanceView(configuration: configuration, longestOutput: longestSequence, number: number)
    clock = StepClock(overlapsHost: configuration.rules.stepsInFlight > 1, power: configuration.power)
    flights = Array(repeating: Flight(), count: configuration.rules.stepsInFlight)
    self.fastForwards = fastForwards
  }

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
    request.totalTokens <= longestSequence && request.promptTokens <= longestPrompt
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
    if flights.count > 1 {
      passNewest()
      if let end = startLeapAhead(at: now, before: horizon, stopAt: stopAt) { return end }
    } else if let end = startLeap(at: now, before: horizon, stopAt: stopAt) {
      return end
    }
    return try plan(at: now)
  }

  /// Asks the policy for a plan, and runs it.
  private mutating func plan(at now: Seconds) throws(SimulationError) -> Seconds? {
    let unfinished = view.waitingCount + view.prefillingCount + view.decodingCount
    guard unfinished > 0 else { return nil }
    view.now = now
    let f = (firstFlight + flightCount) % flights.count
    flights[f].plan.begin(view)
    scheduler.plan(view, into: &flights[f].plan)
    if flights[f].plan.isEmpty {
      let preempts = flights[f].plan.victims > 0
      guard preempts || flightCount > 0 else { throw .stalled(at: now, unfinished: unfinished) }
      try apply(f)
      // What was taken from those that ran may be enough for one of them.
      return flightCount > 0 ? nil : try plan(at: now)
    }
    hasNews = false
    try apply(f)
    costModel.price(load, into: &flights[f].cost, ledger: &ledger)
    run(f, at: now)
    return flights[firstFlight].record.end
  }

  /// Applies a plan to the sequences and to memory, and makes its load.
  private mutating func apply(_ f: Int) throws(SimulationError) {
    flights[f].prefillArea = 0
    flights[f].prefillAttended = 0
    while !flights[f].finishing.isEmpty { flights[f].finishing.removeLast() }
    for i in flights[f].plan.actions.indices {
      switch flights[f].plan.actions[i] {
      case .decode(let steppers, let victims): view.decode(steppers: steppers, victims: victims)
      case .serve: view.serve(flights[f].plan)
      case .admit(let slot, let tokens): view.admit(slot, tokens: tokens)
      case .compute(let tile): try compute(flights[f].plan.tiles[tile], f)
      }
    }
    if flightCount > 0 {
      let newest = (firstFlight + flightCount - 1) % flights.count
      flights[newest].departing += view.departing
      view.departing.removeAll(keepingCapacity: true)
      flights[newest].returning += view.returning
      view.returning.removeAll(keepingCapacity: true)
    }
    if view.cache == nil {
      for i in flights[f].plan.tiles.indices { try compute(flights[f].plan.tiles[i], f) }
    }
    if logsRows { noteRows(f) }
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
    if start > now { view.postpone(flights[f].plan.tiles, to: start) }
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
    view.hasOverlapped = flightCount > 0
    view.step += 1
    view.busyUntil = flights[f].record.end
    flightCount += 1
  }

  /// Moves a prompt on by a tile.
  @inline(__always)
  private mutating func compute(_ tile: Tile, _ f: Int) throws(SimulationError) {
    if try view.apply(tile) { flights[f].finishing.append(tile.sequence) }
    flights[f].prefillArea += tile.area
    flights[f].prefillAttended += tile.attended
  }

  /// Writes down what each sequence does in a step.
  private mutating func noteRows(_ f: Int) {
    flights[f].rows.removeAll(keepingCapacity: true)
    if flights[f].plan.decodes > 0 {
      for slot in view.decodersInOrder() where view.sequences[slot.index].steps {
        flights[f].rows.append(
          StepRow(
            request: view.sequences[slot.index].record.request.id, tokens: 1, before: view.context(of: slot)))
      }
    }
    for tile in flights[f].plan.tiles {
      flights[f].rows.append(
        StepRow(
          request: view.sequences[tile.sequence.index].record.request.id, tokens: tile.tokens.count,
          before: tile.tokens.lowerBound))
    }
  }

  /// Lets those that the newest step in flight finishes leave and join, before the next one is planned.
  private mutating func passNewest() {
    view.ending.removeAll(keepingCapacity: true)
    view.isInFlight = flightCount > 0
    guard flightCount > 0 else { return }
    let newest = (firstFlight + flightCount - 1) % flights.count
    pass(newest)
    for slot in flights[newest].leaving { view.ending.append(slot) }
    for slot in flights[newest].finishing where view.sequences[slot.index].phase == .finishing {
      view.ending.append(slot)
    }
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
