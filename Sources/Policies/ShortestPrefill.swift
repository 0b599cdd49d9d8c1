import Serving

/// Chunked prefill that admits the shortest waiting prompt first, with ageing: a prompt counts for fewer tokens the longer it
/// waits, so that none waits for ever.
///
/// Where lengths differ widely and requests queue, most of them wait for a few long ones; serving the short ones first
/// lowers the mean TTFT.
public struct ShortestPrefill: ChoosingPrefill {
  let budget: Tokens
  let ageing: Double

  /// Creates the policy.
  ///
  /// - Parameters:
  ///   - budget: most tokens that an iteration runs; decode steps count.
  ///   - ageing: tokens that a prompt counts for less after each second of waiting.
  public init(budget: Tokens, ageing: Double) {
    self.budget = budget
    self.ageing = ageing
  }

  /// Its length, less what it has waited.
  func rank(of prompt: Prompt, _ view: InstanceView) -> Double {
    Double(prompt.tokens) - ageing * (view.now - prompt.arrival)
  }

  /// Plans decode steps, then chunks of the prompts under way, then of the shortest ones that wait.
  ///
  /// - Complexity: O(waiting) for each prompt that is admitted.
  public mutating func plan(_ view: InstanceView, into plan: inout StepPlan) {
    planChoosing(view, into: &plan)
  }

  /// Ageing changes who is next, as long as anybody waits.
  public func repeats(_ view: InstanceView) -> Repeats {
    view.waitingCount > 0 ? .no : .untilSomethingHappens
  }
}
