/// Successive decode steps of the same sequences, with nothing beside them, for a cost model to price in one go.
///
/// No sequence joins or leaves between two of the steps. So each attends to ``decodes`` KV entries more than the one
/// before, and whatever depends on the number of sequences alone is looked up once. Steps of a run cost the same but for a
/// ``DecodeStep``: a step that differs in more ends it.
public struct DecodeRun: Sendable {
  /// Sequences that take each of the steps.
  public var decodes = 0
  /// KV entries that the decode rows attend to in the first step.
  public var context: Tokens = 0
  /// The same in each step, where a sequence sees at most ``CostModel/slidingWindow`` entries; empty without a window.
  public var windowContexts: [Tokens] = []
  /// How their prompts have thinned out; `nil` if they lack no KV entries.
  public var profile: TokenProfile?
  /// KV entries that they lack behind each drop, in all steps alike.
  public var missing: [Tokens] = []
  /// Names the first step for seeded draws; the others follow.
  public var draw: UInt64 = 0
  /// Steps that are to be priced.
  public var count = 0
  /// Steps that are priced.
  public private(set) var priced = 0
  /// What the steps cost, but for what sets each apart.
  public var common = StepCost()
  /// What sets each step apart, in order; there may be more than are priced.
  public var steps: [DecodeStep] = []
  /// What the cost model keeps of each step, for ``CostModel/count(_:steps:ledger:)``.
  public var tallies: [SIMD8<Double>] = []

  /// Creates an empty run.
  public init() {}

  /// What is decoded in a step.
  public func load(ofStep step: Int) -> DecodeLoad {
    DecodeLoad(
      sequences: decodes, context: context + step * decodes,
      windowContext: windowContexts.isEmpty ? 0 : windowContexts[step])
  }

  /// What a step costs.
  @inline(__always)
  public func cost(ofStep step: Int) -> StepCost {
    var cost = common
    steps[step].fill(&cost)
    return cost
  }

  /// Keeps what a step costs; the first one also says what all have in common.
  ///
  /// - Returns: false if it differs in more than a ``DecodeStep``: then the run ends before it.
  public mutating func keep(_ cost: StepCost, ofStep step: Int) -> Bool {
    steps[step] = DecodeStep(cost)
    if step == 0 { common = cost }
    guard self.cost(ofStep: step) == cost else {
      priced = step
      return false
    }
    return true
  }

  /// Makes room for the costs of the steps that are not priced yet, which then count as priced.
  ///
  /// - Returns: those steps, whose costs are to be filled in.
  public mutating func makeRoom() -> Range<Int> {
    let steps = priced..<max(priced, count)
    while self.steps.count < count {
      self.steps.append(DecodeStep())
      tallies.append(.zero)
    }
    priced = steps.upperBound
    return steps
  }

  /// Forgets what is priced.
  mutating func forget() { priced = 0 }
}
