// What of a sequence is known, computed and in memory: where steps are in flight these differ.
extension InstanceView {
  /// Tokens of a sequence whose KV entries are planned and whose values are read, as of its last step.
  ///
  /// With steps in flight, the newest token of a decoding sequence was not known when its last step was planned.
  func knownTokens(of slot: Slot) -> Tokens {
    let i = slot.index
    switch sequences[i].phase {
    case .waiting: return 0
    case .prefilling: return Int(sequences[i].done)
    case .finishing, .sending: return Int(sequences[i].prefillTokens)
    case .decoding:
      let stored = context(of: slot)
      guard sequences[i].steps else { return stored - unregisteredDrafts(of: slot) }
      return stored - unread(slot, steps: decoding.step - sequences[i].joinStep)
    case .ending:
      let stored = sequences[i].record.request.totalTokens - 1
      return stored - unread(slot, steps: sequences[i].leaveStep - sequences[i].joinStep)
    }
  }

  /// Tokens of a sequence that were on their way when its last step was planned, if that step still runs, and the drafts
  /// that the step has accepted.
  private func unread(_ slot: Slot, steps: Int) -> Tokens {
    guard isInFlight else { return unregisteredDrafts(of: slot) }
    let isLate = hasOverlapped && (steps > 1 || steps == 1 && !sequences[slot.index].isResumed)
    return Int(sequences[slot.index].burst) + (isLate ? 1 : 0)
  }

  /// Accepted drafts of a sequence's last step that are not entered once the step has ended: blocks are entered as steps
  /// are planned and, where several are in flight, as they end.
  private func unregisteredDrafts(of slot: Slot) -> Tokens {
    rules.stepsInFlight > 1 ? 0 : Int(sequences[slot.index].burst)
  }

  /// Tokens of a sequence that steps which are known and planned once the next step is.
  func knownTokensAfterStep(of slot: Slot) -> Tokens {
    let i = slot.index
    let isOnItsWay = isInFlight && (decoding.step > sequences[i].joinStep || !sequences[i].isResumed)
    return context(of: slot) + (isOnItsWay ? -Int(sequences[i].burst) : 1)
  }

  /// Tokens of a request that runs whose KV entries are there.
  private func processedTokens(of slot: Slot) -> Tokens {
    let i = slot.index
    let chunk = isInFlight && sequences[i].chunkStep == step - 1 ? Int(sequences[i].chunkTokens) : 0
    switch sequences[i].phase {
    case .prefilling: return Int(sequences[i].done) - chunk
    case .decoding:
      let stored = context(of: slot)
      guard sequences[i].steps, isInFlight, !sequences[i].isResumed || decoding.step > sequences[i].joinStep
      else { return stored }
      return stored - (decoding.step > sequences[i].joinStep ? 1 + Int(sequences[i].burst) : chunk)
    case .waiting, .finishing, .sending, .ending: return 0
    }
  }

  /// Blocks of the second group that a request's window has passed.
  func passedBlocks(of slot: Slot) -> Int {
    let passed = max(0, processedTokens(of: slot) - rules.slidingWindow + 1) / memory.blockSize
    return min(passed, blocksHeld(by: slot))
  }

  /// Returns a request's memory.
  ///
  /// - Parameters:
  ///   - slot: the request.
  ///   - blocks: what it holds in each group, what its window has passed included.
  ///   - tokens: how many of its tokens are known and computed.
  ///   - isPreempted: whether it will ask for them again.
  mutating func releaseMemory(of slot: Slot, blocks: Int, tokens: Tokens, isPreempted: Bool) {
    let i = slot.index
    guard hasCache || rules.slidingWindow > 0 else { return memory.release(blocks) }
    let passed = Int(sequences[i].passedBlocks)
    cache?.settle(free: memory.freeBlocks)
    let freed = cache?.release(
      slot, request: sequences[i].record.request, blocks: blocks, passed: passed, tokens: tokens,
      isPreempted: isPreempted)
    memory.release(freed ?? blocks * rules.groups - passed)
    sequences[i].passedBlocks = 0
  }

  /// Returns the memory of a request that ends: at once, or with others that end in an order that matters.
  @inline(__always)
  mutating func returnMemoryAtEnd(_ slot: Slot) {
    if hasCache {
      ended.append(slot)
    } else {
      releaseMemory(of: slot, blocks: blocksAtEnd(of: slot), tokens: 0, isPreempted: false)
    }
  }

  /// Returns the memory of requests that have ended, in the order of their admission.
  mutating func releaseEnded() {
    if ended.count > 1 { ended.sort { sequences[$0.index].rank < sequences[$1.index].rank } }
    for slot in ended {
      let request = sequences[slot.index].record.request
      let tokens = request.totalTokens - 1 - unregisteredDrafts(of: slot)
      // The last output has been read by now.
      if cache?.contents.coversOutput(request.content) == true {
        cache?.register(slot, request: request, tokens: tokens)
      }
      releaseMemory(of: slot, blocks: blocksAtEnd(of: slot), tokens: tokens, isPreempted: false)
    }
    ended.removeAll(keepingCapacity: true)
  }

  /// Enters what a sequence has written that was left out: all of it is read.
  mutating func registerLeftOut(_ slot: Slot) {
    let request = sequences[slot.index].record.request
    guard cache?.contents.coversOutput(request.content) == true else { return }
    let tokens = context(of: slot) - unregisteredDrafts(of: slot)
    cache?.register(slot, request: request, tokens: tokens)
  }

  /// Looks up what the cache has of a request, and lets it hold that.
  ///
  /// - Returns: the number of blocks.
  mutating func holdCached(_ slot: Slot) -> Int {
    guard hasCache else { return 0 }
    cache?.settle(free: memory.freeBlocks)
    let (request, tokens) = (sequences[slot.index].record.request, Int(sequences[slot.index].prefillTokens))
    var lookUp = CacheDraft()
    guard let found = cache.map({ lookUp.find(request, tokens: tokens, in: $0) }) else { return 0 }
    memory.take(cache?.hold(found, by: slot) ?? 0)
    return found[0].count
  }
}
