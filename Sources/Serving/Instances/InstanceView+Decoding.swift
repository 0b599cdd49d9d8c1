// How sequences join and leave the running sums, in two halves: the sums change as a plan is applied, a sequence's
// account (its longest gap, its shares of energy) is opened and closed when the step has ended.
extension InstanceView {
  /// Applies what ``StepPlan/decode(_:atMost:)`` has planned, and takes the blocks of those that step.
  mutating func decode(steppers: Int, victims: Int) {
    while decoding.stepping > steppers { park(decoding.youngestStepping) }
    while decoding.stepping < steppers { unpark() }
    for _ in 0..<victims { preempt(decoding.youngest) }
    takeBlocksToStep()
  }

  /// Blocks that the oldest sequences need to take a step.
  ///
  /// - Complexity: O(sequences that start or cease to step).
  func blocksToStep(_ count: Int) -> Int {
    var needed = blocksToStepAll
    guard count != decoding.stepping else { return needed }
    var slot = decoding.youngestStepping
    for _ in count..<max(count, decoding.stepping) {
      needed -= blocksToStep(slot)
      slot = sequences[slot.index].previous
    }
    slot = firstParked
    for _ in decoding.stepping..<max(count, decoding.stepping) {
      needed += blocksToStep(slot)
      slot = sequences[slot.index].next
    }
    return needed
  }

  /// What a decode step comes to where memory is short: blocks go to the oldest sequences, and are taken from the
  /// youngest when there is none left.
  ///
  /// - Complexity: O(decoding sequences).
  func makeRoom(steppers: Int, freeBlocks: Int) -> (
    steppers: Int, victims: Int, oldestVictim: Slot, freeBlocks: Int
  ) {
    var (free, victims, oldestVictim) = (freeBlocks, 0, Slot.none)
    var victim = decoding.youngest
    var slot = decoding.oldest
    for served in 0..<steppers {
      let needed = blocksToStep(slot)
      if needed > 0 {
        while free < needed {
          free += blocksHeld(by: victim) - sharedBlocks(of: victim)
          victims += 1
          oldestVictim = victim
          if victim == slot { return (served, victims, oldestVictim, free) }
          victim = sequences[victim.index].previous
        }
        free -= needed
      }
      if slot == victim { return (served + 1, victims, oldestVictim, free) }
      slot = sequences[slot.index].next
    }
    return (steppers, victims, oldestVictim, free)
  }

  /// Blocks of a sequence that others hold, too: they are not free when it loses its memory.
  private func sharedBlocks(of slot: Slot) -> Int {
    guard let cache else { return 0 }
    return cache.heldEntries(slot, group: 0).count { $0 >= 0 && cache.entries[Int($0)].holders > 1 }
  }

  /// What the oldest sequences have to decode if they take the next step.
  ///
  /// - Complexity: O(sequences that start or cease to step).
  func decodeLoad(steppers: Int) -> DecodeLoad {
    var load = decoding.nextLoad
    guard steppers != decoding.stepping else { return load }
    guard steppers > 0 else { return DecodeLoad() }
    let window = decoding.window?.size
    func change(_ slot: Slot, by sign: Int) {
      let (seen, drafts) = (context(of: slot) + 1, decoding.width - 1)
      load.sequences += sign
      load.rows += sign * decoding.width
      load.context += sign * (seen + drafts)
      if let window { load.windowContext += sign * (min(seen, window) + drafts) }
    }
    var slot = decoding.youngestStepping
    while load.sequences > steppers {
      change(slot, by: -1)
      slot = sequences[slot.index].previous
    }
    slot = firstParked
    while load.sequences < steppers {
      change(slot, by: 1)
      slot = sequences[slot.index].next
    }
    return load
  }

  private var firstParked: Slot {
    decoding.youngestStepping.exists ? sequences[decoding.youngestStepping.index].next : decoding.oldest
  }

  /// Appends a sequence whose prompt is through the model to those that decode.
  mutating func startDecoding(_ slot: Slot, firstStep: Int64) {
    let i = slot.index
    sequences[i].phase = .decoding
    sequences[i].joinContext =
      retention.map { evictPrompt(slot, $0) } ?? Int(sequences[i].prefillTokens)
    append(slot, firstStep: firstStep)
  }

  /// Appends a sequence that has its KV entries to those that decode.
  mutating func append(_ slot: Slot, firstStep: Int64) {
    if rules.order == .byAdmission {
      linkByRank(slot)
      return startStepping(slot, firstStep: firstStep)
    }
    link(slot, behind: decoding.youngest)
    if decoding.parked > 0 {
      decoding.parked += 1
    } else {
      startStepping(slot, firstStep: firstStep)
    }
  }

  /// Puts a sequence in its place by admission.
  ///
  /// - Complexity: O(sequences that were admitted after it).
  private mutating func linkByRank(_ slot: Slot) {
    var before = decoding.youngest
    while before.exists, sequences[before.index].rank > sequences[slot.index].rank {
      before = sequences[before.index].previous
    }
    link(slot, behind: before)
  }

