// What policies may know of the length of outputs: the limit that a client asks for. Benchmarks force outputs to it.
extension InstanceView {
  /// Decode steps planned so far.
  public var decodeSteps: Int { decoding.step }

  /// The most tokens that a request may write from now on, by its client's limit; one where others decode what is computed
  /// here.
  public func outputLimit(of prompt: Prompt) -> Tokens {
    guard !handsOver else { return 1 }
    let request = sequences[prompt.slot.index].record.request
    return request.outputTokens - (prompt.tokens - request.promptTokens)
  }

  /// The most tokens that all that run may write from now on, each counted for so many at most.
  ///
  /// - Complexity: O(requests that run).
  public func outputsLeft(atMost limit: Tokens) -> Tokens {
    guard !handsOver else { return 0 }
    var left = 0
    for slot in runningOrder() {
      left += min(limit, sequences[slot.index].record.request.outputTokens - written(by: slot))
    }
    return left
  }

  /// What those have written that decode and keep their memory under a plan, and the limits of that.
  ///
  /// - Complexity: O(sequences that decode x victims).
  public func outputs(keptBy plan: borrowing StepPlan) -> (written: Tokens, limits: Tokens) {
    var sum = (written: 0, limits: 0)
    // Where victims are not named they are the youngest.
    let decoders = decodersInOrder()
    let kept = decoders.count - (plan.victimSlots.isEmpty ? plan.victims : 0)
    for slot in decoders.prefix(kept) where !plan.victimSlots.contains(slot) {
      sum.written += written(by: slot)
      sum.limits += sequences[slot.index].record.request.outputTokens
    }
    return sum
  }

  /// Blocks that all that run hold once they have written up to their limits.
  ///
  /// - Complexity: O(requests that run).
  public var committedBlocks: Int {
    // Prompts take their memory whole, and keep it until it has been fetched.
    guard !handsOver else { return memory.usedBlocks }
    var blocks = 0
    for slot in runningOrder() {
      blocks += memory.blocks(for: sequences[slot.index].record.request.totalTokens)
    }
    return blocks
  }

  /// Tokens that a request which runs has written, those on their way included.
  func written(by slot: Slot) -> Tokens {
    let i = slot.index
    let steps = sequences[i].steps ? decoding.step - sequences[i].joinStep : 0
    return Int(sequences[i].written) + steps
  }
}
