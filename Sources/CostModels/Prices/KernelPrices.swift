import Serving
import Systems

/// What a ``KernelCostModel`` knows: laws, and the prices that it has worked out so far.
struct KernelPrices {
  let layers: Int
  let slidingWindow: Tokens?
  var idleWatts: Double { power.idleWatts * gpus }

  // Where a ledger keeps what.
  static let beforeUses = 0
  static let afterUses = 1
  /// Of layers that carry prefill, and of others.
  static func layerUses(_ kind: Int, carriesPrefill: Bool) -> Int {
    2 + layerPlace(kind, carriesPrefill: carriesPrefill)
  }
  /// Where ``layerPrices`` has them.
  static func layerPlace(_ kind: Int, carriesPrefill: Bool) -> Int { 2 * kind + (carriesPrefill ? 0 : 1) }
  static let prefillTotal = 0
  static let decodeTotal = 1
  static let expertTotal = 2
  static let sideTotal = 3
  static let fusionTotal = 4

  let gpus: Double
  let host: HostOverhead
  let graphs: GraphSizes
  let repeatsEmbeddingAndHead: Bool
  /// Rows of each decoding sequence: more than one where drafts are verified.
  let width: Int
  /// Whether the LM head runs on one row of each sequence only, as where drafts are made.
  var samplesOneRow = false
  let power: PowerModel
  let rowKernels: RowKernels
  let attention: AttentionKernels
  let windowedAttention: AttentionKernels
  /// Layers with attention over all tokens before each layer.
  let fullBefore: [Int]
  /// Layers with a sliding window before each layer.
  let windowedBefore: [Int]
  let experts: ExpertKernel?
  let hasExperts: Bool
  /// Layers with experts before each layer.
  let expertsBefore: [Int]
  /// The kernels of the layers that are neither attention nor of all rows; nil in models without such.
  let side: SideKernels?
  /// Layers with such kernels before each layer.
  let sideBefore: [Int]
  /// What a token profile adds; nil without one.
  let profile: ProfileKernels?
  /// Kinds of layers that differ in more than their windows.
  let kinds: Int
  /// For each kind and layer the layers of the kind before it.
  private let kindBefore: [Int]
  /// Whether each kind has experts, and ``side`` kernels.
  let kindHasExperts: [Bool]
  let kindHasSide: [Bool]

  /// By reference: a copy of the law itself takes as long as asking it.
  let routing: RoutingReference?
  let drawSeed: UInt64?
  /// The latest prefills, an entry for each of the bands that a step may have.
  var memo: PrefillMemo
  var latestDecode = DecodeAttentionPrice()
  var latestDecodeBatch = 0
  /// Of the latest number of sequences that decoded and did nothing else.
  var template: DecodeTemplate
  /// The latest numbers of rows before and after the layers, and what the kernels there take.
  var latestEntering = -1
  var latestLeaving = -1
  var latestBefore = Launch()
  var latestAfter = Launch()

  /// Whether layers differ in their experts, or every call's are drawn: then a decode step has no price of its own.
  let routesByLayer: Bool
  /// Bytes of one expert on one GPU.
  let expertBytes: Double

  var decodePrices: [PriceTable<DecodePrice>]
  var attentionLaws: PriceTable<DecodeAttentionLaws>
  /// By ``layerPlace(_:carriesPrefill:)``.
  var layerPrices: [PriceTable<LayerPrice>]
  var beforePrices = PriceTable(unknown: Launch())
  var afterPrices = PriceTable(unknown: Launch())

