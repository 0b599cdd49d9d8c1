import Serving

/// vLLM's scheduler: everybody that runs gets what it is due in the order of admission, then requests that wait.
///
/// There is no phase of prefill or of decoding: a step gives each request up to what it lacks, one token if it decodes, more
/// if its prompt is not through. Decode tokens count against the budget. Facts of vLLM 0.33, `v1/core/sched/scheduler.py`.
///
///     PPPP....      rows: groups of layers
///     PPPP....      columns: iterations
public struct VLLMScheduling: Scheduler {
  let budget: Tokens
  let longPrompt: Tokens
  let isAdaptive: Bool

  /// Creates the policy.
  ///
  /// - Parameters:
  ///   - budget: most tokens in a step, `max_num_batched_tokens`.
  ///   - longPrompt: most tokens of one prompt in a step while there are others in the system; 0 for no limit.
  ///   - isAdaptive: whether that limit grows where few requests share the budget.
  public init(budget: Tokens, longPrompt: Tokens = 0, isAdaptive: Bool = false) {
    self.budget = budget
    self.longPrompt = longPrompt
    self.isAdaptive = isAdaptive
  }

  /// True.
  public var servesInOrder: Bool { true }

  /// Plans those that run, then new ones; nobody overtakes one whose memory is not there.
  public mutating func plan(_ view: InstanceView, into plan: inout StepPlan) {
    let inSystem = view.runningCount + view.waitingCount
    var chunk = Int.max
    if longPrompt > 0, inSystem > 1 { chunk = isAdaptive ? max(longPrompt, budget / inSystem) : longPrompt }
    var left = plan.serve(view, budget: budget, atMost: chunk)
    guard plan.victims == 0 else { return }
    var room = view.maxSequences - view.runningCount
    while left > 0, room > 0, let prompt = plan.admitNext(view, computing: min(chunk, left)) {
      let tokens = min(prompt.remaining, chunk, left)
      plan.prefill(prompt, tokens: prompt.done..<prompt.done + tokens, layers: 0..<view.layers)
      left -= tokens
      room -= 1
    }
  }
}
