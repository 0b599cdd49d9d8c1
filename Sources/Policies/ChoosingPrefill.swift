import Serving

/// Chunked prefill that admits whom it likes best: decode first, then chunks of the prompts under way, then of those that wait, the
/// one of the smallest rank first.
///
/// Prompts under way go on in the order of their admission; a request that has lost its memory waits as one whose prompt is all that
/// it has to compute anew. Of equal ranks the one that waits in front is first.
///
///     PPPP....      rows: groups of layers
///     PPPP....      columns: iterations
protocol ChoosingPrefill: Scheduler {
  /// Most tokens that an iteration runs; decode steps count.
  var budget: Tokens { get }
  /// Where a waiting prompt stands: the smallest comes first.
  func rank(of prompt: Prompt, _ view: InstanceView) -> Double
  /// Takes note of a prompt that is admitted.
  mutating func admitted(_ prompt: Prompt, _ view: InstanceView)
}

extension ChoosingPrefill {
  /// Does nothing.
  mutating func admitted(_ prompt: Prompt, _ view: InstanceView) {}

  /// Plans decode steps, then chunks.
  ///
  /// - Complexity: O(waiting) for each prompt that is admitted.
  mutating func planChoosing(_ view: InstanceView, into plan: inout StepPlan) {
    plan.decode(view, atMost: budget / view.tokensPerDecode)
    var left = budget - plan.decodes * view.tokensPerDecode
    var room = view.maxSequences - plan.decodes
    var position = 0
    while left > 0, room > 0 {
      var prompt = position < plan.promptCount(view) ? plan.prompt(position, view) : nil
      if prompt == nil {
        // Where memory is short nobody new comes in.
        guard plan.victims == 0, let best = best(view, plan) else { return }
        prompt = plan.admit(best, view)
        if let prompt { admitted(prompt, view) }
      }
      guard let prompt else { return }
      let chunk = min(prompt.remaining, left)
      plan.prefill(prompt, tokens: prompt.done..<prompt.done + chunk, layers: 0..<view.layers)
      left -= chunk
      room -= 1
      position += 1
    }
  }

  private func best(_ view: InstanceView, _ plan: borrowing StepPlan) -> Prompt? {
    var best: (prompt: Prompt, rank: Double)?
    var next = view.waiting(after: nil)
    while let prompt = next {
      let rank = rank(of: prompt, view)
      if best == nil || rank < best?.rank ?? 0, !plan.admitted.contains(where: { $0.slot == prompt.slot }) {
        best = (prompt, rank)
      }
      next = view.waiting(after: prompt)
    }
    return best?.prompt
  }
}
