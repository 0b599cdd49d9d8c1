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
  public mutating func plan(_ state: inout ServingState, into plan: inout IterationPlan) {
    var left = budget
    while plan.prefill.count < state.maxSequences, let next = state.nextWaiting, next.tokens <= left,
      let prompt = state.admitNext()
    {
      plan.prefill.append(
        PrefillTile(prompt: prompt.handle, tokens: 0..<prompt.tokens, layers: 0..<state.layers))
      left -= prompt.tokens
    }
    state.decode(atMost: state.maxSequences - plan.prefill.count, into: &plan)
  }
}
