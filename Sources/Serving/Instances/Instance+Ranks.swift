// An instance that is one of several ranks which step together.
extension Instance {
  /// Plans what the rank does in the next step.
  ///
  /// - Returns: whether it does anything.
  /// - Throws: if the policy breaks a rule.
  mutating func prepare(at now: Seconds) throws(SimulationError) -> Bool {
    if flights.count > 1 { passNewest() }
    guard view.waitingCount + view.prefillingCount + view.decodingCount > 0 else { return false }
    view.now = now
    let f = nextFlight
    let isPlanned = try Self.make(&flights[f], at: now, with: &scheduler, view: &view, load: &load)
    if flightCount > 0 { handOver() }
    guard !isPlanned else { return true }
    // Nothing goes on before memory has been fetched, or before those are here that it is taken for.
    if view.sending + view.awaited > 0, flightCount == 0, flights[f].plan.victims == 0 { return false }
    return flightCount > 0 ? false : try prepare(at: now)
  }

  /// Prices what the rank has planned as its part of a step.
  mutating func price(_ rank: Int, of step: inout SharedStep) {
    let f = nextFlight
    costModel.price(load, of: rank, in: &step, into: &flights[f].cost, ledger: &ledger)
  }

  /// Lets the rank's part of a step run.
  ///
  /// - Parameters:
  ///   - step: what the step of all ranks takes.
  ///   - saved: the share of its energy that the power limit has saved.
  ///   - start: when it begins.
  ///   - seconds: how long it takes.
  mutating func start(
    _ step: borrowing StepCost, saving saved: Double, from start: Seconds, for seconds: Seconds
  ) {
    let f = nextFlight
    waiting.steps += 1
    waiting.seconds += step.kernelSeconds - flights[f].cost.kernelSeconds
    if saved > 0 { flights[f].cost.save(saved * flights[f].cost.joules) }
    flights[f].cost.takeTimes(of: step)
    idleSeconds += start - view.busyUntil
    flights[f].start(from: start, for: seconds, idleWatts: idleWatts, in: &view)
    hasNews = false
    view.hasOverlapped = flightCount > 0
    flightCount += 1
  }

  /// Where the next step is put.
  private var nextFlight: Int { flightCount == 0 ? firstFlight : (firstFlight + flightCount) % flights.count }
}

extension StepCost {
  /// Takes over what a step of several ranks takes.
  fileprivate mutating func takeTimes(of step: borrowing StepCost) {
    kernelSeconds = step.kernelSeconds
    launchSeconds = step.launchSeconds
    hostSeconds = step.hostSeconds
    exposedSeconds = step.exposedSeconds
  }
}
