/// What an iteration works on, beside its layers.
public struct IterationShape: Sendable, Hashable {
  /// Sequences that take a decode step.
  public var decodes = 0
  /// Prompts with at least one tile.
  public var prefillSequences = 0
  /// Prompts whose last tile it is: they emit a token.
  public var finishingSequences = 0
  /// Prefill rows, each prompt's counted once however many layers they pass.
  public var prefillRows = 0
  /// Prefill rows that start at the first layer.
  public var enteringRows = 0
  /// Whether some tile leaves out some of the layers.
  public var hasPartialDepth = false

  /// Creates the shape of an empty iteration.
  public init() {}
}

/// Predicts what an iteration costs on some model, GPU and serving engine.
///
/// The engine calls ``add(_:prefill:layers:to:)`` for each run of layers with the same load and then
/// ``finish(_:cost:)`` once. A cost model may keep tables and totals of its own, so both are mutating; it must not
/// let one iteration's cost depend on an earlier one's, except through a seeded draw.
public protocol CostModel: Sendable {
  /// Number of transformer layers.
  var layers: Int { get }
  /// Blocks of KV memory.
  var kvBlocks: Int { get }
  /// Tokens in a block of KV memory.
  var blockSize: Int { get }
  /// Positions that a layer with sliding-window attention sees; `nil` if no layer has one.
  var slidingWindow: Tokens? { get }
  /// Power that all GPUs of the instance draw while they wait, in watts.
  var idleWatts: Double { get }
  /// Adds the cost of some layers that all carry the same load.
  mutating func add(
    _ load: LayerLoad, prefill: Span<PrefillSegment>, layers: Range<Int>, to cost: inout Cost)
  /// Adds what an iteration costs beside its layers, and sets ``Cost/seconds``.
  mutating func finish(_ shape: IterationShape, cost: inout Cost)
  /// Prices decode steps until one ends at the stretch's horizon or later, or there are as many as it wants.
  ///
  /// The costs are, to the last bit, what ``add(_:prefill:layers:to:)`` for all layers and then ``finish(_:cost:)`` make
  /// of each step. There is an implementation that calls just these; one of a model's own can be faster.
  mutating func price(_ stretch: inout DecodeStretch)
  /// What each kernel has used in all iterations so far.
  var kernels: [KernelUse] { get }
  /// Whether to keep what each kernel uses in an iteration, for ``takeIterationKernels()``.
  var logsKernels: Bool { get set }
  /// What each kernel has used since this was last called; nothing unless ``logsKernels``.
  mutating func takeIterationKernels() -> [KernelUse]
}

extension CostModel {
  /// False: nothing is kept.
  public var logsKernels: Bool {
    get { false }
    set {}
  }
  /// Nothing.
  public mutating func takeIterationKernels() -> [KernelUse] { [] }
}
