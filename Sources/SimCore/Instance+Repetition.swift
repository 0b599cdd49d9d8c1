extension Instance {
  /// What is kept of the steps that are repeated at once; reused.
  struct Repetition: Sendable {
    /// Most steps at once: few enough for all that is kept of them to stay in the cache.
    static let mostSteps = 64

    var blocksUsed: [Int32] = []
    var records: [IterationRecord] = []
    var gaps: [Seconds] = []
  }

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
    guard scheduler.repeatsDecodeSteps, plan.prefill.isEmpty, plan.decodes > 0,
      plan.decodes == state.decoding.stepping, state.decoding.parked == 0, state.decoding.fresh.isEmpty,
      state.waitingCount + state.prefillingCount == 0, !recorder.wantsKernels
    else { return nil }
    running.queueLength = 0
    while state.now < horizon {
      let completion = state.decoding.stepsToNextCompletion(atMost: Repetition.mostSteps)
      stretch.limit = foreseeBlocks(steps: completion ?? Repetition.mostSteps)
      guard stretch.limit > 0 else { return nil }
      priceStretch(until: horizon)
      let steps = stretch.costs.count
      let end = stretch.costs.reduce(state.now) { $0 + $1.seconds }
      let staysRunning = steps == completion || end >= horizon
      take(staysRunning ? steps - 1 : steps, recorder: &recorder)
      if staysRunning {
        leaveRunning(stretch.costs[steps - 1], blocksUsed: repetition.blocksUsed[steps - 1])
        return running.end
      }
    }
    return nil
  }

  /// Notes the KV blocks in use in each of the next steps.
  ///
  /// - Returns: the number of steps, at most `steps`, for which there is memory.
  private mutating func foreseeBlocks(steps: Int) -> Int {
    repetition.blocksUsed.removeAll(keepingCapacity: true)
    var free = state.freeBlocks
    var needing = state.decoding.classNeedingBlock
    for step in 0..<steps {
      free -= Int(state.decoding.byRemainder[needing])
      guard free >= 0 else { return step }
      repetition.blocksUsed.append(Int32(state.totalBlocks - free))
      needing = needing > 0 ? needing - 1 : state.blockSize - 1
    }
    return steps
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
    repetition.records.removeAll(keepingCapacity: true)
    repetition.gaps.removeAll(keepingCapacity: true)
    var record = running
    for step in 0..<steps {
      record.index = state.iteration
      record.fill(from: stretch.costs[step], start: state.now)
      record.kvBlocksUsed = repetition.blocksUsed[step]
      repetition.records.append(record)
      state.now = record.end
      state.iteration += 1
      repetition.gaps.append(state.decoding.takeStep(cost: stretch.costs[step], at: record.end))
    }
    state.forgetGaps()
    state.freeBlocks = state.totalBlocks - Int(record.kvBlocksUsed)
    lastEnd = state.now
    recorder.record(repetition.records.span)
    recorder.record(gaps: repetition.gaps.span, tokens: stretch.decodes)
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
