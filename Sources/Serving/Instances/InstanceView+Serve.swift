// What is needed to serve those that run in the order of their admission.
extension InstanceView {
  /// Whether every prompt under way was admitted after every sequence that decodes.
  var promptsComeLast: Bool {
    guard decoding.youngest.exists, let first = admitted.first else { return true }
    return sequences[decoding.youngest.index].rank < sequences[first.index].rank
  }

  /// All that hold memory, in the order of their admission.
  ///
  /// - Complexity: O(requests that run).
  func runningOrder() -> [Slot] {
    var order = decodersInOrder()
    guard prefillingCount + ending.count > 0 else { return order }
    order += admitted
    order += ending
    return order.sorted { sequences[$0.index].rank < sequences[$1.index].rank }
  }

  /// All that decode, in the order of their admission.
  ///
  /// - Complexity: O(sequences that decode).
  func decodersInOrder() -> [Slot] {
    var order: [Slot] = []
    order.reserveCapacity(decodingCount)
    var slot = decoding.oldest
    while slot.exists {
      order.append(slot)
      slot = follower(of: slot)
    }
    return order
  }

  /// What a plan decodes, if not everybody does.
  ///
  /// - Complexity: O(sequences that decode).
  func decodeLoad(of plan: borrowing StepPlan) -> DecodeLoad {
    let absent = Set(plan.leftOut).union(plan.victimSlots)
    var load = DecodeLoad()
    for slot in decodersInOrder() where !absent.contains(slot) {
      let (seen, drafts) = (context(of: slot) + 1, decoding.width - 1)
      load.sequences += 1
      load.rows += decoding.width
      load.context += seen + drafts
      if let window = decoding.window?.size { load.windowContext += min(seen, window) + drafts }
    }
    return load
  }

  /// Tokens that a request is due in the next step, if nothing limits it.
  func dueTokens(of slot: Slot) -> Tokens {
    switch sequences[slot.index].phase {
    case .decoding: decoding.width
    case .prefilling: Int(sequences[slot.index].prefillTokens - sequences[slot.index].done)
    case .waiting, .finishing, .sending, .ending: 0
    }
  }

  /// Blocks that a request which runs takes for its next tokens.
  func blocksToTake(_ slot: Slot, tokens: Tokens) -> Int {
    rules.groups * blocksOfGroupToTake(slot, tokens: tokens)
  }

  private func blocksOfGroupToTake(_ slot: Slot, tokens: Tokens) -> Int {
    switch sequences[slot.index].phase {
    case .decoding: blocksToStep(slot)
    case .prefilling: promptBlocksToTake(slot, tokens: tokens)
    case .waiting, .finishing, .sending, .ending: 0
    }
  }

  /// Blocks that a prompt under way takes for its next tokens.
  func promptBlocksToTake(_ slot: Slot, tokens: Tokens) -> Int {
    let i = slot.index
    return max(0, memory.blocks(for: Int(sequences[i].done) + tokens) - Int(sequences[i].promptBlocks))
  }

  /// Blocks that a request which runs holds in each group, those included that its window has passed.
  func blocksHeld(by slot: Slot) -> Int {
    let i = slot.index
    switch sequences[i].phase {
    case .decoding:
      return speculation == nil ? memory.blocks(for: context(of: slot)) : Int(sequences[i].decodeBlocks)
    case .prefilling, .finishing, .sending: return Int(sequences[i].promptBlocks)
    case .ending: return blocksAtEnd(of: slot)
    case .waiting: return 0
    }
  }

  /// The place of the one that loses its memory first.
  func victimPlace(among order: [Slot]) -> Int {
    if rules.victim == .fewestOutputs {
      return order.indices.min { isRetractedBefore(order[$0], order[$1]) } ?? order.count - 1
    }
    guard rules.queue == .priority else { return order.count - 1 }
    var worst = 0
    for place in order.indices {
      let (a, b) = (
        sequences[order[worst].index].record.request, sequences[order[place].index].record.request
      )
      if (a.priority, a.arrival) < (b.priority, b.arrival) { worst = place }
    }
    return worst
  }

  /// Whether a request has written less than another, or as much for a longer prompt.
  private func isRetractedBefore(_ a: Slot, _ b: Slot) -> Bool {
    let (x, y) = (sequences[a.index].record.request, sequences[b.index].record.request)
    return (written(by: a), -x.promptTokens, x.id) < (written(by: b), -y.promptTokens, y.id)
  }

  /// Applies what ``StepPlan/serve(_:budget:atMost:)`` has planned for those that decode.
  mutating func serve(_ plan: borrowing StepPlan) {
    if !leftOut.isEmpty || !plan.leftOut.isEmpty {
      let leftOutNow = Set(plan.leftOut)
      for slot in leftOut where !leftOutNow.contains(slot) && !plan.victimSlots.contains(slot) {
        decoding.parked -= 1
        startStepping(slot, firstStep: step)
        sequences[slot.index].isResumed = true
        reopenAccount(slot)
      }
      for slot in plan.leftOut where sequences[slot.index].steps { park(slot) }
      leftOut = plan.leftOut
    }
    guard !plan.operations.isEmpty else {
      takeBlocksToStep()
      if let cache, cache.contents.hasOutputs { registerRunning(plan.tiles) }
      return
    }
    var taken: [Slot: Tokens] = [:]
    for operation in plan.operations {
      switch operation {
      case .pass(let slot): passWindow(of: slot)
      case .take(let slot, let tokens):
        take(tokens, for: slot)
        taken[slot] = tokens
      case .preempt(let slot): preempt(slot, having: taken[slot] ?? 0)
      }
    }
    if let cache, cache.contents.hasOutputs { registerRunning(plan.tiles) }
  }

  /// Gives up the blocks of the second group that a request's window has passed.
  private mutating func passWindow(of slot: Slot) {
    let i = slot.index
    let (before, after) = (Int(sequences[i].passedBlocks), passedBlocks(of: slot))
    guard after > before else { return }
    if hasCache {
      cache?.settle(free: memory.freeBlocks)
      memory.release(cache?.pass(slot, blocks: before..<after) ?? 0)
    } else {
      memory.release(after - before)
    }
    sequences[i].passedBlocks = Int32(after)
  }

  /// Takes the blocks of a request's next tokens.
  private mutating func take(_ tokens: Tokens, for slot: Slot) {
    let i = slot.index
    let isDecoding = sequences[i].phase == .decoding
    let blocks = isDecoding ? takeBlocksToStep(slot) : blocksOfGroupToTake(slot, tokens: tokens)
    memory.take(rules.groups * blocks)
    if sequences[i].phase == .prefilling { sequences[i].promptBlocks += Int32(blocks) }
  }

  /// Enters what those that run have computed and written, as far as it is read, in the order of their admission.
  ///
  /// The order tells which of two blocks with the same content is found first.
  private mutating func registerRunning(_ tiles: [Tile]) {
    for slot in runningOrder() {
      let i = slot.index
      let request = sequences[i].record.request
      if sequences[i].phase == .decoding, sequences[i].steps {
        guard cache?.contents.coversOutput(request.content) == true else { continue }
        let tokens = knownTokensAfterStep(of: slot)
        cache?.register(slot, request: request, tokens: tokens)
      } else if sequences[i].phase == .prefilling,
        let tile = tiles.first(where: { $0.sequence == slot && $0.layers.upperBound == layers })
      {
        cache?.register(slot, request: request, tokens: tile.tokens.upperBound)
      }
    }
  }
}
