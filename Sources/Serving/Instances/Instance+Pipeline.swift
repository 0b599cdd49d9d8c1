// Steps of a pipeline: as many in flight as it has stages, each of a micro-batch of its own.
extension Instance {
  /// How much of its stages' time was used; `nil` without stages.
  public var pipelineUse: PipelineUse? { microBatches?.clock.use }

  /// Plans a step of a micro-batch that is in no step in flight.
  ///
  /// As in vLLM, those that decode wait for their last step to end, while chunks of a prompt may follow one another: a stage
  /// takes them in order. What comes in while steps are in flight is seen when the oldest ends, or at once if the engine's rules
  /// say so.
  ///
  /// - Returns: when the oldest step in flight ends; `nil` if there is nothing to plan.
  /// - Throws: if the policy breaks a rule.
  mutating func planMicroBatch(at now: Seconds) throws(SimulationError) -> Seconds? {
    guard let model = pipeline, flightCount < flights.count else { return nil }
    microBatches?.beginSearch()
    var finishing = 0
    for i in 0..<flightCount { finishing += flights[(firstFlight + i) % flights.count].finishing.count }
    var hasFreed = false
    while microBatches?.enterNext(&view, finishing: finishing) == true {
      guard view.waitingCount + view.prefillingCount + view.decodingCount > 0 else { continue }
      let f = (firstFlight + flightCount) % flights.count
      if try makeMicroBatch(f, at: now) {
        start(f, model, at: now)
        return flights[firstFlight].record.end
      }
      if flights[f].plan.victims > 0 { hasFreed = true }
    }
    guard flightCount == 0 else { return nil }
    // What was taken from those that ran may be enough for one of them.
    if hasFreed { return try planMicroBatch(at: now) }
    // Nothing goes on before memory has been fetched, or before those are here that it is taken for.
    guard view.count == view.sending || view.sending + view.awaited > 0 else {
      throw .stalled(at: now, unfinished: view.count)
    }
    return nil
  }

  /// Makes a plan for the micro-batch of the view, and applies it; false if there is nothing in it.
  private mutating func makeMicroBatch(_ f: Int, at now: Seconds) throws(SimulationError) -> Bool {
    view.now = now
    microBatches?.cutSpans(&view)
    flights[f].plan.begin(freeBlocks: view.memory.freeBlocks, queue: view.queue.head)
    if view.cache != nil { flights[f].plan.beginDraft(view) }
    Self.ask(&scheduler, about: &view, into: &flights[f].plan)
    try flights[f].apply(to: &view, load: &load)
    view.forgetEmptySpans()
    return !flights[f].plan.isEmpty
  }

  /// Prices the plan, and lets its step run.
  private mutating func start(_ f: Int, _ model: PipelineCostModel, at now: Seconds) {
    model.price(load, into: &flights[f].cost, ledger: &ledger)
    if ledger.logsSteps { microBatches?.kernels[f] = model.takeStepKernels(from: &ledger) }
    let busyUntil = view.busyUntil
    guard var batches = microBatches.take() else { return }
    let start = flights[f].start(at: now, on: model, clock: &batches.clock, in: &view)
    batches.fly(f, step: flights[f].record.index)
    microBatches = consume batches
    idleSeconds += max(0, start - busyUntil)
    if !flights[f].finishing.isEmpty { view.setFinishingAside() }
    hasNews = false
    flightCount += 1
  }
}

extension InstanceView {
  /// Ends the spans of all that step; the next ones begin with the step that is planned next.
  mutating func cutSpans(lastStep: Int64) {
    var slot = decoding.oldest
    while slot.exists {
      let i = slot.index
      if sequences[i].steps {
        news.spans.append(
          SpanRecord(
            request: sequences[i].record.request.id, instance: 0, phase: .decode,
            firstIteration: sequences[i].decodeBegin, lastIteration: lastStep))
        sequences[i].decodeBegin = step
      }
      slot = follower(of: slot)
    }
    forgetEmptySpans()
  }

  /// Forgets spans that end before they begin: of sequences that have joined, or lost their memory, since spans were cut.
  mutating func forgetEmptySpans() {
    guard news.spans.contains(where: { $0.firstIteration > $0.lastIteration }) else { return }
    news.spans.removeAll { $0.firstIteration > $0.lastIteration }
  }

  /// Prompts that the step in flight finishes are no longer among those under way.
  mutating func setFinishingAside() { admitted.removeAll { sequences[$0.index].phase == .finishing } }
}
