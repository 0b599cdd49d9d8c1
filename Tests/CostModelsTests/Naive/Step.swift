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
  /// What the layers carry where prompts thin out on their way; empty where they do not.
  var bands: [Band] = []

  /// Layers that carry the same.
  struct Band {
    var layers: Range<Int>
    var segments: [Tile]
    /// What is left, in a layer that drops rows.
    var behind: [Tile]?
    /// Whether they go behind the whole layer, not behind its attention.
    var isBehindLayer = false
    /// Entries that the decoding sequences lack.
    var missing = 0
  }

  func band(_ layer: Int) -> Band? { bands.first { $0.layers.contains(layer) } }
  func segments(_ layer: Int) -> [Tile] {
    band(layer)?.segments ?? tiles.filter { $0.layers.contains(layer) }
  }
  func missing(_ layer: Int) -> Int { band(layer)?.missing ?? 0 }
  func drop(at layer: Int) -> Band? { band(layer).flatMap { $0.behind == nil ? nil : $0 } }

  /// Thins the prompts out, which pass all layers, at some of the layers.
  mutating func thin(
    layers: Int, drops: [Int], behindLayer: Bool = false, using random: inout SplitMix64
  ) {
    func below(_ bound: Int) -> Int { Int(random.next() % UInt64(bound)) }
    var rows = tiles
    var (missing, layer) = (0, 0)
    let most = contexts.reduce(0) { $0 + $1 - 1 }
    for drop in drops {
      if layer < drop { bands.append(Band(layers: layer..<drop, segments: rows, missing: missing)) }
      var behind = rows
      for i in behind.indices {
        behind[i].tokens = 1 + below(rows[i].tokens)
        behind[i].prefix = below(rows[i].prefix + 1)
      }
      bands.append(
        Band(
          layers: drop..<drop + 1, segments: rows, behind: rows.isEmpty ? nil : behind,
          isBehindLayer: behindLayer, missing: missing))
      (rows, layer) = (behind, drop + 1)
      missing += below(most - missing + 1)
    }
    if layer < layers { bands.append(Band(layers: layer..<layers, segments: rows, missing: missing)) }
  }

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

extension Step {
  /// As a cost model takes it.
  func load(on model: some CostModel) -> StepLoad {
    let decode = DecodeLoad(
      sequences: contexts.count, context: contexts.reduce(0) { $0 + $1 + width - 1 },
      windowContext: model.slidingWindow.map { size in
        contexts.reduce(0) { $0 + min($1, size) + width - 1 }
      } ?? 0, rows: contexts.count * width)
    let tiles = tiles.map {
      Serving.Tile(sequence: Slot(0), tokens: $0.prefix..<$0.prefix + $0.tokens, layers: $0.layers)
    }
    return StepLoad(
      decode: decode, tiles: tiles, layers: model.layers, finishing: self.tiles.count { $0.finishes })
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
    var load = step.load(on: model)
    if !step.bands.isEmpty { load.carry(step.bands) }
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
    return (0..<count).map { idling(run.cost(ofStep: $0), decodes: contexts.count, rows: 0) }
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

extension StepLoad {
  /// Carries these bands instead of what tiles make.
  fileprivate mutating func carry(_ carried: [Step.Band]) {
    (segments, bands, profiles) = ([], [], [])
    func append(_ tiles: [Step.Tile]) -> Range<Int> {
      let first = segments.count
      segments += tiles.map { PrefillSegment(tokens: $0.tokens, prefix: $0.prefix) }
      return first..<segments.count
    }
    for band in carried where !band.segments.isEmpty || decode.sequences > 0 {
      let mixer = append(band.segments)
      bands.append(LayerBand(layers: band.layers, segments: mixer))
      var profile = BandProfile(feedForward: mixer, missing: band.missing)
      if let behind = band.behind {
        if !band.isBehindLayer { profile.feedForward = append(behind) }
        profile.scored = append(band.segments)
        profile.kept = behind.reduce(0) { $0 + $1.tokens }
      }
      profiles.append(profile)
    }
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
