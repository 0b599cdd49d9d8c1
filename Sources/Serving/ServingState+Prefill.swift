extension ServingState {
  var nextWaitingIndex: SequenceIndex? {
    if let index = preempted.last { return index }
    return arrivedHead < arrived.count ? arrived[arrivedHead] : nil
  }

  /// Puts a request at the end of the queue.
  ///
  /// - Complexity: O(1) amortised.
  mutating func enqueue(_ request: Request) {
    let index: SequenceIndex
    if let free = freeIndices.popLast() {
      index = free
      sequences[Int(index)] = SequenceState(request: request)
    } else {
      index = SequenceIndex(sequences.count)
      sequences.append(SequenceState(request: request))
    }
    if arrivedHead > 1024, arrivedHead > arrived.count / 2 {
      arrived.removeFirst(arrivedHead)
      arrivedHead = 0
    }
    arrived.append(index)
  }

  /// Admits the request at the head of the queue if KV memory has room for the whole of its prompt.
  ///
  /// - Returns: the prompt, or `nil` if nobody waits or memory is short: then nobody behind it is admitted either.
  /// - Complexity: O(1).
  public mutating func admitNext() -> Prompt? {
    guard let index = nextWaitingIndex else { return nil }
    let i = Int(index)
    let needed = blocks(for: Int(sequences[i].prefillTokens))
    guard needed <= freeBlocks else { return nil }
    freeBlocks -= needed
    if preempted.popLast() == nil { arrivedHead += 1 }
    admitted.append(index)
    sequences[i].isPrefilling = true
    return prompt(index)
  }

  /// An admitted prompt by its position; past the last one, the next request of the queue is admitted.
  ///
  /// - Returns: the prompt, or `nil` if it would have to be admitted and cannot be.
  /// - Complexity: O(1).
  public mutating func prefillingOrAdmitted(_ position: Int) -> Prompt? {
    position < prefillingCount ? prefilling(position) : admitNext()
  }

  /// Moves a prompt on by one tile; once it is through, it is among ``finishing``.
  ///
  /// - Throws: if the tile does not continue the prompt.
  mutating func apply(_ tile: PrefillTile) throws(SimulationError) {
    func broken(_ reason: String) -> SimulationError {
      .brokenTile(tile, iteration: iteration, reason: reason)
    }
    let i = tile.prompt
    guard sequences.indices.contains(i), sequences[i].isPrefilling else {
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
    if done == 0, layer == 0 {
      sequences[i].spanBegin = iteration
      if sequences[i].record.scheduledAt.isNaN { sequences[i].record.scheduledAt = now }
    }
    sequences[i].tileEnd = Int32(tile.tokens.upperBound)
    sequences[i].tileLayers = Int32(tile.layers.upperBound)
    guard tile.layers.upperBound == layers else { return }
    sequences[i].done = sequences[i].tileEnd
    sequences[i].tileLayers = 0
    guard sequences[i].done == sequences[i].prefillTokens else { return }
    sequences[i].isPrefilling = false
    finishing.append(SequenceIndex(i))
  }

  /// Ends the prefill of the iteration: the prompts in ``finishing`` have written a token at `now`.
  mutating func completePrefill() {
    guard !finishing.isEmpty else { return }
    admitted.removeAll { !sequences[Int($0)].isPrefilling }
    for index in finishing {
      let i = Int(index)
      news.spans.append(
        SpanRecord(
          request: sequences[i].record.request.id, instance: 0, phase: .prefill,
          firstIteration: sequences[i].spanBegin, lastIteration: iteration))
      if sequences[i].written == 0 {
        sequences[i].record.firstTokenAt = now
      } else {
        let gap = now - sequences[i].lastTokenAt
        sequences[i].record.longestGap = max(sequences[i].record.longestGap, gap)
        news.gaps.append(gap)
      }
      sequences[i].written += 1
      if Int(sequences[i].written) == sequences[i].record.request.outputTokens {
        freeBlocks += blocks(for: Int(sequences[i].prefillTokens))
        complete(index)
      } else {
        startDecoding(index)
      }
    }
    finishing.removeAll(keepingCapacity: true)
  }
}
