extension Instance {
  /// Whether the policy, asked for the next step, could only repeat its last plan.
  private var repeatsItself: Bool {
    guard fastForwards, !hasNews, flightCount == 0, !clock.overlapsHost, !ledger.logsSteps, !logsRows,
      view.isCounted
    else {
      return false
    }
    let last = (firstFlight + flights.count - 1) % flights.count
    let decodes = flights[last].plan.decodes
    return decodes > 0 && decodes == view.decoding.stepping && flights[last].plan.tiles.isEmpty
      && flights[last].plan.victims == 0 && view.decoding.parked == 0 && view.decoding.fresh.isEmpty
      && view.prefillingCount == 0
  }

  /// Prices decode steps up to the next that ends a request, and leaves them to be taken.
  ///
  /// - Returns: when the last of them ends; `nil` if the policy is to be asked instead.
  mutating func startLeap(at now: Seconds, before horizon: Seconds, stopAt: Seconds) -> Seconds? {
    guard repeatsItself, let repeats = stepsToRepeat(at: now, stopAt: stopAt) else { return nil }
    let stopAt = repeats.stopAt
    var most = repeats.most
    if let completion = view.decoding.stepsToNextCompletion(atMost: most) { most = completion }
    most = leap.foreseeBlocks(steps: most, memory: view.memory, decoding: view.decoding)
    guard most > 0 else { return nil }
    describeRun(most)
    leap.start = now
    clock.rest(now - view.busyUntil)
    price(most: most, before: min(horizon, stopAt), stopAt: stopAt)
    leap.isPending = true
    idleSeconds += now - view.busyUntil
    flightCount = 1
    firstFlight = (firstFlight + flights.count - 1) % flights.count
    view.busyUntil = leap.ends[leap.ends.count - 1]
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

  /// Describes steps like the last one to the cost model.
  mutating func describeRun(_ most: Int) {
    leap.run.decodes = view.decoding.stepping
    leap.run.context = view.decoding.nextContext
    leap.run.draw = view.estimator.firstDraw + UInt64(view.step)
    view.decoding.window?.fill(&leap.run.windowContexts, count: most, after: view.decoding.step)
  }

  /// Prices steps until one ends at the horizon or later, in slices that should be just enough.
  private mutating func price(most: Int, before horizon: Seconds, stopAt: Seconds) {
    leap.run.costs.removeAll(keepingCapacity: true)
    leap.run.tallies.removeAll(keepingCapacity: true)
    leap.ends.removeAll(keepingCapacity: true)
    leap.run.count = 0
    var end = leap.start
    var seconds = flights[(firstFlight + flights.count - 1) % flights.count].cost.seconds
    while leap.run.count < most, leap.run.count == 0 || end < horizon {
      let ahead = max(0, (horizon - end) / seconds)
      let slice = ahead < Double(most) ? Int(ahead) + 1 : most
      leap.run.count = min(most, leap.run.count + slice)
      costModel.price(&leap.run)
      for i in leap.ends.count..<leap.run.count {
        if clock.power != nil {
          clock.power?.run(&leap.run.costs[i])
          if let state = clock.power?.state { leap.power[i] = state }
        }
        seconds = leap.run.costs[i].seconds
        leap.run.costs[i].addIdle(idleWatts * seconds, decodeShare: 1)
        end += seconds
        leap.ends.append(end)
        // No step begins once the run is cut.
        if end >= stopAt { return }
      }
    }
  }

  /// Something comes from outside: steps that have ended are taken, and the one that runs goes on.
  ///
  /// A step that ends exactly now has not ended.
  ///
  /// - Parameters:
  ///   - now: the time.
  ///   - recorder: is told of the steps that have ended.
  /// - Returns: when the step that runs ends, if that was to be known later.
  public mutating func interrupt(at now: Seconds, recorder: inout some Recorder) -> Seconds? {
    guard leap.isPending else { return nil }
    guard flights.count == 1 else {
      landAhead(
        after: leap.elements(endedBefore: now, first: flights[firstFlight].record.end), recorder: &recorder)
      return flights[firstFlight].record.end
    }
    land(after: leap.steps(endedBefore: now), recorder: &recorder)
    return view.busyUntil
  }

  /// Takes all steps of the leap but the last, which then runs.
  mutating func land(recorder: inout some Recorder) {
    if flights.count == 1 {
      land(after: leap.ends.count - 1, recorder: &recorder)
    } else {
      landAhead(after: leap.ends.count - 1, recorder: &recorder)
    }
  }

  /// Takes some steps of the leap, and lets the next one run.
  private mutating func land(after steps: Int, recorder: inout some Recorder) {
    let f = firstFlight
    leap.isPending = false
    if clock.power != nil { clock.power?.state = leap.power[steps] }
    costModel.count(leap.run, steps: 0..<steps + 1, ledger: &ledger)
    flights[f].record.queueLength = Int32(view.waitingCount)
    if steps > 0 { take(steps, flight: f, recorder: &recorder) }
    flights[f].cost = leap.run.costs[steps]
    flights[f].record.index = view.step
    flights[f].record.fill(
      from: flights[f].cost, start: steps > 0 ? leap.ends[steps - 1] : leap.start, end: leap.ends[steps])
    flights[f].record.kvBlocksUsed = leap.blocks[steps]
    flights[f].decode = view.decoding.nextLoad
    view.memory.take(Int(leap.blocks[steps]) - view.memory.usedBlocks)
    view.decoding.advance()
    flights[f].decodeStep = view.decoding.step
    flights[f].hasPassed = false
    view.step += 1
    view.busyUntil = leap.ends[steps]
  }

  /// Takes steps, one after another.
  private mutating func take(_ steps: Int, flight f: Int, recorder: inout some Recorder) {
    var record = flights[f].record
    record.end = leap.start
    Self.take(
      steps, record: &record, index: view.step, run: leap.run, ends: leap.ends, blocks: leap.blocks,
      decoding: &view.decoding, records: &leap.records, gaps: &leap.gaps)
    flights[f].record = record
    view.step += Int64(steps)
    view.now = record.end
    view.memory.take(Int(record.kvBlocksUsed) - view.memory.usedBlocks)
    view.forgetGaps()
    recorder.record(leap.records.span.extracting(first: steps))
    recorder.record(gaps: leap.gaps.span.extracting(first: steps), tokens: leap.run.decodes)
  }

  private static func take(
    _ steps: Int, record: inout IterationRecord, index: Int64, run: borrowing DecodeRun, ends: [Seconds],
    blocks: [Int32], decoding: inout DecodingSet, records: inout [IterationRecord], gaps: inout [Seconds]
  ) {
    var records = records.mutableSpan
    var gaps = gaps.mutableSpan
    let (costs, ends, blocks) = (run.costs.span, ends.span, blocks.span)
    var longest: Seconds = 0
    for step in 0..<steps {
      record.index = index + Int64(step)
      record.fill(from: costs[step], start: record.end, end: ends[step])
      record.kvBlocksUsed = blocks[step]
      records[step] = record
      let load = decoding.nextLoad
      decoding.advance()
      let gap = decoding.settle(load, step: decoding.step, cost: costs[step], at: ends[step])
      gaps[step] = gap
      longest = max(longest, gap)
    }
    // No sequence joins or leaves between these steps, so none will ask for the longest gap since one of them.
    decoding.gaps.append(longest, step: decoding.step)
  }
}
