import Serving

/// Layered prefill of chunks: tiles that are neither full columns nor full rows of the plane tokens × layers.
///
/// Prompts are cut into chunks, as in chunked prefill, and each chunk moves through the model by groups of layers, as
/// in layered prefill. The number of groups is fixed, whatever the chunk holds.
///
///     P.P.P.      rows: groups of layers
///     .P.P.P      columns: iterations
public struct HybridPrefill: Scheduler {
  let chunk: Tokens
  let groups: Int
  private var pass = LayerPass()

  /// Creates the policy.
  ///
  /// - Parameters:
  ///   - chunk: most tokens that pass through the model together.
  ///   - groups: groups of layers that they pass through, one an iteration.
  public init(chunk: Tokens, groups: Int) {
    self.chunk = chunk
    self.groups = groups
  }

  /// Plans decode steps, and the next group of layers of the chunk; forms a new one if none is under way.
  public mutating func plan(_ view: InstanceView, into plan: inout StepPlan) {
    plan.decode(view)
    if !pass.isUnderWay {
      pass.form(view, &plan, limit: chunk) { [groups] _ in groups }
    }
    pass.advance(layers: view.layers, into: &plan)
  }
}
