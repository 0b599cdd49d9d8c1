/// Successive decode steps of the same sequences, with nothing beside them, for a cost model to price in one go.
///
/// No sequence joins or leaves between two of the steps. So each attends to ``decodes`` KV entries more than the one
/// before, and whatever depends on the number of sequences alone is looked up once.
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
  /// What the steps cost, in order; there may be more than are priced.
  public var costs: [StepCost] = []
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

  /// Makes room for the costs of the steps that are not priced yet, which then count as priced.
  ///
  /// - Returns: those steps, whose costs are to be filled in.
  public mutating func makeRoom() -> Range<Int> {
    let steps = priced..<max(priced, count)
    while costs.count < count {
      costs.append(StepCost())
      tallies.append(.zero)
    }
    priced = steps.upperBound
    return steps
  }

  /// Forgets what is priced.
  mutating func forget() { priced = 0 }
}
