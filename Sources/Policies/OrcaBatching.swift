import Serving

/// Iteration-level batching (Orca, OSDI 2022): whole prompts first, then everybody who decodes.
///
/// A prompt is prefilled in the iteration that it joins, so a long one makes everybody wait for their next token.
public struct OrcaBatching: Scheduler {
  let budget: Tokens

  /// Creates the policy.
  ///
  /// - Parameter budget: most prompt tokens that join in an iteration.
  public init(budget: Tokens) { self.budget = budget }

  /// The budget: a longer prompt would never fit.
  public var longestSequence: Tokens { budget }

  /// Plans whole prompts in order of arrival while they fit in the budget, then decode steps.
  public mutating func plan(_ view: InstanceView, into plan: inout StepPlan) {
    var left = budget
    while plan.tiles.count < view.maxSequences, let next = plan.nextWaiting(view), next.tokens <= left,
      let prompt = plan.admitNext(view)
    {
      plan.prefill(prompt, tokens: prompt.done..<prompt.tokens, layers: 0..<view.layers)
      left -= prompt.remaining
    }
    plan.decode(view, atMost: view.maxSequences - plan.tiles.count)
  }
}
