import Serving

/// Batches as large as memory allows: decode first, then prompts under way, then new ones while KV memory is used up to a share
/// (BatchLLM, arXiv 2412.03594).
///
/// For work that is all there at the beginning: what bounds an iteration is memory and a token budget that is large, not a
/// number of sequences. Of the memory that is kept free running sequences may take as they write.
///
///     PPPP....      rows: groups of layers
///     PPPP....      columns: iterations
public struct MemoryCentricBatching: Scheduler {
  let budget: Tokens
  let percent: Int

  /// Creates the policy.
  ///
  /// - Parameters:
  ///   - budget: most tokens that an iteration runs.
  ///   - percent: of KV memory that may be used for another prompt to begin; at most 100.
  public init(budget: Tokens, percent: Int) {
    self.budget = budget
    self.percent = min(percent, 100)
  }

  /// Plans decode steps, then chunks of the prompts under way, then of new ones.
  public mutating func plan(_ view: InstanceView, into plan: inout StepPlan) {
    plan.decode(view, atMost: budget / view.tokensPerDecode)
    var left = budget - plan.decodes * view.tokensPerDecode
    var room = view.maxSequences - plan.decodes
    let keptFree = view.memory.totalBlocks * (100 - percent) / 100
    var position = 0
    while left > 0, room > 0 {
      let isNew = position >= plan.promptCount(view)
      let isAlone = position == 0 && plan.decodes == 0
      guard !isNew || isAlone || plan.freeBlocks > keptFree,
        let prompt = plan.promptOrNext(position, view)
      else { break }
      let chunk = min(prompt.remaining, left)
      plan.prefill(prompt, tokens: prompt.done..<prompt.done + chunk, layers: 0..<view.layers)
      left -= chunk
      room -= 1
      position += 1
    }
  }
}
