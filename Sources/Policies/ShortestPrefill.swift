import Serving

/// Chunked prefill that admits the shortest waiting prompt first, with ageing: a prompt counts for fewer tokens the longer it
/// waits, so that none waits for ever.
///
/// Where lengths differ widely and requests queue, most of them wait for a few long ones; serving the short ones first
/// lowers the mean TTFT. Prompts under way go on in the order of their admission; a request that has lost its memory waits as
/// one whose prompt is all that it has to compute anew.
///
///     PPPP....      rows: groups of layers
///     PPPP....      columns: iterations
public struct ShortestPrefill: Scheduler {
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

  /// Plans decode steps, then chunks of the prompts under way, then of the shortest ones that wait.
  ///
  /// - Complexity: O(waiting) for each prompt that is admitted.
  public mutating func plan(_ view: InstanceView, into plan: inout StepPlan) {
    plan.decode(view, atMost: budget / view.tokensPerDecode)
    var left = budget - plan.decodes * view.tokensPerDecode
    var room = view.maxSequences - plan.decodes
    var position = 0
    while left > 0, room > 0 {
      var prompt = position < plan.promptCount(view) ? plan.prompt(position, view) : nil
      if prompt == nil {
        // Where memory is short nobody new comes in.
        guard plan.victims == 0, let shortest = shortest(view, plan) else { return }
        prompt = plan.admit(shortest, view)
      }
      guard let prompt else { return }
      let chunk = min(prompt.remaining, left)
      plan.prefill(prompt, tokens: prompt.done..<prompt.done + chunk, layers: 0..<view.layers)
      left -= chunk
      room -= 1
      position += 1
    }
  }

  private func shortest(_ view: InstanceView, _ plan: borrowing StepPlan) -> Prompt? {
    var best: (prompt: Prompt, length: Double)?
    var next = view.waiting(after: nil)
    while let prompt = next {
      let length = Double(prompt.tokens) - ageing * (view.now - prompt.arrival)
      if best == nil || length < best?.length ?? 0, !plan.admitted.contains(where: { $0.slot == prompt.slot })
      {
        best = (prompt, length)
      }
      next = view.waiting(after: prompt)
    }
    return best?.prompt
  }

  /// Ageing changes who is next, as long as anybody waits.
  public func repeats(_ view: InstanceView) -> Repeats {
    view.waitingCount > 0 ? .no : .untilSomethingHappens
  }
}
