// How sequences decode that keep a part of their KV entries. In the sums each of them takes a step like all others, and those
// that have too many entries are then moved back: O(sequences) a step, for those runs alone that evict.
extension InstanceView {
  /// What a step does about entries that are kept, evicted or narrow.
  ///
  /// - Parameters:
  ///   - steppers: sequences that take the step, in any order.
  ///   - finishing: prompts that are through with it, by their tokens.
  ///   - rule: how many entries are kept.
  /// - Returns: the sequences and prompts of which entries are evicted, or narrow.
  /// - Complexity: O(sequences).
  func retentionLoad(
    steppers: some Sequence<Slot>, finishing: some Sequence<Tokens>, _ rule: Retention
  ) -> RetentionLoad {
    var load = RetentionLoad()
    for slot in steppers {
      if context(of: slot) == rule.budget { load.compacting += 1 }
      if sequences[slot.index].hasEvicted { load.narrowed += 1 }
    }
    for tokens in finishing where tokens > rule.budget { load.evictingPrompts += 1 }
    return load
  }

  /// The sequences that take the next step.
  func steppers() -> [Slot] { decodersInOrder().filter { sequences[$0.index].steps } }

  /// Evicts entries of those who take the step that was planned last and have more than the budget now; what their blocks no
  /// longer hold is free for the step after it.
  ///
  /// - Parameter compacted: the sequences are appended.
  mutating func evict(into compacted: inout [Slot]) {
    guard let rule = retention else { return }
    var slot = decoding.oldest
    while slot.exists {
      let i = slot.index
      if sequences[i].steps, context(of: slot) > rule.budget {
        moveBack(slot, by: rule.evicted)
        memory.release(memory.blocks(for: rule.budget + 1) - memory.blocks(for: rule.kept))
        sequences[i].hasEvicted = true
        compacted.append(slot)
      }
      slot = follower(of: slot)
    }
  }

  /// Moves a sequence back in the sums.
  private mutating func moveBack(_ slot: Slot, by tokens: Tokens) {
    let stored = context(of: slot)
    decoding.context -= tokens
    decoding.byRemainder[decoding.remainder(ofContext: stored)] -= 1
    decoding.byRemainder[decoding.remainder(ofContext: stored - tokens)] += 1
    decoding.window?.remove(context: stored, step: decoding.step)
    decoding.window?.insert(context: stored - tokens, step: decoding.step)
    sequences[slot.index].joinContext -= tokens
  }

  /// Settles what a sequence was attributed up to a step that has ended, and by which its entries were evicted.
  mutating func settleEviction(of slot: Slot) {
    guard let rule = retention else { return }
    attributeShares(slot)
    sequences[slot.index].joinShares = decoding.shares
    sequences[slot.index].entriesLessSteps -= rule.evicted
  }

  /// Blocks that a sequence holds after its last step; of one that writes a token only, those of its prompt.
  func blocksAtEnd(of slot: Slot, _ rule: Retention) -> Int {
    let i = slot.index
    guard sequences[i].phase != .finishing else { return Int(sequences[i].promptBlocks) }
    let prompt = Int(sequences[i].prefillTokens)
    let decoded = sequences[i].record.request.totalTokens - 1 - prompt
    return memory.blocks(for: rule.entries(ofPrompt: prompt, decoded: decoded))
  }

  /// Evicts what a prompt that is through has beyond the budget.
  ///
  /// - Returns: the entries that are left.
  mutating func evictPrompt(_ slot: Slot, _ rule: Retention) -> Tokens {
    let tokens = Int(sequences[slot.index].prefillTokens)
    let left = rule.entries(ofPrompt: tokens)
    memory.release(memory.blocks(for: tokens) - memory.blocks(for: left))
    return left
  }
}
