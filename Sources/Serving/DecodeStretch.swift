/// Successive decode steps of the same sequences, with nothing beside them, for a cost model to price in one go.
///
/// Nobody joins or leaves between two of the steps. So each attends to ``decodes`` KV entries more than the one before,
/// and whatever depends on the number of sequences alone need be looked up only once.
public struct DecodeStretch: Sendable {
  /// Sequences that take each of the steps.
  public var decodes = 0
  /// KV entries that the decode rows attend to in the first step.
  public var context: Tokens = 0
  /// The same in each step, where a sequence sees at most ``CostModel/slidingWindow`` entries; empty without a window.
  public var windowContexts: [Tokens] = []
  /// When the first step begins.
  public var start: Seconds = 0
  /// No step begins at this time or later.
  public var horizon: Seconds = .infinity
  /// Most steps to price, at least one.
  public var limit = 1
  /// What the steps cost, in order; those that are to be priced are appended.
  public var costs: [Cost] = []

  /// Creates an empty stretch.
  public init() {}

  /// What the layers do in a step.
  public func load(ofStep step: Int) -> LayerLoad {
    LayerLoad(
      decodes: decodes, decodeContext: context + step * decodes,
      decodeWindowContext: windowContexts.isEmpty ? 0 : windowContexts[step])
  }
}

extension CostModel {
  /// Prices the steps one by one.
  ///
  /// - Complexity: O(steps × what ``add(_:prefill:layers:to:)`` takes).
  public mutating func price(_ stretch: inout DecodeStretch) { priceOneByOne(&stretch) }

  /// Prices the steps one by one; for cost models that have a faster way for some stretches only.
  public mutating func priceOneByOne(_ stretch: inout DecodeStretch) {
    var shape = IterationShape()
    shape.decodes = stretch.decodes
    let nothing: [PrefillSegment] = []
    var now = stretch.start
    while stretch.costs.count < stretch.limit, now < stretch.horizon {
      var cost = Cost()
      add(stretch.load(ofStep: stretch.costs.count), prefill: nothing.span, layers: 0..<layers, to: &cost)
      finish(shape, cost: &cost)
      stretch.costs.append(cost)
      now += cost.seconds
    }
  }
}
