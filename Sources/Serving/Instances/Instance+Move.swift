extension Instance {
  /// Takes a decoding sequence out of the instance, between two steps; it moves by value.
  ///
  /// Its account is settled, and its KV memory is free again. What it carries is the request's record so far.
  ///
  /// - Parameters:
  ///   - id: the request.
  ///   - recorder: is told of the steps that it took here.
  /// - Returns: the sequence; `nil` if the request does not decode here.
  public mutating func withdraw(request id: Int, recorder: inout some Recorder) -> SequenceState? {
    precondition(flightCount == 0, "a sequence leaves between two steps")
    var slot = view.decoding.oldest
    while slot.exists, view.sequences[slot.index].record.request.id != id { slot = view.follower(of: slot) }
    guard slot.exists else { return nil }
    view.isInFlight = false
    let (stored, blocks) = (view.context(of: slot), view.blocksHeld(by: slot))
    view.removeDecoding(slot)
    view.releaseMemory(of: slot, blocks: blocks, tokens: stored, isPreempted: false)
    view.freeSlots.append(slot)
    hasNews = true
    tell(&recorder)
    return view.sequences[slot.index]
  }

  /// Takes in a sequence whose KV entries are here; it decodes from the next step on.
  ///
  /// - Returns: whether there is memory for it.
  public mutating func accept(_ sequence: SequenceState) -> Bool {
    let blocks = view.memory.blocks(for: sequence.joinContext)
    guard view.rules.groups * blocks <= view.memory.freeBlocks else { return false }
    view.memory.take(view.rules.groups * blocks)
    let slot = view.insert(sequence)
    view.sequences[slot.index].decodeBlocks = Int32(blocks)
    view.append(slot, firstStep: view.step)
    if view.sequences[slot.index].steps { view.openAccount(slot) }
    hasNews = true
    return true
  }
}
