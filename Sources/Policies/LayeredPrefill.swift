import Serving

/// Layered prefill (arXiv 2510.08055): a cohort of prompts moves through the model one group of layers an iteration,
/// while every layer goes on decoding.
///
/// Each expert is loaded once for the cohort instead of once for every chunk. Decode tokens are outside the budget.
/// The number of groups grows with the cohort's tokens, so that an iteration carries about 512 tokens' worth of
/// prefill through all layers.
///
///     P...      rows: groups of layers
///     .P..      columns: iterations
///     ..P.
///     ...P
public struct LayeredPrefill: Scheduler {
  /// How many groups a cohort's layers are divided into.
  public enum Grouping: String, Sendable, CaseIterable {
    /// As the reference engine: the power of two that is at least tokens / 512, or the nearest number below it that
    /// divides the stages; all stages beyond 4,096 tokens.
    case tiers
    /// As the paper: tokens / 512, rounded up.
    case paper
    /// As many as of tiers, and each takes as long as the others by the cost model's estimate: for models whose layers differ,
    /// and prompts that thin out on their way.
    case cost
  }

  /// Prefill tokens through all layers that an iteration is to carry, at most.
  static let tokensPerIteration = 512

  let cohort: Tokens
  let stages: Int
  let grouping: Grouping
  private var pass = LayerPass()

  /// Creates the policy.
  ///
  /// - Parameters:
  ///   - cohort: most tokens of a cohort; a longer prompt is cut there, and its remainder goes first next time.
  ///   - stages: most groups of layers.
  ///   - grouping: how many groups a cohort has.
  public init(cohort: Tokens, stages: Int, grouping: Grouping = .tiers) {
    self.cohort = cohort
    self.stages = stages
    self.grouping = grouping
  }

  /// Plans decode steps, and the next group of layers of the cohort; forms a new one if none is under way.
  public mutating func plan(_ view: InstanceView, into plan: inout StepPlan) {
    plan.decode(view)
    if !pass.isUnderWay {
      pass.form(view, &plan, limit: cohort) { [self] in groupCount(tokens: $0) }
      if grouping == .cost { pass.cutByCost(view, &plan) }
    }
    pass.advance(layers: view.layers, into: &plan)
  }

  /// Groups of layers for a cohort of so many tokens.
  public func groupCount(tokens: Tokens) -> Int {
    let wanted = (tokens + Self.tokensPerIteration - 1) / Self.tokensPerIteration
    switch grouping {
    case .paper: return min(max(wanted, 1), stages)
    case .tiers, .cost:
      var power = 1
      while power < wanted { power *= 2 }
      guard power <= 8 else { return stages }
      var groups = min(power, stages)
      while stages % groups != 0 { groups -= 1 }
      return groups
    }
  }
}
