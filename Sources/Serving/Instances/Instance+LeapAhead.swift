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
    let decodes = flights[flight].plainDecodes
    return decodes > 0 && decodes == view.decoding.stepping && view.decoding.parked == 0
      && view.decoding.fresh.isEmpty && flights[flight].returning.isEmpty
      && flights[flight].departing.isEmpty && view.prefillingCount == 0
  }

  /// Prices decode steps behind the one in flight, and leaves them to be taken.
  ///
  /// - Returns: when the last but one of them ends; `nil` if the policy is to be asked instead.
  mutating func startLeapAhead(at now: Seconds, before horizon: Seconds, stopAt: Seconds) -> Seconds? {
    guard fastForwards, !hasNews, !ledger.logsSteps, !view.logsRows, repeatsAhead else { return nil }
    guard let repeats = stepsToRepeat(at: now, stopAt: stopAt) else { return nil }
    let most = leap.prepare(&view, atMost: repeats.most)
    guard most > 0 else { return nil }
    leap.begin(at: now)
    let flight = flights[firstFlight].record
    var clock = clock
    var (planned, before, seconds) = (now, flight.end, flight.seconds)
    while leap.count < most, leap.count == 0 || before < horizon {
      let ahead = max(0, (horizon - before) / seconds)
      let slice = ahead < Double(most) ? Int(ahead) + 2 : most
      leap.run.count = min(most, leap.count + slice)
      costModel.price(&leap.run)
      guard leap.run.priced > leap.count else { break }
      guard leap.layAhead(on: &clock, planned: &planned, before: &before, stopAt: repeats.stopAt) else {
        break
      }
      seconds = leap.lastSeconds
    }
    leap.event = leap.count > 1 ? leap.ends[leap.count - 2] : flight.end
    return leap.event
  }

  /// Takes the elements of a leap that have ended: the flight it began with, and steps behind it; the next one then runs,
  /// and the one behind that is planned.
  mutating func landAhead(after ended: Int, recorder: inout some Recorder) {
    leap.isPending = false
    costModel.count(leap.run, steps: 0..<ended + 1, ledger: &ledger)
    var record = flights[firstFlight].record
    let decodes = flights[firstFlight].plainDecodes
    var before = record.end
    for step in 0...ended {
      idleSeconds += leap.starts[step] - before
      before = leap.ends[step]
    }
    if ended > 0 {
      _ = finishOldest(recorder: &recorder)
      if ended > 1 { take(ended - 1, as: &record, recorder: &recorder) }
      fly(step: ended - 1, like: record, decodes: decodes)
    }
    fly(step: ended, like: record, decodes: decodes)
    clock = leap.clocks[ended]
    view.hasOverlapped = true
  }

  /// Takes steps, one after another.
  private mutating func take(_ steps: Int, as record: inout IterationRecord, recorder: inout some Recorder) {
    record.queueLength = Int32(view.waitingCount)
    leap.take(steps, as: &record, decoding: &view.decoding, from: view.step)
    view.step += Int64(steps)
    view.now = record.end
    view.memory.take(Int(record.kvBlocksUsed) - view.memory.usedBlocks)
    view.forgetGaps()
    recorder.record(leap.records.span.extracting(first: steps))
    recorder.record(gaps: leap.gaps.span.extracting(first: steps), tokens: leap.run.decodes)
  }

  /// Lets a step of the leap fly.
  private mutating func fly(step: Int, like record: IterationRecord, decodes: Int) {
    let f = (firstFlight + flightCount) % flights.count
    flights[f].repeatStep(step, of: leap, like: record, decodes: decodes, in: &view)
    flightCount += 1
  }
}