  private mutating func link(_ slot: Slot, behind before: Slot) {
    let after = before.exists ? sequences[before.index].next : decoding.oldest
    sequences[slot.index].previous = before
    sequences[slot.index].next = after
    if before.exists { sequences[before.index].next = slot } else { decoding.oldest = slot }
    if after.exists { sequences[after.index].previous = slot } else { decoding.youngest = slot }
  }

  /// Makes a sequence at the end of those that step one of them, from the next step on.
  mutating func startStepping(_ slot: Slot, firstStep: Int64) {
    let i = slot.index
    let step = decoding.step
    let stored = sequences[i].joinContext
    sequences[i].steps = true
    sequences[i].isResumed = false
    sequences[i].joinStep = step
    sequences[i].entriesLessSteps = stored - step
    sequences[i].decodeBegin = firstStep
    decoding.stepping += 1
    decoding.youngestStepping = slot
    decoding.context += stored
    decoding.byRemainder[decoding.remainder(ofContext: stored)] += 1
    decoding.window?.insert(context: stored, step: step)
    if !decoding.missing.isEmpty { decoding.changeMissing(sequences[i].missing, by: 1) }
    decoding.fresh.append(slot)
    enterDue(slot)
  }

  /// Enters a sequence that steps among those whose last token falls due at the same step.
  @inline(__always)
  mutating func enterDue(_ slot: Slot) {
    let i = slot.index
    let place = (sequences[i].joinStep + sequences[i].left) & (decoding.due.count - 1)
    let first = decoding.due[place]
    sequences[i].duePrevious = .none
    sequences[i].dueNext = first
    if first.exists { sequences[first.index].duePrevious = slot }
    decoding.due[place] = slot
  }

  /// Takes a sequence that steps out of those whose last token falls due at the same step.
  @inline(__always)
  mutating func leaveDue(_ slot: Slot) {
    let i = slot.index
    let place = (sequences[i].joinStep + sequences[i].left) & (decoding.due.count - 1)
    let (before, after) = (sequences[i].duePrevious, sequences[i].dueNext)
    if before.exists { sequences[before.index].dueNext = after } else { decoding.due[place] = after }
    if after.exists { sequences[after.index].duePrevious = before }
  }

  /// Takes a sequence out of those that step.
  private mutating func stopStepping(_ slot: Slot) {
    let i = slot.index
    let stored = context(of: slot)
    decoding.stepping -= 1
    if decoding.youngestStepping == slot { decoding.youngestStepping = sequences[i].previous }
    decoding.context -= stored
    decoding.byRemainder[decoding.remainder(ofContext: stored)] -= 1
    decoding.window?.remove(context: stored, step: decoding.step)
    if !decoding.missing.isEmpty { decoding.changeMissing(sequences[i].missing, by: -1) }
    leaveDue(slot)
    sequences[i].leaveStep = decoding.step
    sequences[i].steps = false
  }

  /// Begins to keep account of a sequence that steps from now on.
  mutating func openAccount(_ slot: Slot) {
    sequences[slot.index].gapStep = sequences[slot.index].joinStep
    sequences[slot.index].joinShares = decoding.shares
  }

  /// Settles the account of a sequence that steps no longer.
  ///
  /// - Parameters:
  ///   - slot: the sequence.
  ///   - lastStep: the last step that it took.
  mutating func closeAccount(_ slot: Slot, lastStep: Int64) {
    let i = slot.index
    let steps = sequences[i].leaveStep - sequences[i].joinStep
    if let position = decoding.fresh.firstIndex(of: slot) {
      decoding.fresh.remove(at: position)
    } else {
      sequences[i].lastTokenAt = decoding.lastStepAt
    }
    guard steps > 0 else { return }
    let longest = decoding.gaps.longest(after: sequences[i].gapStep)
    sequences[i].record.longestGap = max(sequences[i].record.longestGap, longest)
    attributeShares(slot)
    news.spans.append(
      SpanRecord(
        request: sequences[i].record.request.id, instance: 0, phase: .decode,
        firstIteration: sequences[i].decodeBegin, lastIteration: lastStep))
    sequences[i].written += Int32(steps)
    sequences[i].joinContext += steps
  }

  /// Attributes to a sequence its shares of the steps since its account was opened.
  @inline(__always)
  mutating func attributeShares(_ slot: Slot) {
    let i = slot.index
    let (then, total) = (sequences[i].joinShares, decoding.shares)
    let offset = Double(sequences[i].entriesLessSteps)
    sequences[i].record.attribute(
      joules: (total.joules - then.joules) + (total.contextJoulesByStep - then.contextJoulesByStep)
        + offset * (total.contextJoules - then.contextJoules),
      expertBytes: total.expertBytes - then.expertBytes)
  }

  mutating func park(_ slot: Slot) {
    stopStepping(slot)
    settleAccount(slot)
    if !isInFlight, !isCounted { registerLeftOut(slot) }
    decoding.parked += 1
  }

  private mutating func unpark() {
    let first = firstParked
    decoding.parked -= 1
    startStepping(first, firstStep: step)
    sequences[first.index].isResumed = true
    reopenAccount(first)
  }

