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
  /// Rows of each decoding sequence: its new token, and drafts that are verified.
  var width = 1
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

/// A cost model and what its kernels have used.
///
/// All tests of this folder ask the cost model here, so that a change of its interface is a change of this type.
struct Meter {
  let model: KernelCostModel
  private var ledger = KernelLedger()

  init(_ model: KernelCostModel) { self.model = model }

  var idleWatts: Double { model.idleWatts }
  var kernels: [KernelUse] { model.kernels(in: ledger) }
  var logsKernels: Bool {
    get { ledger.logsSteps }
    set { ledger.logsSteps = newValue }
  }
  mutating func takeIterationKernels() -> [KernelUse] { model.takeStepKernels(from: &ledger) }

  /// Prices one iteration, idle power included.
  mutating func cost(of step: Step) -> StepCost {
    let window = model.slidingWindow
    let decode = DecodeLoad(
      sequences: step.contexts.count, context: step.contexts.reduce(0) { $0 + $1 + step.width - 1 },
      windowContext: window.map { size in step.contexts.reduce(0) { $0 + min($1, size) + step.width - 1 } }
        ?? 0, rows: step.contexts.count * step.width)
    let tiles = step.tiles.map {
      Serving.Tile(sequence: Slot(0), tokens: $0.prefix..<$0.prefix + $0.tokens, layers: $0.layers)
    }
    let load = StepLoad(
      decode: decode, tiles: tiles, layers: model.layers, finishing: step.tiles.count { $0.finishes })
    var cost = StepCost()
    model.price(load, into: &cost, ledger: &ledger)
    return idling(
      cost, decodes: step.contexts.count * step.width, rows: step.tiles.reduce(0) { $0 + $1.tokens })
  }

  /// Prices successive decode steps of the same sequences in one go; `contexts` are those of the first step.
  mutating func costs(ofDecodeSteps count: Int, contexts: [Int]) -> [StepCost] {
    var run = DecodeRun()
    run.decodes = contexts.count
    run.context = contexts.reduce(0, +)
    if let window = model.slidingWindow {
      run.windowContexts = (0..<count).map { step in contexts.reduce(0) { $0 + min($1 + step, window) } }
    }
    // In two slices, as an instance may ask.
    for slice in [count / 2, count] {
      run.count = slice
      model.price(&run)
    }
    model.count(run, steps: 0..<count, ledger: &ledger)
    return run.costs.map { idling($0, decodes: contexts.count, rows: 0) }
  }

  /// What the kernels of one iteration used, by name; the totals go on.
  mutating func use(of step: Step) -> [String: KernelUse] {
    logsKernels = true
    _ = takeIterationKernels()
    _ = cost(of: step)
    return takeIterationKernels().byName
  }

  private func idling(_ cost: StepCost, decodes: Int, rows: Int) -> StepCost {
    var cost = cost
    let share = Double(decodes) / Double(decodes + rows)
    cost.decodeRowJoules += model.idleWatts * cost.seconds * share
    cost.prefillRowJoules += model.idleWatts * cost.seconds * (1 - share)
    return cost
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
