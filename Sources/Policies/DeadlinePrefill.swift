import Serving

/// Prefill under a deadline: decode first, then the largest chunk of the oldest prompt that keeps the gap between two
/// tokens under a limit, as the cost model estimates it.
///
/// With nothing to decode no one waits for a token, and the chunk is as large as the budget.
///
///     PPPP....      rows: groups of layers
///     PPPP....      columns: iterations; the fewer decode, the longer their contexts, the larger the chunks
public struct DeadlinePrefill: Scheduler {
  let longestGap: Seconds
  let budget: Tokens

  /// Creates the policy.
  ///
  /// - Parameters:
  ///   - longestGap: the limit on the time between two tokens of a sequence.
  ///   - budget: most prompt tokens in a step.
  public init(longestGap: Seconds, budget: Tokens) {
    self.longestGap = longestGap
    self.budget = budget
  }

  /// Plans decode steps, and the largest chunk that the limit allows.
  ///
  /// - Complexity: O(log budget) estimates.
  public mutating func plan(_ view: InstanceView, into plan: inout StepPlan) {
    plan.decode(view)
    guard plan.decodes < view.maxSequences, let prompt = plan.promptOrNext(0, view) else { return }
    let left = longestGap - (plan.decodes > 0 ? view.timeSinceLastStep ?? 0 : 0)
    var (fits, most) = (0, min(prompt.remaining, budget))
    guard plan.decodes > 0 else {
      return plan.prefill(prompt, tokens: prompt.done..<prompt.done + most, layers: 0..<view.layers)
    }
    while fits < most {
      let chunk = (fits + most + 1) / 2
      plan.prefill(prompt, tokens: prompt.done..<prompt.done + chunk, layers: 0..<view.layers)
      if view.estimate(plan).seconds <= left { fits = chunk } else { most = chunk - 1 }
      plan.removeTiles()
    }
    guard fits > 0 else { return }
    plan.prefill(prompt, tokens: prompt.done..<prompt.done + fits, layers: 0..<view.layers)
  }
}
