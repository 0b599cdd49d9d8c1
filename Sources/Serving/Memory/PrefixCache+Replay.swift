extension PrefixCache {
  /// What a cache finds of requests that come one by one, each gone before the next: full blocks of prompts only.
  ///
  /// What requests write takes no room, and neither do the last blocks of prompts that are not full. A prompt that is
  /// longer than the cache is passed over.
  ///
  /// - Parameters:
  ///   - requests: in order.
  ///   - contents: what they begin with.
  ///   - memory: empty.
  /// - Returns: blocks that were found, and full blocks in all.
  /// - Complexity: O(blocks of all prompts).
  public static func blocksFound(
    by requests: some Swift.Sequence<Request>, in contents: PromptContents, memory: KVMemory
  ) -> (found: Int, asked: Int) {
    var memory = memory
    var cache = PrefixCache(memory: memory, contents: contents)
    var lookUp = CacheDraft()
    let slot = Slot(0)
    var sum = (found: 0, asked: 0)
    for request in requests {
      let full = request.promptTokens / memory.blockSize
      sum.asked += full
      guard full <= memory.totalBlocks else { continue }
      cache.settle(free: memory.freeBlocks)
      let found = lookUp.find(request, tokens: request.promptTokens, in: cache)
      sum.found += found[0].count
      memory.take(cache.hold(found, by: slot))
      memory.take(full - found[0].count)
      cache.settle(free: memory.freeBlocks)
      cache.register(slot, request: request, tokens: request.promptTokens)
      memory.release(
        cache.release(
          slot, request: request, blocks: full, passed: 0, tokens: full * memory.blockSize, isPreempted: false
        ))
    }
    return sum
  }
}
