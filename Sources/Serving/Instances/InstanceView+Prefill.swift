extension InstanceView {
  /// Admits a request, for which the plan has found memory.
  mutating func admit(_ slot: Slot) {
    let i = slot.index
    memory.take(memory.blocks(for: Int(sequences[i].prefillTokens)))
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
    if done == 0, layer == 0 {
      sequences[i].prefillBegin = step
      if sequences[i].record.scheduledAt.isNaN { sequences[i].record.scheduledAt = now }
    }
    sequences[i].tileEnd = Int32(tile.tokens.upperBound)
    sequences[i].tileLayers = Int32(tile.layers.upperBound)
    guard tile.layers.upperBound == layers else { return false }
    sequences[i].done = sequences[i].tileEnd
    sequences[i].tileLayers = 0
    guard sequences[i].done == sequences[i].prefillTokens else { return false }
    sequences[i].phase = .finishing
    return true
  }

  /// Lets the prompts that a step has finished decode from the next step on, unless they write one token only.
  ///
  /// - Parameters:
  ///   - finishing: the prompts.
  ///   - step: the number of that step.
  mutating func join(_ finishing: [Slot], afterStep step: Int64) {
    guard !finishing.isEmpty else { return }
    admitted.removeAll { sequences[$0.index].phase == .finishing }
    for slot in finishing where sequences[slot.index].left > 1 {
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
      } else {
        memory.release(memory.blocks(for: Int(sequences[i].prefillTokens)))
        complete(slot)
      }
    }
  }
}
