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
  public mutating func plan(_ state: inout ServingState, into plan: inout IterationPlan) {
    if state.prefillingCount == 0, state.decodingCount == 0 {
      while state.prefillingCount < min(batch, state.maxSequences), state.admitNext() != nil {}
    }
    guard state.prefillingCount > 0 else { return state.decode(into: &plan) }
    var left = budget
    for position in 0..<state.prefillingCount {
      let prompt = state.prefilling(position)
      guard prompt.tokens <= left || plan.prefill.isEmpty else { break }
      plan.prefill.append(
        PrefillTile(prompt: prompt.handle, tokens: 0..<prompt.tokens, layers: 0..<state.layers))
      left -= prompt.tokens
    }
  }
}