  private mutating func unlink(_ slot: Slot) {
    let (before, after) = (sequences[slot.index].previous, sequences[slot.index].next)
    if before.exists { sequences[before.index].next = after } else { decoding.oldest = after }
    if after.exists { sequences[after.index].previous = before } else { decoding.youngest = before }
  }

  /// Settles the account of a sequence that steps no longer: now, or when the step in flight has ended.
  private mutating func settleAccount(_ slot: Slot) {
    if isInFlight, !decoding.fresh.contains(slot) {
      departing.append(slot)
    } else {
      closeAccount(slot, lastStep: step - 1)
    }
  }

  /// Opens the account of a sequence that steps again: now, or when the step in flight, which it is not in, has ended.
  mutating func reopenAccount(_ slot: Slot) {
    if isInFlight { returning.append(slot) } else { openAccount(slot) }
  }

  /// Takes a request's memory, and puts it back into the queue.
  ///
  /// - Parameters:
  ///   - slot: the request.
  ///   - tokens: what the plan has let it take memory for.
  mutating func preempt(_ slot: Slot, having tokens: Tokens = 0) {
    let i = slot.index
    let known = knownTokens(of: slot)
    switch sequences[i].phase {
    case .decoding:
      releaseMemory(
        of: slot,
        blocks: speculation == nil ? memory.blocks(for: context(of: slot) + tokens) : blocksHeld(by: slot),
        tokens: tokens > 0 ? knownTokensAfterStep(of: slot) : known, isPreempted: true)
      removeDecoding(slot)
    case .prefilling:
      releaseMemory(
        of: slot, blocks: Int(sequences[i].promptBlocks), tokens: known + tokens, isPreempted: true)
      reportUnfinishedPrefill(slot)
      admitted.removeAll { $0 == slot }
    case .finishing:
      releaseMemory(of: slot, blocks: Int(sequences[i].promptBlocks), tokens: known, isPreempted: true)
      sequences[i].endsWaiting = true
    case .ending:
      releaseMemory(of: slot, blocks: blocksAtEnd(of: slot), tokens: known, isPreempted: true)
    case .waiting, .sending: return
    }
    sequences[i].restart()
    wait(slot, atHead: true)
  }

  /// Takes a sequence out of those that decode, between two steps, and settles its account.
  mutating func removeDecoding(_ slot: Slot) {
    if sequences[slot.index].steps {
      stopStepping(slot)
      settleAccount(slot)
    } else {
      decoding.parked -= 1
      if !leftOut.isEmpty { leftOut.removeAll { $0 == slot } }
    }
    unlink(slot)
  }

  /// Takes the sequences whose last token a planned step writes out of the sums.
  ///
  /// - Returns: the sequences, whose accounts are to be closed once the step has ended.
  /// - Complexity: O(sequences that leave).
  mutating func leave(afterStep step: Int, into leaving: inout [Slot]) {
    let place = step & (decoding.due.count - 1)
    while decoding.due[place].exists {
      let slot = decoding.due[place]
      stopStepping(slot)
      unlink(slot)
      sequences[slot.index].phase = .ending
      leaving.append(slot)
    }
  }

  /// Forgets gaps that were before every sequence's time, if there are many.
  mutating func forgetGaps() {
    guard decoding.gaps.count > 1024, decoding.oldest.exists else { return }
    decoding.gaps.forget(through: sequences[decoding.oldest.index].gapStep)
  }

  /// Reports the steps of a prompt that is not through the model, if there were any.
  private mutating func reportUnfinishedPrefill(_ slot: Slot) {
    let i = slot.index
    guard sequences[i].hasBegun else { return }
    news.spans.append(
      SpanRecord(
        request: sequences[i].record.request.id, instance: 0, phase: .prefill,
        firstIteration: sequences[i].prefillBegin, lastIteration: step - 1, completed: false))
  }

  /// Settles the accounts of all that step, because the run is cut.
  mutating func abandonDecoding(lastStep: Int64) {
    var slot = decoding.oldest
    while slot.exists {
      let next = follower(of: slot)
      if sequences[slot.index].steps {
        stopStepping(slot)
        closeAccount(slot, lastStep: lastStep)
      }
      slot = next
    }
  }

  /// Reports every request in the system as unfinished, in order of arrival, with what it was attributed so far.
  mutating func abandonAll() {
    let free = Set(freeSlots)
    let left = sequences.indices.map { Slot($0) }.filter { !free.contains($0) }
      .sorted { sequences[$0.index].record.request.id < sequences[$1.index].record.request.id }
    for slot in left {
      let i = slot.index
      if sequences[i].steps {
        stopStepping(slot)
        closeAccount(slot, lastStep: step - 1)
      }
      if sequences[i].phase == .prefilling { reportUnfinishedPrefill(slot) }
      sequences[i].record.status = .unfinished
      news.requests.append(sequences[i].record)
    }
    sequences.removeAll()
    freeSlots.removeAll()
    queue = WaitingQueue()
  }
}