  // Experts may be left out of the prices and of the sums.
  init(
    system: ServedSystem, calibration: Calibration, routing: ExpertRouting?, drawSeed: UInt64?, width: Int,
    leavesOutExperts: Bool = false, profile: TokenProfile? = nil
  ) {
    self.width = width
    let shard = system.shard
    let model = shard.model
    self.layers = model.layers
    let engine = system.engine
    let choice = system.kernelChoice
    host = engine.host
    graphs = engine.graphs
    repeatsEmbeddingAndHead = engine.repeatsEmbeddingAndHead
    power = PowerModel(system.hardware)
    gpus = Double(shard.gpus)
    let window = model.windows.compactMap { $0 }.max()
    slidingWindow = window
    let (kinds, kindOfLayer) = shard.kindsBesideWindows
    self.kinds = kinds.count
    let layers = model.layers
    func before(_ counts: (Int) -> Bool) -> [Int] {
      (0..<layers).reduce(into: [0]) { $0.append($0[$0.count - 1] + (counts($1) ? 1 : 0)) }
    }
    kindBefore = kinds.indices.flatMap { kind in before { kindOfLayer[$0] == kind } }
    rowKernels = RowKernels(
      kinds: kinds, shard: shard, choice: choice, engine: engine, power: power, calibration: calibration)
    let power = power
    func attention(_ isIncluded: (LayerKind) -> Bool) -> AttentionKernels? {
      shard.kinds.lazy.filter(isIncluded).compactMap {
        AttentionKernels(
          $0, LayerProgram($0, of: shard, choice), width: width, engine: engine, power: power,
          calibration: calibration)
      }.first
    }
    let full = attention { !$0.isWindowed }
    let windowed = attention { $0.isWindowed }
    // Of a kind that no layer has there is one all the same, which is never asked.
    let any = full ?? windowed ?? .unasked(engine: engine, power: power, calibration: calibration)
    self.attention = full ?? any
    windowedAttention = windowed ?? any
    let laws = DecodeAttentionLaws(
      full: self.attention.decodeLaw(batch: 0), windowed: windowedAttention.decodeLaw(batch: 0))
    attentionLaws = PriceTable(unknown: laws)
    template = DecodeTemplate(laws: laws, gpus: gpus)
    fullBefore = before { model.hasAttention(layer: $0) && model.windows[$0] == nil }
    windowedBefore = before { model.hasAttention(layer: $0) && model.windows[$0] != nil }
    expertsBefore = before { !model.hasDenseMLP[$0] }
    let withExperts = leavesOutExperts ? nil : kinds.first { $0.hasExperts }
    experts = withExperts.flatMap {
      ExpertKernel(
        LayerProgram($0, of: shard, choice), engine: engine, power: power,
        calibration: calibration, routing: routing)
    }
    hasExperts = experts != nil
    let sides = kinds.map {
      SideKernels(
        $0, LayerProgram($0, of: shard, choice), engine: engine, power: power,
        calibration: calibration)
    }
    side = sides.lazy.compactMap { $0 }.first
    kindHasSide = sides.map { $0 != nil }
    kindHasExperts = kinds.map { $0.hasExperts && !leavesOutExperts }
    sideBefore = before { sides[kindOfLayer[$0]] != nil }
    decodePrices = kinds.map { _ in PriceTable(unknown: DecodePrice()) }
    layerPrices = Array(repeating: PriceTable(unknown: LayerPrice()), count: 2 * kinds.count)
    self.routing = routing.map(RoutingReference.init)
    let attentionOfAll = self.attention
    self.profile = profile.map { profile in
      ProfileKernels(
        selection: TokenSelection(
          profile, shard.kinds, shard: shard, engine: engine, power: power, calibration: calibration),
        keys: profile.keys.map {
          SelectedAttention(
            $0, attentionOfAll, shard: shard, engine: engine, power: power, calibration: calibration)
        }, synchronisation: profile.synchronisation, classes: profile.drops.count + 1,
        loading: profile.reuse?.loading)
    }
    memo = PrefillMemo(
      misses: routing?.makeMisses() ?? ExpertMisses(shares: []), bands: max(8, self.profile?.classes ?? 0))
    self.drawSeed = drawSeed
    routesByLayer = drawSeed != nil || routing?.isUniformOverLayers == false
    expertBytes = experts?.bytesPerExpert ?? 0
  }

  /// How many layers of a kind a range holds.
  @inline(__always)
  func count(of kind: Int, in range: Range<Int>) -> Int {
    let base = kind * (layers + 1)
    return kindBefore[base + range.upperBound] - kindBefore[base + range.lowerBound]
  }

  /// The layers of a range that have experts, numbered among those.
  @inline(__always)
  func expertLayers(in range: Range<Int>) -> Range<Int> {
    expertsBefore[range.lowerBound]..<expertsBefore[range.upperBound]
  }
}

extension ModelShard {
  /// The kinds of layers that differ in more than the windows of their attention, and which each layer is of.
  fileprivate var kindsBesideWindows: (kinds: [LayerKind], kindOfLayer: [Int]) {
    let map = LayerMap(
      (0..<model.layers).map { layer in
        var kind = model.kind(ofLayer: layer)
        if case .attention(var attention) = kind.mixer, model.windowedHeads == nil,
          !model.hasSinksInWindowsAlone
        {
          attention.window = nil
          kind.mixer = .attention(attention)
        }
        return kind
      })
    return (
      map.kinds.map { $0.shared(by: gpus, expertRanks: expertRanks, dataParallel: dataParallel) },
      map.kindOfLayer
    )
  }
}

extension LayerKind {
  /// Whether attention sees a window, or chosen tokens.
  fileprivate var isWindowed: Bool {
    switch mixer {
    case .attention(let attention): attention.window != nil
    case .latentAttention(let latent): latent.indexer != nil
    case .compressedAttention, .gatedDelta, .stateSpace, .stateSpaceBesideAttention, .nothing: false
    }
  }
}

/// How tokens choose experts, to be lent without a copy.
final class RoutingReference: Sendable {
  let law: ExpertRouting

  init(_ law: ExpertRouting) { self.law = law }
}
