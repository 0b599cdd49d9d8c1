import Serving

/// Chunked prefill (Sarathi-Serve): decode first, then as many prompt tokens as the iteration's budget leaves.
///
/// Decode tokens count against the budget, so chunks shrink as more sequences decode. Prompts are taken in order of
/// admission, several of them if the budget allows; all layers run on all rows.
///
///     PPPP....      rows: groups of layers
///     PPPP....      columns: iterations
public struct ChunkedPrefill: Scheduler {
  let budget: Tokens
  let decodesCount: Bool

  /// Creates the policy.
  ///
  /// - Parameters:
  ///   - budget: most tokens that an iteration runs.
  ///   - decodesCount: whether decode tokens count against the budget.
  public init(budget: Tokens, decodesCount: Bool = true) {
    self.budget = budget
    self.decodesCount = decodesCount
  }

  /// Plans decode steps, then chunks of the prompts under way, then of new ones.
  public mutating func plan(_ view: InstanceView, into plan: inout StepPlan) {
    plan.decode(view, atMost: decodesCount ? budget / view.tokensPerDecode : .max)
    var left = decodesCount ? budget - plan.decodes * view.tokensPerDecode : budget
    var room = view.maxSequences - plan.decodes
    var position = 0
    while left > 0, room > 0 {
      guard let prompt = plan.promptOrNext(position, view) else { break }
      let chunk = min(prompt.remaining, left)
      plan.prefill(prompt, tokens: prompt.done..<prompt.done + chunk, layers: 0..<view.layers)
      left -= chunk
      room -= 1
      position += 1
    }
  }
}
