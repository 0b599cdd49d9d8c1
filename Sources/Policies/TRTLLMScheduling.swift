import Serving

/// TensorRT-LLM's in-flight batching: decode steps and whole prompts in one step, within a budget of tokens.
///
/// With `GUARANTEED_NO_EVICT`, the default, a request starts only if all that run, and it, could write up to their limits:
/// nobody ever loses memory. With `MAX_UTILIZATION` it starts if its prompt fits, and the youngest is paused where memory
/// runs short. Facts of its public documentation and `llm_args.py`.
///
///     PPPP....      rows: groups of layers
///     PPPP....      columns: iterations
public struct TRTLLMScheduling: Scheduler {
  let budget: Tokens
  let isChunked: Bool
  let evicts: Bool

  /// Creates the policy.
  ///
  /// - Parameters:
  ///   - budget: most tokens in a step, `max_num_tokens`; decode steps count.
  ///   - isChunked: whether a prompt may be cut, `enable_chunked_prefill`.
  ///   - evicts: whether requests start that may lose their memory, `MAX_UTILIZATION`.
  public init(budget: Tokens, isChunked: Bool = false, evicts: Bool = false) {
    self.budget = budget
    self.isChunked = isChunked
    self.evicts = evicts
  }

  /// The budget, unless prompts may be cut: a longer prompt would never fit.
  public var longestPrompt: Tokens { isChunked ? .max : budget }

  /// The budget, where a request may lose its memory and cannot be cut: it comes back with all that it has written.
  public var longestSequence: Tokens { evicts && !isChunked ? budget : .max }

  /// Unless requests start that may lose their memory.
  public var keepsRoomForOutputs: Bool { !evicts }

  /// Plans decode steps, prompts under way, and new ones in order of arrival.
  public mutating func plan(_ view: InstanceView, into plan: inout StepPlan) {
    plan.decode(view, atMost: budget / view.tokensPerDecode)
    var left = budget - plan.decodes * view.tokensPerDecode
    var room = view.maxSequences - view.runningCount
    var position = 0
    var committed: Int?
    while left > 0 {
      let prompt: Prompt
      if position < plan.promptCount(view) {
        prompt = plan.prompt(position, view)
      } else {
        guard room > 0, plan.victims == 0, let next = plan.nextWaiting(view) else { return }
        guard isChunked || next.tokens <= left else { return }
        if !evicts {
          let before = committed ?? view.committedBlocks
          let own = view.memory.blocks(for: next.tokens + view.outputLimit(of: next))
          guard before + own <= view.memory.totalBlocks else { return }
          committed = before + own
        }
        guard let new = plan.admitNext(view) else { return }
        room -= 1
        prompt = new
      }
      let tokens = min(prompt.remaining, left)
      plan.prefill(prompt, tokens: prompt.done..<prompt.done + tokens, layers: 0..<view.layers)
      left -= tokens
      position += 1
    }
  }
}
