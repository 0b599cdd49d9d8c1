extension ServingState {
  /// Lets the oldest decoding sequences take a step in this iteration, and reserves their KV blocks.
  ///
  /// At most ``maxSequences`` step; the youngest beyond that wait. Where memory is short the youngest sequences lose
  /// theirs and return to the head of the queue, to be computed anew. Call it once an iteration at most.
  ///
  /// - Complexity: O(1), beside O(1) for each sequence that starts or ceases to step; O(decoding sequences) if
  ///   memory is short.
  public mutating func decode(atMost limit: Int = .max, into plan: inout IterationPlan) {
    precondition(plan.decodes == 0, "decode(atMost:into:) is to be called once an iteration")
    let count = min(limit, maxSequences, decodingCount)
    guard count > 0 else { return }
    while decoding.stepping > count { park(decoding.youngestStepping) }
    while decoding.stepping < count { unpark() }
    let needed = decoding.needingBlock
    if needed <= freeBlocks { freeBlocks -= needed } else { reserveOneByOne() }
    plan.decodes = decoding.stepping
  }

  /// Reserves blocks from the oldest sequence on, and preempts from the youngest when there is none left.
  private mutating func reserveOneByOne() {
    var index = decoding.oldest
    while index >= 0, sequences[Int(index)].steps {
      if context(of: index) % blockSize == 0 {
        while freeBlocks == 0 {
          let victim = decoding.youngest
          preempt(victim)
          if victim == index { return }
        }
        freeBlocks -= 1
      }
      index = sequences[Int(index)].next
    }
  }

  /// KV entries that a decoding sequence stores.
  private func context(of index: SequenceIndex) -> Int {
    let sequence = sequences[Int(index)]
    return sequence.joinContext + (sequence.steps ? decoding.step - sequence.joinStep : 0)
  }

  /// Appends a sequence whose prompt is through the model and whose newest token came at `now`.
  mutating func startDecoding(_ index: SequenceIndex) {
    let i = Int(index)
    sequences[i].joinContext = Int(sequences[i].prefillTokens)
    sequences[i].lastTokenAt = now
    sequences[i].previous = decoding.youngest
    sequences[i].next = -1
    if decoding.youngest >= 0 {
      sequences[Int(decoding.youngest)].next = index
    } else {
      decoding.oldest = index
    }
    decoding.youngest = index
    if decoding.parked > 0 {
      decoding.parked += 1
    } else {
      startStepping(index, firstIteration: iteration + 1)
    }
  }

  /// Makes a sequence at the end of those that step one of them, from the next step on.
  private mutating func startStepping(_ index: SequenceIndex, firstIteration: Int64) {
    let i = Int(index)
    let step = decoding.step
    let stored = sequences[i].joinContext
    sequences[i].steps = true
    sequences[i].joinStep = step
    sequences[i].gapStep = step
    sequences[i].joinShares = decoding.shares
    sequences[i].spanBegin = firstIteration
    decoding.stepping += 1
    decoding.youngestStepping = index
    decoding.context += stored
    decoding.byRemainder[decoding.remainder(ofContext: stored)] += 1
    decoding.window?.insert(context: stored, step: step)
    decoding.fresh.append(index)

    let left = sequences[i].record.request.outputTokens - Int(sequences[i].written)
    let slot = (step + left) & (decoding.due.count - 1)
    let first = decoding.due[slot]
    sequences[i].duePrevious = -1
    sequences[i].dueNext = first
    if first >= 0 { sequences[Int(first)].duePrevious = index }
    decoding.due[slot] = index
  }

  /// Takes a sequence out of those that step, and settles its account.
  private mutating func stopStepping(_ index: SequenceIndex, lastIteration: Int64) {
    let i = Int(index)
    let steps = decoding.step - sequences[i].joinStep
    let stored = sequences[i].joinContext + steps
    decoding.stepping -= 1
    if decoding.youngestStepping == index { decoding.youngestStepping = sequences[i].previous }
    decoding.context -= stored
    decoding.byRemainder[decoding.remainder(ofContext: stored)] -= 1
    decoding.window?.remove(context: stored, step: decoding.step)

    let left = sequences[i].record.request.outputTokens - Int(sequences[i].written)
    let slot = (sequences[i].joinStep + left) & (decoding.due.count - 1)
    let (before, after) = (sequences[i].duePrevious, sequences[i].dueNext)
    if before >= 0 { sequences[Int(before)].dueNext = after } else { decoding.due[slot] = after }
    if after >= 0 { sequences[Int(after)].duePrevious = before }

    if let position = decoding.fresh.firstIndex(of: index) {
      decoding.fresh.remove(at: position)
    } else {
      sequences[i].lastTokenAt = decoding.lastStepAt
    }
    if steps > 0 {
      let longest = decoding.gaps.longest(after: sequences[i].gapStep)
      sequences[i].record.longestGap = max(sequences[i].record.longestGap, longest)
      let (then, total) = (sequences[i].joinShares, decoding.shares)
      let offset = Double(sequences[i].joinContext - sequences[i].joinStep)
      sequences[i].record.joules +=
        (total.joules - then.joules) + (total.contextJoulesByStep - then.contextJoulesByStep)
        + offset * (total.contextJoules - then.contextJoules)
      sequences[i].record.expertBytes += total.expertBytes - then.expertBytes
      news.spans.append(
        SpanRecord(
          request: sequences[i].record.request.id, instance: 0, phase: .decode,
          firstIteration: sequences[i].spanBegin, lastIteration: lastIteration))
    }
    sequences[i].written += Int32(steps)
    sequences[i].joinContext = stored
    sequences[i].steps = false
  }

  private mutating func park(_ index: SequenceIndex) {
    stopStepping(index, lastIteration: iteration - 1)
    decoding.parked += 1
  }

  private mutating func unpark() {
    let first =
      decoding.youngestStepping >= 0 ? sequences[Int(decoding.youngestStepping)].next : decoding.oldest
    decoding.parked -= 1
    startStepping(first, firstIteration: iteration)
  }

  private mutating func unlink(_ index: SequenceIndex) {
    let (before, after) = (sequences[Int(index)].previous, sequences[Int(index)].next)
    if before >= 0 { sequences[Int(before)].next = after } else { decoding.oldest = after }
    if after >= 0 { sequences[Int(after)].previous = before } else { decoding.youngest = before }
  }

  private mutating func preempt(_ index: SequenceIndex) {
    let i = Int(index)
    if sequences[i].steps { stopStepping(index, lastIteration: iteration - 1) } else { decoding.parked -= 1 }
    unlink(index)
    freeBlocks += blocks(for: sequences[i].joinContext)
    sequences[i].record.preemptions += 1
    sequences[i].prefillTokens = Int32(sequences[i].record.request.promptTokens) + sequences[i].written
    sequences[i].done = 0
    sequences[i].tileEnd = 0
    sequences[i].tileLayers = 0
    preempted.append(index)
  }

  /// Ends the step that the plan reserved: every stepping sequence has one token more at `now`.
  ///
  /// - Parameter cost: what the iteration cost, to be shared among the sequences.
  /// - Complexity: O(1), beside O(1) for each sequence that joined since the last step or ends with this one.
  mutating func completeStep(cost: Cost) {
    let veterans = decoding.stepping - decoding.fresh.count
    let gap = decoding.takeStep(cost: cost, at: now)
    let step = decoding.step
    decoding.gaps.append(gap, step: step)
    news.stepGap = (gap, veterans)
    for index in decoding.fresh {
      let i = Int(index)
      let own = now - sequences[i].lastTokenAt
      sequences[i].record.longestGap = max(sequences[i].record.longestGap, own)
      sequences[i].gapStep = step
      news.gaps.append(own)
    }
    if !decoding.fresh.isEmpty { decoding.fresh.removeAll(keepingCapacity: true) }

    let slot = step & (decoding.due.count - 1)
    while decoding.due[slot] >= 0 {
      let index = decoding.due[slot]
      stopStepping(index, lastIteration: iteration)
      unlink(index)
      freeBlocks += blocks(for: sequences[Int(index)].joinContext)
      complete(index)
    }
    forgetGaps()
  }

  /// Forgets gaps that were before every sequence's time, if there are many.
  mutating func forgetGaps() {
    guard decoding.gaps.count > 1024, decoding.oldest >= 0 else { return }
    decoding.gaps.forget(through: sequences[Int(decoding.oldest)].gapStep)
  }

  /// Reports every request in the system as unfinished, in order of arrival, with what it was charged so far.
  mutating func abandonAll() {
    let free = Set(freeIndices)
    let left = sequences.indices.filter { !free.contains(SequenceIndex($0)) }
      .sorted { sequences[$0].record.request.id < sequences[$1].record.request.id }
    for i in left {
      if sequences[i].steps { stopStepping(SequenceIndex(i), lastIteration: iteration - 1) }
      if sequences[i].isPrefilling, sequences[i].done > 0 || sequences[i].tileLayers > 0 {
        news.spans.append(
          SpanRecord(
            request: sequences[i].record.request.id, instance: 0, phase: .prefill,
            firstIteration: sequences[i].spanBegin, lastIteration: iteration - 1, completed: false))
      }
      sequences[i].record.status = .unfinished
      news.requests.append(sequences[i].record)
    }
    sequences.removeAll()
    freeIndices.removeAll()
  }

  /// Reports a request whose last token came at `now`, and forgets it.
  mutating func complete(_ index: SequenceIndex) {
    sequences[Int(index)].record.completedAt = now
    news.requests.append(sequences[Int(index)].record)
    freeIndices.append(index)
  }
}
