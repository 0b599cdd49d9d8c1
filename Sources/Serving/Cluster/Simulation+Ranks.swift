// Servers with several ranks: which of them a request goes to, and the steps that they take together.
extension Simulation {
  /// Which instance serves a request: the router chooses a server, and of its ranks that with the fewest requests, of
  /// equals the first.
  ///
  /// The router goes by what it knows; the server itself, within which the rank is chosen, by what there is.
  ///
  /// - Parameters:
  ///   - request: the request.
  ///   - servers: the instances of each server.
  ///   - known: requests at each instance as far as the router knows.
  /// - Returns: the instance.
  mutating func rank(for request: Request, in servers: [Range<Int>], known: [Int]) -> Int {
    var loads: [Int] = []
    for server in servers where server.lowerBound < senders { loads.append(known[server].reduce(0, +)) }
    return Self.emptiest(servers[router.route(request, inFlight: loads)], inFlight)
  }

  /// The instance with the fewest requests, of equals the first.
  static func emptiest(_ ranks: Range<Int>, _ inFlight: [Int]) -> Int {
    ranks.min { inFlight[$0] < inFlight[$1] } ?? ranks.lowerBound
  }

  /// Whether an instance, or the ranks that it steps with, have a step under way.
  func isRunning(_ i: Int) -> Bool {
    guard !lockSteps.isEmpty, let group = lockStepOf[i] else { return instances[i].isRunning }
    return !lockSteps[group].ends.isEmpty
  }

  /// Plans as many steps of some ranks as may be under way, and notes when they are to be called next.
  mutating func beginTogether(_ group: Int, at now: Seconds) throws(SimulationError) {
    let ranks = lockSteps[group].ranks
    while now < stopAt, lockSteps[group].ends.count < lockSteps[group].stepsInFlight {
      lockSteps[group].working.removeAll(keepingCapacity: true)
      for i in ranks where try instances[i].prepare(at: now) {
        lockSteps[group].working.append(i - ranks.lowerBound)
      }
      guard !lockSteps[group].working.isEmpty else { break }
      run(group, at: now)
    }
    if let end = lockSteps[group].ends.first {
      events.set(end, for: ranks.lowerBound)
    } else {
      events.remove(ranks.lowerBound)
    }
  }

  /// Prices the step that some ranks have planned, and lets it run.
  private mutating func run(_ group: Int, at now: Seconds) {
    let (first, working) = (lockSteps[group].ranks.lowerBound, lockSteps[group].working)
    lockSteps[group].step.begin(working) { instances[first + $0].load }
    for rank in working { instances[first + rank].price(rank, of: &lockSteps[group].step) }
    var cost = lockSteps[group].step.cost
    let joules = cost.joules
    let before = lockSteps[group].ends.last ?? lockSteps[group].idleSince
    let (start, seconds) = lockSteps[group].clock.run(&cost, plannedAt: now, after: before, decodeShare: 1)
    let saved = joules > 0 ? 1 - cost.joules / joules : 0
    for rank in working { instances[first + rank].start(cost, saving: saved, from: start, for: seconds) }
    lockSteps[group].ends.append(start + seconds)
  }

  /// Ends the oldest step of some ranks, and begins the next.
  mutating func endTogether(
    _ group: Int, at now: Seconds, recorder: inout some Recorder
  ) throws(SimulationError) {
    lockSteps[group].idleSince = lockSteps[group].ends.removeFirst()
    var completed = 0
    for i in lockSteps[group].ranks where instances[i].endOfStep == now {
      let ended = instances[i].end(recorder: &recorder)
      if listens || reports != nil { tellRouter(of: i) }
      inFlight[i] -= ended
      totalInFlight -= ended
      completed += ended
    }
    if completed > 0, heldHead < held.count { release(at: now, recorder: &recorder) }
    if handovers != nil {
      for i in lockSteps[group].ranks {
        takeUp(EventQueue.Event(time: now, source: i), completed: completed, recorder: &recorder)
      }
    }
    try beginTogether(group, at: now)
  }
}
