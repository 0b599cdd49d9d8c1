import Serving

/// Run-to-completion batches: nobody joins until everybody in the batch has finished.
///
/// What serving looked like before continuous batching, as a baseline. Whole prompts are prefilled first, as many an
/// iteration as the budget holds but at least one; then the batch decodes until its last sequence ends.
public struct StaticBatching: Scheduler {
  let batch: Int
  let budget: Tokens

  /// Creates the policy.
  ///
  /// - Parameters:
  ///   - batch: most requests in a batch.
  ///   - budget: most prompt tokens that an iteration prefills, unless a single prompt is longer.
  public init(batch: Int, budget: Tokens) {
    self.batch = batch
    self.budget = budget
  }

  /// Plans the prefill of the batch, or decode steps once that is done; forms a new batch if nothing is left of it.
  public mutating func plan(_ view: InstanceView, into plan: inout StepPlan) {
    if view.prefillingCount == 0, view.decodingCount == 0 {
      while plan.promptCount(view) < min(batch, view.maxSequences), plan.admitNext(view) != nil {}
    }
    guard plan.promptCount(view) > 0 else { return plan.decode(view) }
    var left = budget
    for position in 0..<plan.promptCount(view) {
      let prompt = plan.prompt(position, view)
      guard prompt.remaining <= left || plan.tiles.isEmpty else { break }
      plan.prefill(prompt, tokens: prompt.done..<prompt.tokens, layers: 0..<view.layers)
      left -= prompt.remaining
    }
  }
}
