extension Instance {
  /// Repeats decode steps, the policy unasked, for as long as nothing happens that it would want to know.
  ///
  /// Does exactly what ``begin(at:)`` and ``end(recorder:)`` would do, in the same order of arithmetic, and leaves the
  /// first iteration at whose end something happens (a request arrives, or one completes) running.
  ///
  /// - Parameters:
  ///   - horizon: nothing comes from outside before this time.
  ///   - recorder: is told of each iteration that ends.
  /// - Returns: when the iteration left running will end; `nil` if the next one is for the policy to plan.
  mutating func repeatDecodeSteps(until horizon: Seconds, recorder: inout some Recorder) -> Seconds? {
    guard plan.prefill.isEmpty, plan.decodes > 0, plan.decodes == state.decoding.stepping,
      state.decoding.parked == 0, state.decoding.fresh.isEmpty,
      state.waitingCount + state.prefillingCount == 0, scheduler.repeatsDecodeSteps, !recorder.wantsKernels
    else { return nil }
    running.queueLength = 0
    while state.now < horizon {
      let completion = state.decoding.stepsToNextCompletion(atMost: Repetition.mostSteps)
      stretch.limit = repetition.foreseeBlocks(
        steps: completion ?? Repetition.mostSteps, free: state.freeBlocks, of: state.totalBlocks,
        decoding: state.decoding)
      guard stretch.limit > 0 else { return nil }
      priceStretch(until: horizon)
      let steps = stretch.costs.count
      let end = stretch.costs.reduce(state.now) { $0 + $1.seconds }
      let staysRunning = steps == completion || end >= horizon
      take(staysRunning ? steps - 1 : steps, recorder: &recorder)
      if staysRunning {
        leaveRunning(stretch.costs[steps - 1], blocksUsed: repetition.blocksUsed(inStep: steps - 1))
        return running.end
      }
    }
    return nil
  }

  private mutating func priceStretch(until horizon: Seconds) {
    stretch.decodes = plan.decodes
    stretch.context = state.decoding.nextContext
    state.decoding.window?.fill(&stretch.windowContexts, count: stretch.limit, after: state.decoding.step)
    stretch.start = state.now
    stretch.horizon = horizon
    stretch.costs.removeAll(keepingCapacity: true)
    costModel.price(&stretch)
  }

  /// Takes the first steps of the stretch.
  private mutating func take(_ steps: Int, recorder: inout some Recorder) {
    guard steps > 0 else { return }
    running.end = state.now
    repetition.take(
      steps, after: &running, index: state.iteration, costs: stretch.costs, decoding: &state.decoding)
    state.now = running.end
    lastEnd = running.end
    state.iteration += Int64(steps)
    state.freeBlocks = state.totalBlocks - Int(running.kvBlocksUsed)
    state.forgetGaps()
    recorder.record(repetition.records.span.extracting(first: steps))
    recorder.record(gaps: repetition.gaps.span.extracting(first: steps), tokens: stretch.decodes)
  }

  private mutating func leaveRunning(_ cost: Cost, blocksUsed: Int32) {
    self.cost = cost
    running.index = state.iteration
    running.fill(from: cost, start: state.now)
    running.kvBlocksUsed = blocksUsed
    state.freeBlocks = state.totalBlocks - Int(blocksUsed)
    isRunning = true
  }
}
