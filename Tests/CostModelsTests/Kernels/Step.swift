import CostModels
import Serving
import Statistics

/// One iteration, sequence by sequence and tile by tile.
struct Step {
  /// New tokens of one prompt that pass some of the layers.
  struct Tile {
    var tokens: Int
    /// Tokens of the prompt that passed these layers before.
    var prefix = 0
    var layers: Range<Int>
    /// Whether the prompt's last token leaves the last layer.
    var finishes = false
  }

  /// Keys that each decoding sequence attends to, its new one among them.
  var contexts: [Int] = []
  var tiles: [Tile] = []

  /// Draws an iteration that has something to do.
  init(layers: Int, using random: inout SplitMix64) {
    func below(_ bound: Int) -> Int { Int(random.next() % UInt64(bound)) }
    let decodes = [0, 0, 1, 2, 5, 17, 90, 300][below(8)]
    contexts = (0..<decodes).map { _ in 1 + below([10, 300, 3000][below(3)]) }
    for _ in 0..<[0, 1, 1, 2, 3][below(5)] where decodes == 0 || below(4) > 0 {
      let first = below(2) == 0 ? 0 : below(layers)
      let end = below(2) == 0 ? layers : first + 1 + below(layers - first)
      tiles.append(
        Tile(
          tokens: 1 + below([5, 100, 1000][below(3)]), prefix: below(2) == 0 ? 0 : below(3000),
          layers: first..<end, finishes: end == layers && below(2) == 0))
    }
    if contexts.isEmpty, tiles.isEmpty { contexts = [1] }
  }

  /// Creates an iteration.
  init(contexts: [Int] = [], tiles: [Tile] = []) {
    self.contexts = contexts
    self.tiles = tiles
  }
}

extension KernelCostModel {
  /// Prices one iteration.
  ///
  /// All tests of this folder ask the cost model here, so that a change of its interface is a change of this function.
  mutating func cost(of step: Step) -> Cost {
    let window = slidingWindow ?? .max
    let load = LayerLoad(
      decodes: step.contexts.count, decodeContext: step.contexts.reduce(0, +),
      decodeWindowContext: slidingWindow == nil ? 0 : step.contexts.reduce(0) { $0 + min($1, window) })
    var cost = Cost()
    let cuts = Set([0, layers] + step.tiles.flatMap { [$0.layers.lowerBound, $0.layers.upperBound] }).sorted()
    for (first, end) in zip(cuts, cuts.dropFirst()) {
      let segments = step.tiles.filter { $0.layers.contains(first) }.map {
        PrefillSegment(tokens: $0.tokens, prefix: $0.prefix)
      }
      guard load.decodes > 0 || !segments.isEmpty else { continue }
      add(load, prefill: segments.span, layers: first..<end, to: &cost)
    }
    var shape = IterationShape()
    shape.decodes = load.decodes
    shape.prefillSequences = step.tiles.count
    shape.finishingSequences = step.tiles.count { $0.finishes }
    shape.prefillRows = step.tiles.reduce(0) { $0 + $1.tokens }
    shape.enteringRows = step.tiles.filter { $0.layers.lowerBound == 0 }.reduce(0) { $0 + $1.tokens }
    shape.hasPartialDepth = step.tiles.contains { $0.layers != 0..<layers }
    finish(shape, cost: &cost)
    return cost
  }

  /// Prices successive decode steps of the same sequences in one go; `contexts` are those of the first step.
  mutating func costs(ofDecodeSteps count: Int, contexts: [Int]) -> [Cost] {
    var stretch = DecodeStretch()
    stretch.decodes = contexts.count
    stretch.context = contexts.reduce(0, +)
    stretch.limit = count
    if let slidingWindow {
      stretch.windowContexts = (0..<count).map { step in
        contexts.reduce(0) { $0 + min($1 + step, slidingWindow) }
      }
    }
    price(&stretch)
    return stretch.costs
  }

  /// What the kernels of one iteration used, by name; the totals go on.
  mutating func use(of step: Step) -> [String: KernelUse] {
    logsKernels = true
    _ = takeIterationKernels()
    _ = cost(of: step)
    return takeIterationKernels().byName
  }
}

extension [KernelUse] {
  /// Each kernel's use by its name.
  var byName: [String: KernelUse] { Dictionary(uniqueKeysWithValues: map { ($0.kernel, $0) }) }
}

/// Whether two figures are the same but for the order in which they were added up.
func isClose(_ value: Double?, _ expected: Double, within share: Double = 1e-12) -> Bool {
  value.map { ($0 - expected).magnitude <= share * expected.magnitude } ?? false
}
