// Leaps with steps in flight: the newest one runs while the next one is planned.
//
//     element   0: the flight    1          2    ...  n
//     on GPU    |-------------|----------|---------|---|
//     planned   before        at the start of the element before
//
// The leap ends when element n begins: then the policy is asked for the one behind it.
extension Instance {
  /// Whether the policy, asked for the step after the newest one in flight, could only repeat its plan.
  private var repeatsAhead: Bool {
    guard flightCount == 1, view.ending.isEmpty, view.leftOut.isEmpty, view.isCounted else { return false }
    let flight = firstFlight
    let decodes = flights[flight].plan.decodes
    return decodes > 0 && decodes == view.decoding.stepping && flights[flight].plan.tiles.isEmpty
      && flights[flight].plan.victims == 0 && view.decoding.parked == 0 && view.decoding.fresh.isEmpty
      && flights[flight].returning.isEmpty && flights[flight].departing.isEmpty && view.prefillingCount == 0
  }

  /// Prices decode steps behind the one in flight, and leaves them to be taken.
  ///
  /// - Returns: when the last but one of them ends; `nil` if the policy is to be asked instead.
  mutating func startLeapAhead(at now: Seconds, before horizon: Seconds, stopAt: Seconds) -> Seconds? {
    guard fastForwards, !hasNews, !ledger.logsSteps, !logsRows, repeatsAhead else { return nil }
    guard let (limit, until) = stepsToRepeat(at: now, stopAt: stopAt) else { return nil }
    var most = limit
    if let completion = view.decoding.stepsToNextCompletion(atMost: most) { most = completion }
    most = leap.foreseeBlocks(steps: most, memory: view.memory, decoding: view.decoding)
    guard most > 0 else { return nil }
    describeRun(most)
    priceAhead(most: most, at: now, before: horizon, stopAt: until)
    leap.isPending = true
    leap.event = leap.ends.count > 1 ? leap.ends[leap.ends.count - 2] : flights[firstFlight].record.end
    return leap.event
  }

  /// Prices steps until one ends behind the horizon, and runs the clock over them.
  private mutating func priceAhead(most: Int, at now: Seconds, before horizon: Seconds, stopAt: Seconds) {
    leap.run.costs.removeAll(keepingCapacity: true)
    leap.run.tallies.removeAll(keepingCapacity: true)
    leap.starts.removeAll(keepingCapacity: true)
    leap.ends.removeAll(keepingCapacity: true)
    leap.clocks.removeAll(keepingCapacity: true)
    leap.run.count = 0
    var clock = clock
    var (planned, end) = (now, flights[firstFlight].record.end)
    var seconds = flights[firstFlight].record.seconds
    while leap.run.count < most, leap.run.count == 0 || end < horizon {
      let ahead = max(0, (horizon - end) / seconds)
      let slice = ahead < Double(most) ? Int(ahead) + 2 : most
      leap.run.count = min(most, leap.run.count + slice)
      costModel.price(&leap.run)
      for i in leap.ends.count..<leap.run.count {
        let (start, length) = clock.run(&leap.run.costs[i], plannedAt: planned, after: end)
        leap.run.costs[i].addIdle(idleWatts * length, decodeShare: 1)
        seconds = length
        planned = end
        end = start + length
        leap.starts.append(start)
        leap.ends.append(end)
        leap.clocks.append(clock)
        // No step is planned once the run is cut.
        if planned >= stopAt { return }
      }
    }
  }

  /// Takes the elements of a leap that have ended: the flight it began with, and steps behind it; the next one then runs,
  /// and the one behind that is planned.
  mutating func landAhead(after ended: Int, recorder: inout some Recorder) {
    leap.isPending = false
    costModel.count(leap.run, steps: 0..<ended + 1, ledger: &ledger)
    let model = firstFlight
    let before = flights[model].record.end
    for i in 0...ended { idleSeconds += leap.starts[i] - (i == 0 ? before : leap.ends[i - 1]) }
    if ended > 0 {
      _ = finishOldest(recorder: &recorder)
      if ended > 1 { take(ended - 1, like: model, recorder: &recorder) }
      fly(step: ended - 1, like: model)
    }
    fly(step: ended, like: model)
    clock = leap.clocks[ended]
    view.hasOverlapped = true
  }

  /// Takes steps, one after another.
  private mutating func take(_ steps: Int, like model: Int, recorder: inout some Recorder) {
    var record = flights[model].record
    var longest: Seconds = 0
    record.queueLength = Int32(view.waitingCount)
    for step in 0..<steps {
      record.index = view.step + Int64(step)
      record.fill(from: leap.run.costs[step], start: leap.starts[step], end: leap.ends[step])
      record.kvBlocksUsed = leap.blocks[step]
      leap.records[step] = record
      let load = view.decoding.nextLoad
      view.decoding.advance()
      let gap = view.decoding.settle(
        load, step: view.decoding.step, cost: leap.run.costs[step], at: leap.ends[step])
      leap.gaps[step] = gap
      longest = max(longest, gap)
    }
    view.decoding.gaps.append(longest, step: view.decoding.step)
    view.step += Int64(steps)
    view.now = record.end
    view.memory.take(Int(record.kvBlocksUsed) - view.memory.usedBlocks)
    view.forgetGaps()
    recorder.record(leap.records.span.extracting(first: steps))
    recorder.record(gaps: leap.gaps.span.extracting(first: steps), tokens: leap.run.decodes)
  }

  /// Lets a step of the leap fly.
  private mutating func fly(step: Int, like model: Int) {
    let f = (firstFlight + flightCount) % flights.count
    if f != model {
      flights[f].plan = flights[model].plan
      flights[f].record = flights[model].record
    }
    flights[f].cost = leap.run.costs[step]
    flights[f].record.index = view.step
    flights[f].record.queueLength = Int32(view.waitingCount)
    flights[f].record.fill(from: flights[f].cost, start: leap.starts[step], end: leap.ends[step])
    flights[f].record.kvBlocksUsed = leap.blocks[step]
    flights[f].decode = view.decoding.nextLoad
    flights[f].finishing.removeAll(keepingCapacity: true)
    flights[f].prefillArea = 0
    flights[f].prefillAttended = 0
    view.memory.take(Int(leap.blocks[step]) - view.memory.usedBlocks)
    view.decoding.advance()
    flights[f].decodeStep = view.decoding.step
    flights[f].hasPassed = false
    view.step += 1
    view.busyUntil = leap.ends[step]
    flightCount += 1
  }
}
