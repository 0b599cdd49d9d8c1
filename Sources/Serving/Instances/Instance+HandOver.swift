// What an instance that only computes prompts, and one that only decodes, do beside what all do.
extension Instance {
  /// Lets the instance hand prompts over once they are through the model, and keep their memory until they are fetched.
  ///
  /// - Parameter mode: what is told of a prompt before it is through.
  mutating func handOverPrompts(_ mode: Disaggregation.Mode) {
    view.handsOver = true
    view.tellsTiles = mode != .whole
    view.tellsGroups = mode == .group
  }

  /// The sequence that goes on elsewhere: it has its prompt's KV entries and its first token.
  func sequenceHandedOver(_ slot: Slot) -> SequenceState {
    var sequence = view.sequences[slot.index]
    sequence.phase = .decoding
    sequence.written = 1
    sequence.joinContext = Int(sequence.prefillTokens)
    sequence.promptBlocks = 0
    sequence.passedBlocks = 0
    sequence.chunkStep = -1
    return sequence
  }

  /// The KV entries of a prompt have been fetched: its memory is free.
  mutating func releaseHandedOver(_ slot: Slot) {
    let i = slot.index
    view.cache?.settle(free: view.memory.freeBlocks)
    view.releaseMemory(
      of: slot, blocks: Int(view.sequences[i].promptBlocks), tokens: Int(view.sequences[i].prefillTokens),
      isPreempted: false)
    view.sending -= 1
    view.sequences[i].phase = .waiting
    view.freeSlots.append(slot)
    hasNews = true
  }

  /// Takes memory for a prompt that is to come, if there is enough, and a place among those that run.
  ///
  /// Requests that wait here, because they have lost their memory, come first. A watermark is left free, unless nobody runs
  /// and nothing else is to come.
  mutating func reserve(for request: Request, isOnlyOne: Bool) -> Bool {
    let blocks = view.rules.groups * view.memory.blocks(for: request.promptTokens)
    let spared = isOnlyOne && view.runningCount == 0 ? 0 : view.reservedBlocks
    let leaving = leaving
    guard view.waitingCount == 0, blocks + spared <= view.memory.freeBlocks,
      hasRoom(beside: view.decodingCount + leaving.count + view.awaited)
    else { return false }
    if scheduler.keepsRoomForOutputs {
      let whole = view.memory.blocks(for: request.totalTokens)
      let committed = (view.decodersInOrder() + leaving).reduce(awaitedBlocks) {
        $0 + view.memory.blocks(for: view.sequences[$1.index].record.request.totalTokens)
      }
      guard committed + whole <= view.memory.totalBlocks else { return false }
      awaitedBlocks += whole
    }
    view.memory.take(blocks)
    view.awaited += 1
    hasNews = true
    return true
  }

  /// Whether another sequence may decode beside so many.
  private func hasRoom(beside count: Int) -> Bool {
    microBatches?.hasRoom(beside: count) ?? (count < view.maxSequences)
  }

  /// Sequences whose last token is on its way; the view's list of them is of the last time that a policy was asked.
  private var leaving: [Slot] {
    (0..<flightCount).flatMap { flights[(firstFlight + $0) % flights.count].leaving }
  }

  /// Takes in a sequence for which memory was reserved; it decodes from the step on that is planned next.
  ///
  /// - Parameters:
  ///   - sequence: with its prompt's KV entries.
  ///   - firstTokenAt: when the client gets its first token, if that is not as it was computed.
  mutating func join(_ sequence: SequenceState, firstTokenAt: Seconds? = nil) {
    view.awaited -= 1
    if scheduler.keepsRoomForOutputs {
      awaitedBlocks -= view.memory.blocks(for: sequence.record.request.totalTokens)
    }
    view.isInFlight = flightCount > 0 && pipeline == nil
    let slot = view.insert(sequence)
    if let firstTokenAt {
      view.sequences[slot.index].record.firstTokenAt = firstTokenAt
      view.sequences[slot.index].lastTokenAt = firstTokenAt
    }
    view.sequences[slot.index].rank = view.admissions
    view.admissions += 1
    view.append(slot, firstStep: view.step)
    if view.sequences[slot.index].steps {
      view.sequences[slot.index].isResumed = true
      view.reopenAccount(slot)
    }
    hasNews = true
  }
}
