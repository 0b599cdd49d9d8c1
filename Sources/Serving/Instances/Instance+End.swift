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
    flightCount -= 1
    if flights.count > 1 {
      firstFlight = (firstFlight + 1) % flights.count
      microBatches?.land(f, &view)
    }
    flights[f].end(in: &view)
    if view.tellsTiles {
      for (i, tile) in flights[f].plan.tiles.enumerated() {
        let through = tile.layers.upperBound
        guard view.tellsGroups || through == view.layers else { continue }
        let area =
          view.profile.map { flights[f].tileRows[i].entries(through: through, of: view.layers, $0) }
          ?? tile.tokens.lowerBound * view.layers + tile.tokens.count * through
        view.news.tiles.append((tile.sequence, area))
      }
    }
    recorder.record(flights[f].record)
    if view.logsRows {
      recorder.record(
        rows: flights[f].rows, instance: Int32(number), iteration: flights[f].record.index)
    }
    if ledger.logsSteps {
      recorder.record(
        kernels: microBatches?.kernels[f] ?? costModel.takeStepKernels(from: &ledger),
        instance: Int32(number),
        iteration: flights[f].record.index)
    }
    let completed = view.news.requests.count
    if completed > 0 { hasNews = true }
    tell(&recorder)
    return completed
  }

  /// Gives up every request that is left, because the run is cut.
  public mutating func abandon(recorder: inout some Recorder) {
    microBatches?.abandon(&view)
    view.abandonAll()
    tell(&recorder)
  }

  /// Notes first tokens and ends for the router.
  private mutating func hear() {
    for span in view.news.spans where span.phase == .prefill && span.completed {
      heard.append(.firstToken(span.request, view.now))
    }
    for record in view.news.requests { heard.append(.end(record.request.id, view.now)) }
  }

  mutating func tell(_ recorder: inout some Recorder) {
    let stepGap = view.news.stepGap
    if stepGap.tokens > 0 { recorder.record(gap: stepGap.seconds, tokens: stepGap.tokens) }
    guard view.news.isMore else { return view.news.stepGap.tokens = 0 }
    if view.news.burstTokens > 0 { recorder.record(gap: 0, tokens: view.news.burstTokens) }
    if isHeard { hear() }
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
