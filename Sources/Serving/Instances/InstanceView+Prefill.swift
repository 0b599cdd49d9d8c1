extension InstanceView {
  /// Images of the prompts that begin with some tiles; those whose beginning was found in a cache are not encoded again.
  func images(beginningWith tiles: [Tile]) -> Int {
    tiles.reduce(0) { sum, tile in
      guard tile.tokens.lowerBound == 0, tile.layers.lowerBound == 0 else { return sum }
      return sum + sequences[tile.sequence.index].record.request.images
    }
  }

  /// Admits a request, for which the plan has found memory.
  ///
  /// - Parameters:
  ///   - slot: the request.
  ///   - tokens: its first tokens, which it takes memory for at once; its tiles take the rest.
  ///   - done: those of them that the plan has found, here or in levels below.
  mutating func admit(_ slot: Slot, tokens: Tokens, from done: Tokens) {
    let i = slot.index
    let blocks = memory.blocks(for: tokens)
    if !hasCache {
      memory.take(rules.groups * blocks)
    } else {
      let cached = holdCached(slot)
      memory.take(rules.groups * (blocks - cached))
      sequences[i].done = Int32(cached * memory.blockSize)
      let isFirst = sequences[i].record.scheduledAt.isNaN && sequences[i].record.preemptions == 0
      if let cache, !cache.tiers.isEmpty {
        cache.useBelow(
          sequences[i].record.request, blocks: done / memory.blockSize, loadedFrom: cached)
        if isFirst { sequences[i].record.loadedTokens = Int32(done) - sequences[i].done }
        sequences[i].done = Int32(done)
      }
      if isFirst { sequences[i].record.cachedTokens = sequences[i].done }
    }
    sequences[i].promptBlocks = Int32(blocks)
    sequences[i].rank = admissions
    admissions += 1
    queue.remove(slot, in: &sequences)
    admitted.append(slot)
    sequences[i].phase = .prefilling
  }

  /// Moves a prompt on by one tile.
  ///
  /// - Returns: whether it is through, and emits a token at the step's end.
  /// - Throws: if the tile does not continue the prompt.
  mutating func apply(_ tile: Tile) throws(SimulationError) -> Bool {
    func broken(_ reason: String) -> SimulationError { .brokenTile(tile, iteration: step, reason: reason) }
    let i = tile.sequence.index
    guard sequences.indices.contains(i), sequences[i].phase == .prefilling else {
      throw broken("no such prompt is admitted and unfinished")
    }
    guard !tile.tokens.isEmpty, !tile.layers.isEmpty, tile.layers.upperBound <= layers else {
      throw broken("a tile has at least one token and one of the model's \(layers) layers")
    }
    guard tile.tokens.upperBound <= Int(sequences[i].prefillTokens) else {
      throw broken("the prompt has \(sequences[i].prefillTokens) tokens")
    }
    let (done, layer, end) = (sequences[i].done, sequences[i].tileLayers, sequences[i].tileEnd)
    guard tile.tokens.lowerBound == Int(done), tile.layers.lowerBound == Int(layer) else {
      throw broken("it is due at token \(done), layer \(layer)")
    }
    guard layer == 0 || tile.tokens.upperBound == Int(end) else {
      throw broken("the tokens under way end at \(end)")
    }
    if !sequences[i].hasBegun {
      sequences[i].hasBegun = true
      sequences[i].prefillBegin = step
      if sequences[i].record.scheduledAt.isNaN { sequences[i].record.scheduledAt = now }
    }
    let lacking = memory.blocks(for: tile.tokens.upperBound) - Int(sequences[i].promptBlocks)
    if lacking > 0 {
      guard rules.groups * lacking <= memory.freeBlocks else {
        throw broken("memory is short of \(lacking) blocks")
      }
      memory.take(rules.groups * lacking)
      sequences[i].promptBlocks += Int32(lacking)
    }
    sequences[i].tileEnd = Int32(tile.tokens.upperBound)
    sequences[i].tileLayers = Int32(tile.layers.upperBound)
    guard tile.layers.upperBound == layers else { return false }
    sequences[i].done = sequences[i].tileEnd
    sequences[i].chunkStep = step
    sequences[i].chunkTokens = Int32(tile.tokens.count)
    if hasCache {
      cache?.register(tile.sequence, request: sequences[i].record.request, tokens: Int(sequences[i].done))
    }
    sequences[i].tileLayers = 0
    guard sequences[i].done == sequences[i].prefillTokens else { return false }
    sequences[i].phase = .finishing
    sequences[i].decodeBlocks = sequences[i].promptBlocks
    return true
  }

  /// Takes note that a step in which prompts begin is not run at once.
  mutating func postpone(_ tiles: [Tile], to start: Seconds) {
    for tile in tiles {
      let i = tile.sequence.index
      guard sequences[i].prefillBegin == step, sequences[i].record.scheduledAt == now else { continue }
      sequences[i].record.scheduledAt = start
    }
  }

  /// Lets the prompts that a step has finished decode from the next step on, unless they write one token only.
  ///
  /// - Parameters:
  ///   - finishing: the prompts.
  ///   - step: the number of that step.
  mutating func join(_ finishing: [Slot], afterStep step: Int64) {
    guard !finishing.isEmpty else { return }
    admitted.removeAll { sequences[$0.index].phase == .finishing }
    guard !handsOver else { return }
    for slot in finishing where sequences[slot.index].phase == .finishing && sequences[slot.index].left > 1 {
      sequences[slot.index].written += 1
      startDecoding(slot, firstStep: step + 1)
    }
  }

  /// Ends the prefill of a step: the prompts that it has finished have written a token at `now`.
  mutating func completePrefill(_ finishing: [Slot], step: Int64) {
    for slot in finishing {
      let i = slot.index
      news.spans.append(
        SpanRecord(
          request: sequences[i].record.request.id, instance: 0, phase: .prefill,
          firstIteration: sequences[i].prefillBegin, lastIteration: step))
      if sequences[i].record.firstTokenAt.isNaN {
        sequences[i].record.firstTokenAt = now
      } else {
        let gap = now - sequences[i].lastTokenAt
        sequences[i].record.longestGap = max(sequences[i].record.longestGap, gap)
        news.gaps.append(gap)
      }
      sequences[i].lastTokenAt = now
      if sequences[i].phase == .decoding {
        if sequences[i].steps { openAccount(slot) }
      } else if sequences[i].phase == .finishing {
        guard !handsOver else {
          sequences[i].phase = .sending
          sending += 1
          news.handovers.append(slot)
          continue
        }
        returnMemoryAtEnd(slot)
        complete(slot)
      } else if handsOver {
        // It has lost its memory before anybody could fetch it, and is computed anew.
        sequences[i].endsWaiting = false
      } else if sequences[i].endsWaiting {
        queue.remove(slot, in: &sequences)
        complete(slot)
      }
    }
  }
}
