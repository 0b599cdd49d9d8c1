import Serving

/// Chunked prefill that admits the prompt first whose first token is due first.
///
/// A prompt is due by what its request asks for (its class's limit on TTFT), and by a patience common to all if it asks for nothing.
/// Where classes ask for different times, those that can wait let the others pass; with equal limits it is first come, first
/// served. Prompts that are late already keep their places, as in every queue by deadlines: past the knee it has nothing to win.
public struct EarliestDeadlinePrefill: ChoosingPrefill {
  let budget: Tokens
  let patience: Seconds

  /// Creates the policy.
  ///
  /// - Parameters:
  ///   - budget: most tokens that an iteration runs; decode steps count.
  ///   - patience: time to first token of requests that ask for none.
  public init(budget: Tokens, patience: Seconds) {
    self.budget = budget
    self.patience = patience
  }

  /// When its first token is due.
  func rank(of prompt: Prompt, _ view: InstanceView) -> Double {
    view.deadline(of: prompt) ?? prompt.arrival + patience
  }

  /// Plans decode steps, then chunks of the prompts under way, then of those that are due first.
  ///
  /// - Complexity: O(waiting) for each prompt that is admitted.
  public mutating func plan(_ view: InstanceView, into plan: inout StepPlan) {
    planChoosing(view, into: &plan)
  }
}
