import Serving

/// Layered prefill in as few groups of layers as a limit on the gap between two tokens allows, as the cost model
/// estimates it.
///
/// Each group less is an iteration less until the cohort's first tokens. While nobody decodes no one waits for a token, and
/// the cohort passes all layers at once. Where even single stages exceed the limit there are as many as there may be.
///
///     P..PPP...      rows: groups of layers
///     P..PPP..       columns: iterations; a long cohort in three groups, a short one in one
///     .P.
///     .P.
///     ..P
///     ..P
public struct PacedLayeredPrefill: Scheduler {
  let longestGap: Seconds
  let cohort: Tokens
  let stages: Int
  private var pass = LayerPass()

  /// Creates the policy.
  ///
  /// - Parameters:
  ///   - longestGap: the limit on the time between two tokens of a sequence.
  ///   - cohort: most tokens of a cohort; a longer prompt is cut there, and its remainder goes first next time.
  ///   - stages: most groups of layers.
  public init(longestGap: Seconds, cohort: Tokens, stages: Int) {
    self.longestGap = longestGap
    self.cohort = cohort
    self.stages = stages
  }

  /// Plans decode steps, and the next group of layers of the cohort; forms a new one if none is under way.
  ///
  /// - Complexity: O(log stages) estimates for each cohort.
  public mutating func plan(_ view: InstanceView, into plan: inout StepPlan) {
    plan.decode(view)
    if !pass.isUnderWay {
      pass.form(view, &plan, limit: cohort) { _ in 1 }
      if pass.isUnderWay, plan.decodes > 0 { divide(view, &plan) }
    }
    pass.advance(layers: view.layers, into: &plan)
  }

  /// Divides the cohort's layers into the fewest groups whose first one, the largest, keeps to the limit.
  private mutating func divide(_ view: InstanceView, _ plan: inout StepPlan) {
    var (least, most) = (1, min(stages, view.layers))
    while least < most {
      let groups = (least + most) / 2
      var trial = pass.divided(into: groups)
      trial.advance(layers: view.layers, into: &plan)
      if view.estimate(plan).seconds <= longestGap { most = groups } else { least = groups + 1 }
      plan.removeTiles()
    }
    pass = pass.divided(into: most)
  }
}
