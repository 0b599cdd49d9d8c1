// How sequences decode that write several tokens in a step. In the sums each of them takes a step like all others, and
// then moves ahead by the drafts that were accepted: O(sequences) a step, for those runs alone that speculate.
extension InstanceView {
  /// Tokens of a decoding sequence that a step computes: one, and the drafts that it verifies.
  public var tokensPerDecode: Tokens { decoding.width }

  /// Blocks of each group that a decoding sequence takes for its next step.
  func blocksToStep(_ slot: Slot) -> Int {
    let stored = context(of: slot)
    guard let speculation else { return stored % memory.blockSize == 0 ? 1 : 0 }
    let slots = min(stored + 1 + speculation.reserve, longestSequence)
    return max(0, memory.blocks(for: slots) - Int(sequences[slot.index].decodeBlocks))
  }

  /// Blocks that all who step take for the next step.
  ///
  /// - Complexity: O(1); O(decoding sequences) with speculation.
  var blocksToStepAll: Int {
    guard speculation != nil else { return decoding.needingBlock }
    var blocks = 0
    var slot = decoding.oldest
    while slot.exists {
      if sequences[slot.index].steps { blocks += blocksToStep(slot) }
      slot = follower(of: slot)
    }
    return blocks
  }

  /// Takes the blocks of all who step.
  mutating func takeBlocksToStep() {
    guard speculation != nil else { return memory.take(decoding.needingBlock) }
    var slot = decoding.oldest
    while slot.exists {
      if sequences[slot.index].steps { memory.take(takeBlocksToStep(slot)) }
      slot = follower(of: slot)
    }
  }

  /// Takes note that a sequence holds the blocks of its next step.
  ///
  /// - Returns: how many are new in each group.
  mutating func takeBlocksToStep(_ slot: Slot) -> Int {
    let blocks = blocksToStep(slot)
    if speculation != nil { sequences[slot.index].decodeBlocks += Int32(blocks) }
    return blocks
  }

  /// Blocks of each group that a sequence holds after its last step but one, which is planned.
  func blocksAtEnd(of slot: Slot) -> Int {
    if let retention { return blocksAtEnd(of: slot, retention) }
    return speculation == nil
      ? memory.blocks(for: sequences[slot.index].record.request.totalTokens - 1)
      : Int(sequences[slot.index].decodeBlocks)
  }

  /// Moves all who take the step that was planned last ahead by the drafts that it accepts.
  ///
  /// A request's last step writes what is left of its output, and drops the rest.
  ///
  /// - Parameter bursts: the sequences that write more than one token are appended.
  /// - Returns: accepted drafts of all together.
  mutating func acceptDrafts(into bursts: inout [Burst]) -> Tokens {
    guard let speculation else { return 0 }
    var sum = 0
    var slot = decoding.oldest
    while slot.exists {
      let i = slot.index
      if sequences[i].steps {
        let (written, request) = (written(by: slot), sequences[i].record.request)
        let tokens = min(
          speculation.accepted(request: request.id, written: written), request.outputTokens - written)
        sequences[i].burst = Int32(tokens)
        if tokens > 0 {
          moveAhead(slot, by: tokens)
          bursts.append(Burst(slot: slot, tokens: tokens))
          sum += tokens
        }
      }
      slot = follower(of: slot)
    }
    return sum
  }

  /// Moves a sequence ahead in the sums.
  private mutating func moveAhead(_ slot: Slot, by tokens: Tokens) {
    let i = slot.index
    let stored = context(of: slot)
    decoding.context += tokens
    decoding.byRemainder[decoding.remainder(ofContext: stored)] -= 1
    decoding.byRemainder[decoding.remainder(ofContext: stored + tokens)] += 1
    decoding.window?.remove(context: stored, step: decoding.step)
    decoding.window?.insert(context: stored + tokens, step: decoding.step)
    leaveDue(slot)
    sequences[i].written += Int32(tokens)
    sequences[i].joinContext += tokens
    enterDue(slot)
  }

  /// Settles what a sequence was attributed up to a step that has ended, and by which it has moved ahead.
  mutating func advanceAccount(_ burst: Burst, lastStep: Int64) {
    attributeShares(burst.slot)
    let i = burst.slot.index
    sequences[i].joinShares = decoding.shares
    sequences[i].entriesLessSteps += burst.tokens
    // Each token of the burst is a step of its own in the log, at the same time.
    for _ in 0..<burst.tokens {
      news.spans.append(
        SpanRecord(
          request: sequences[i].record.request.id, instance: 0, phase: .decode, firstIteration: lastStep,
          lastIteration: lastStep, isBurst: true))
    }
    news.burstTokens += burst.tokens
  }
}
