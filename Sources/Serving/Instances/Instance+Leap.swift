extension Instance {
  /// Prices decode steps up to the next that ends a request, and leaves them to be taken, if the policy, asked for the
  /// next step, could only repeat its last plan.
  ///
  /// - Returns: when the last of them ends; `nil` if the policy is to be asked instead.
  mutating func startLeap(at now: Seconds, before horizon: Seconds, stopAt: Seconds) -> Seconds? {
    guard fastForwards, !hasNews, flightCount == 0, repeatableDecodes > 0, !clock.overlapsHost,
      !ledger.logsSteps, !view.logsRows, view.isCounted,
      repeatableDecodes == view.decoding.stepping, view.decoding.parked == 0, view.decoding.fresh.isEmpty,
      view.prefillingCount == 0
    else { return nil }
    guard let repeats = stepsToRepeat(at: now, stopAt: stopAt) else { return nil }
    let stopAt = repeats.stopAt
    let most = leap.prepare(&view, atMost: repeats.most)
    guard most > 0 else { return nil }
    let horizon = min(horizon, stopAt)
    leap.begin(at: now)
    clock.rest(now - view.busyUntil)
    price(most: most, before: horizon, stopAt: stopAt)
    idleSeconds += now - view.busyUntil
    flightCount = 1
    if flights.count > 1 { firstFlight = (firstFlight + flights.count - 1) % flights.count }
    view.busyUntil = leap.end
    return view.busyUntil
  }

  /// How many steps the policy says that it repeats, and when none may begin; `nil` if it wants to be asked.
  mutating func stepsToRepeat(at now: Seconds, stopAt: Seconds) -> (most: Int, stopAt: Seconds)? {
    switch scheduler.repeats(view) {
    case .no: return nil
    case .untilSomethingHappens: return (Leap.mostSteps, stopAt)
    case .atMost(let steps):
      hasNews = true
      return (min(Leap.mostSteps, steps), stopAt)
    case .until(let time):
      guard now < time else { return nil }
      hasNews = true
      return (Leap.mostSteps, min(stopAt, time))
    }
  }

  /// Prices steps until one ends at the horizon or later, in slices that should be just enough.
  private mutating func price(most: Int, before horizon: Seconds, stopAt: Seconds) {
    while leap.count < most, leap.count == 0 || leap.end < horizon {
      let ahead = max(0, (horizon - leap.end) / latestSeconds)
      let slice = ahead < Double(most) ? Int(ahead) + 1 : most
      leap.run.count = min(most, leap.count + slice)
      costModel.price(&leap.run)
      // A step that differs in more than its context is priced by itself.
      guard leap.run.priced > leap.count else { return }
      // No step begins once the run is cut.
      guard leap.lay(on: &clock, stopAt: stopAt) else { return }
      latestSeconds = leap.lastSeconds
    }
  }

  /// Something comes from outside: steps that have ended are taken, and the one that runs goes on.
  ///
  /// - Parameters:
  ///   - now: the time.
  ///   - hadItsTurn: whether a step that ends exactly now has ended: its instance comes before the one that caused this.
  ///   - recorder: is told of the steps that have ended.
  /// - Returns: when the step that runs ends, if that was to be known later.
  public mutating func interrupt(at now: Seconds, hadItsTurn: Bool = false, recorder: inout some Recorder)
    -> Seconds?
  {
    guard leap.isPending else { return nil }
    guard flights.count == 1 else {
      landAhead(
        after: leap.elements(endedBefore: now, orThen: hadItsTurn, first: flights[firstFlight].record.end),
        recorder: &recorder)
      return flights[firstFlight].record.end
    }
    land(after: leap.steps(endedBefore: now, orThen: hadItsTurn), recorder: &recorder)
    return view.busyUntil
  }

  /// Takes all steps of the leap but the last, which then runs.
  mutating func land(recorder: inout some Recorder) {
    if flights.count == 1 {
      land(after: leap.count - 1, recorder: &recorder)
    } else {
      landAhead(after: leap.count - 1, recorder: &recorder)
    }
  }

  /// Takes some steps of the leap, and lets the next one run.
  private mutating func land(after steps: Int, recorder: inout some Recorder) {
    leap.isPending = false
    if clock.power != nil { clock.power?.state = leap.power[steps] }
    costModel.count(leap.run, steps: 0..<steps + 1, ledger: &ledger)
    flights[firstFlight].record.queueLength = Int32(view.waitingCount)
    if steps > 0 { take(steps, recorder: &recorder) }
    flights[firstFlight].repeatStep(steps, of: leap, in: &view)
  }

  /// Takes steps, one after another.
  private mutating func take(_ steps: Int, recorder: inout some Recorder) {
    leap.take(steps, as: &flights[firstFlight].record, decoding: &view.decoding, from: view.step)
    view.step += Int64(steps)
    view.now = flights[firstFlight].record.end
    view.memory.take(Int(flights[firstFlight].record.kvBlocksUsed) - view.memory.usedBlocks)
    view.forgetGaps()
    recorder.record(leap.records.span.extracting(first: steps))
    recorder.record(gaps: leap.gaps.span.extracting(first: steps), tokens: leap.run.decodes)
  }
}
