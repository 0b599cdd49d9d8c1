extension StepPlan {
  /// Serves those that run in the order of their admission, each with what it is due: one token if it decodes, a
  /// chunk if its prompt is not through.
  ///
  /// Where memory is short, the last one that runs loses its own and goes back to the queue, whatever it is doing; with a
  /// queue by priority the one with the largest priority. Where the budget is short, those at the end get nothing.
  ///
  /// - Parameters:
  ///   - view: the instance; its rules must be ``EngineRules/Order/byAdmission``.
  ///   - budget: most tokens in the step.
  ///   - chunk: most tokens of one prompt.
  /// - Returns: what is left of the budget.
  /// - Complexity: O(prompts under way); O(requests that run) if memory or the budget is short.
  public mutating func serve(
    _ view: InstanceView, budget: Tokens, atMost chunk: Tokens = .max
  ) -> Tokens {
    precondition(!hasDecoded, "decode steps are planned twice for a step")
    hasDecoded = true
    return serveAll(view, budget: budget, chunk: chunk)
      ?? serveInTurn(view.runningOrder(), view, budget: budget, chunk: chunk)
  }

  /// Lets those that decode take a step, in the order of their admission; prompts keep what they hold.
  mutating func serveDecoders(_ view: InstanceView, atMost count: Int) {
    guard view.rules.slidingWindow == 0, count == view.decodingCount, view.leftOut.isEmpty,
      view.blocksToStepAll <= freeBlocks
    else {
      _ = serveInTurn(view.decodersInOrder(), view, budget: count * view.tokensPerDecode, chunk: 1)
      return
    }
    let blocks = view.blocksToStepAll
    freeBlocks -= blocks
    if view.hasCache { draft.take(blocks) }
    decodes = count
    actions.append(.serve)
  }

  /// Serves everybody, whose order then does not matter; `nil` if memory or the budget is short for somebody.
  private mutating func serveAll(_ view: InstanceView, budget: Tokens, chunk: Tokens) -> Tokens? {
    let decoding = view.decodingCount
    let decodeTokens = decoding * view.tokensPerDecode
    guard view.leftOut.isEmpty, view.rules.slidingWindow == 0, decodeTokens <= budget else { return nil }
    var left = budget - decodeTokens
    var blocks = view.blocksToStepAll
    // Prompts share what decode steps leave only if they come after them.
    let comesLast = view.prefillingCount == 0 || view.promptsComeLast
    for position in 0..<view.prefillingCount {
      let slot = view.admitted[position]
      let due = min(view.dueTokens(of: slot), chunk)
      guard due <= left || comesLast else { return nil }
      let tokens = min(due, left)
      guard tokens > 0 else { break }
      blocks += view.promptBlocksToTake(slot, tokens: tokens)
      left -= tokens
    }
    guard blocks <= freeBlocks else { return nil }
    if decoding > 0 { actions.append(.serve) }
    left = budget - decodeTokens
    for position in 0..<view.prefillingCount where left > 0 {
      let prompt = view.prefilling(position)
      let tokens = min(prompt.remaining, chunk, left)
      prefill(prompt, tokens: prompt.done..<prompt.done + tokens, layers: 0..<view.layers)
      left -= tokens
    }
    freeBlocks -= blocks
    if view.hasCache { draft.take(blocks) }
    decodes = decoding
    return left
  }

  /// Serves one after another.
  private mutating func serveInTurn(
    _ running: [Slot], _ view: InstanceView, budget: Tokens, chunk: Tokens
  ) -> Tokens {
    var order = running
    var left = budget
    var served: [ServedSequence] = []
    var place = 0
    while place < order.count, left > 0 {
      let slot = order[place]
      // What a sequence decodes is not divided: all of its drafts are verified, or it waits.
      let due = view.dueTokens(of: slot)
      let isDecoding = view.sequences[slot.index].phase == .decoding
      let tokens = isDecoding ? (due <= left ? due : 0) : min(due, chunk, left)
      guard tokens > 0 else {
        place += 1
        continue
      }
      let passed = passWindow(of: slot, view)
      let needed = view.blocksToTake(slot, tokens: tokens)
      while needed > freeBlocks {
        let victimPlace = view.victimPlace(among: order)
        let victim = order.remove(at: victimPlace)
        var own = victim == slot ? passed : Int(view.sequences[victim.index].passedBlocks)
        if let i = served.firstIndex(where: { $0.slot == victim }) {
          left += served[i].tokens
          freeBlocks += served[i].blocks
          own = served[i].passed
          served.remove(at: i)
        }
        freeBlocks += blocksFreed(by: victim, passed: own, view)
        victimSlots.append(victim)
        operations.append(.preempt(victim))
        if victim == slot { break }
        if victimPlace < place { place -= 1 }
      }
      if victimSlots.last == slot {
        // With a queue by priority those behind it may still find memory.
        if view.rules.queue == .priority { continue } else { break }
      }
      freeBlocks -= needed
      if view.hasCache { draft.take(needed) }
      left -= tokens
      served.append(ServedSequence(slot: slot, tokens: tokens, blocks: needed, passed: passed))
      operations.append(.take(slot, tokens: tokens))
      place += 1
    }
    victims = victimSlots.count
    actions.append(.serve)
    for one in served {
      if view.sequences[one.slot.index].phase == .prefilling {
        let prompt = view.prompt(one.slot)
        prefill(prompt, tokens: prompt.done..<prompt.done + one.tokens, layers: 0..<view.layers)
      } else {
        decodes += 1
      }
    }
    let steps = Set(served.map(\.slot))
    for slot in order where view.sequences[slot.index].phase == .decoding && !steps.contains(slot) {
      leftOut.append(slot)
    }
    return left
  }

  /// Frees the blocks of the second group that a request's window has passed.
  ///
  /// - Returns: the blocks that it has passed so far.
  private mutating func passWindow(of slot: Slot, _ view: InstanceView) -> Int {
    guard view.rules.slidingWindow > 0 else { return 0 }
    operations.append(.pass(slot))
    let (before, after) = (Int(view.sequences[slot.index].passedBlocks), view.passedBlocks(of: slot))
    guard let cache = view.cache else {
      freeBlocks += max(0, after - before)
      return max(before, after)
    }
    let entries = cache.heldEntries(slot, group: 1)
    for block in (before..<max(before, after)).reversed() {
      if block >= entries.count {
        draft.releaseUnnamed(1)
        freeBlocks += 1
      } else if draft.release(entries[block], in: cache) {
        freeBlocks += 1
      }
    }
    return max(before, after)
  }

  /// Blocks that are free once a request has lost its memory.
  private mutating func blocksFreed(by slot: Slot, passed: Int, _ view: InstanceView) -> Int {
    let all = view.blocksHeld(by: slot) * view.rules.groups - passed
    guard let cache = view.cache else { return all }
    var shared = 0
    for group in 0..<cache.groups {
      let entries = cache.heldEntries(slot, group: group)
      // Blocks before the window that a hit began with are nobody's.
      for entry in entries.dropFirst(group == 1 ? passed : 0) where !draft.release(entry, in: cache) {
        shared += 1
      }
    }
    return all - shared
  }
}

/// A request that a plan has served.
private struct ServedSequence {
  let slot: Slot
  let tokens: Tokens
  let blocks: Int
  /// Blocks of the second group that its window has passed.
  let passed: Int
}
