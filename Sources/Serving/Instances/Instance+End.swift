extension Instance {
  /// Ends the oldest step in flight: tokens are out, memory is freed, and the recorder is told.
  ///
  /// - Returns: the number of requests that completed.
  public mutating func end(recorder: inout some Recorder) -> Int {
    if leap.isPending { land(recorder: &recorder) }
    return finishOldest(recorder: &recorder)
  }

  /// Ends the oldest step in flight, which no leap has yet to take.
  mutating func finishOldest(recorder: inout some Recorder) -> Int {
    let f = firstFlight
    view.now = flights[f].record.end
    firstFlight = (firstFlight + 1) % flights.count
    flightCount -= 1
    if !flights[f].plan.tiles.isEmpty { attributePrefill(f) }
    if flights[f].decode.sequences > 0 { settleStep(f) }
    pass(f)
    closeAccounts(f)
    if flights.count > 1 { closeDeparted(f) }
    view.completePrefill(flights[f].finishing, step: flights[f].record.index)
    if !view.ended.isEmpty { view.releaseEnded() }
    recorder.record(flights[f].record)
    if logsRows {
      recorder.record(
        rows: flights[f].rows, instance: Int32(number), iteration: flights[f].record.index)
    }
    if ledger.logsSteps {
      recorder.record(
        kernels: costModel.takeStepKernels(from: &ledger), instance: Int32(number),
        iteration: flights[f].record.index)
    }
    let completed = view.news.requests.count
    if completed > 0 { hasNews = true }
    tell(&recorder)
    return completed
  }

  /// Adds up gaps and shares of the sequences that decoded.
  private mutating func settleStep(_ f: Int) {
    let now = view.now
    let veterans = flights[f].decode.sequences - flights[f].fresh.count
    let gap = view.decoding.settle(
      flights[f].decode, step: flights[f].decodeStep, cost: flights[f].cost, at: now)
    view.decoding.gaps.append(gap, step: flights[f].decodeStep)
    view.news.stepGap = (gap, veterans)
    guard !flights[f].fresh.isEmpty else { return }
    for slot in flights[f].fresh {
      let i = slot.index
      let own = now - view.sequences[i].lastTokenAt
      view.sequences[i].record.longestGap = max(view.sequences[i].record.longestGap, own)
      view.sequences[i].gapStep = flights[f].decodeStep
      view.news.gaps.append(own)
    }
    flights[f].fresh.removeAll(keepingCapacity: true)
  }

  /// Reports the sequences that wrote their last token.
  private mutating func closeAccounts(_ f: Int) {
    guard !flights[f].leaving.isEmpty else { return view.forgetGaps() }
    for slot in flights[f].leaving {
      view.closeAccount(slot, lastStep: flights[f].record.index)
      if view.sequences[slot.index].phase == .waiting {
        // It lost its memory while its last token was on its way.
        view.queue.remove(slot, in: &view.sequences)
      } else {
        view.returnMemoryAtEnd(slot)
      }
      view.complete(slot)
    }
    flights[f].leaving.removeAll(keepingCapacity: true)
    view.forgetGaps()
  }

  /// Settles the accounts of those that were preempted or left out while they took part in a step, and opens those of the
  /// ones that step again after it.
  private mutating func closeDeparted(_ f: Int) {
    for slot in flights[f].departing {
      view.closeAccount(slot, lastStep: flights[f].record.index)
      if view.sequences[slot.index].phase == .decoding, view.cache?.contents.hasOutputs == true {
        view.registerLeftOut(slot)
      }
      if view.sequences[slot.index].phase == .waiting { view.sequences[slot.index].lengthenPrompt() }
    }
    flights[f].departing.removeAll(keepingCapacity: true)
    for slot in flights[f].returning { view.openAccount(slot) }
    flights[f].returning.removeAll(keepingCapacity: true)
  }

  /// Attributes to each prompt its share of the prefill: of what rows cost by tokens x layers, of attention by what its
  /// rows attend to.
  private mutating func attributePrefill(_ f: Int) {
    for i in flights[f].plan.tiles.indices {
      let tile = flights[f].plan.tiles[i]
      let rows = tile.area / flights[f].prefillArea
      view.sequences[tile.sequence.index].record.attribute(
        joules: flights[f].cost.prefillRowJoules * rows
          + flights[f].cost.prefillContextJoules * tile.attended / flights[f].prefillAttended,
        expertBytes: (flights[f].cost.expertBytes - flights[f].cost.decodeExpertBytes) * rows)
    }
  }

  /// Gives up every request that is left, because the run is cut.
  public mutating func abandon(recorder: inout some Recorder) {
    view.abandonAll()
    tell(&recorder)
  }

  mutating func tell(_ recorder: inout some Recorder) {
    let stepGap = view.news.stepGap
    if stepGap.tokens > 0 { recorder.record(gap: stepGap.seconds, tokens: stepGap.tokens) }
    guard view.news.isMore else { return view.news.stepGap.tokens = 0 }
    for gap in view.news.gaps { recorder.record(gap: gap, tokens: 1) }
    for i in view.news.spans.indices {
      view.news.spans[i].instance = Int32(number)
      recorder.record(view.news.spans[i])
    }
    for i in view.news.requests.indices {
      view.news.requests[i].instance = Int32(number)
      recorder.record(view.news.requests[i])
    }
    view.news.removeAll()
  }
}
