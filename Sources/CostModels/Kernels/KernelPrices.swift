import Serving
import Systems

/// What a ``KernelCostModel`` knows: laws, and the prices that it has worked out so far.
struct KernelPrices {
  let layers: Int
  let slidingWindow: Tokens?
  var idleWatts: Double { power.idleWatts * gpus }

  // Where a ledger keeps what.
  static let layerUses = 0
  static let decodeUses = 1
  static let beforeUses = 2
  static let afterUses = 3
  static let prefillTotal = 0
  static let decodeTotal = 1
  static let expertTotal = 2
  static let fusionTotal = 3

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
  /// Layers with a sliding window before each layer.
  let windowedBefore: [Int]
  let experts: ExpertKernel?
  let hasExperts: Bool

  /// By reference: a copy of the law itself takes as long as asking it.
  let routing: RoutingReference?
  let drawSeed: UInt64?
  /// The latest prefills, an entry for each of the bands that a step may have.
  var memo: PrefillMemo
  var latestDecode = DecodeAttentionPrice()
  var latestDecodePrice = DecodePrice()
  /// The latest numbers of rows before and after the layers, and what the kernels there take.
  var latestEntering = -1
  var latestLeaving = -1
  var latestBefore = Launch()
  var latestAfter = Launch()

  /// Whether layers differ in their experts, or every call's are drawn: then a decode step has no price of its own.
  let routesByLayer: Bool
  /// Bytes of one expert on one GPU.
  let expertBytes: Double

  var decodePrices = PriceTable(unknown: DecodePrice())
  var attentionLaws: PriceTable<DecodeAttentionLaws>
  var layerPrices = PriceTable(unknown: LayerPrice())
  var beforePrices = PriceTable(unknown: Launch())
  var afterPrices = PriceTable(unknown: Launch())

  init(
    system: ServedSystem, calibration: Calibration, routing: ExpertRouting?, drawSeed: UInt64?, width: Int
  ) {
    self.width = width
    let shard = system.shard
    let model = shard.model
    layers = model.layers
    let engine = system.engine
    host = engine.host
    graphs = engine.graphs
    repeatsEmbeddingAndHead = engine.repeatsEmbeddingAndHead
    power = PowerModel(system.hardware)
    gpus = Double(shard.gpus)
    let window = model.windows.compactMap { $0 }.max()
    slidingWindow = window
    rowKernels = RowKernels(shard: shard, engine: engine, power: power, calibration: calibration)
    func program(window: Int?) -> LayerProgram {
      LayerProgram(shard.kind(window: window), of: shard, engine.kernelChoice)
    }
    attention = AttentionKernels(
      program(window: nil), engine: engine, power: power, calibration: calibration)
    windowedAttention = AttentionKernels(
      program(window: window), engine: engine, power: power, calibration: calibration)
    attentionLaws = PriceTable(
      unknown: DecodeAttentionLaws(
        full: attention.decodeLaw(batch: 0, width: width),
        windowed: windowedAttention.decodeLaw(batch: 0, width: width)))
    windowedBefore = model.windows.reduce(into: [0]) { $0.append($0[$0.count - 1] + ($1 == nil ? 0 : 1)) }
    experts = ExpertKernel(
      program(window: nil), engine: engine, power: power, calibration: calibration,
      skew: routing?.skew ?? 0)
    hasExperts = experts != nil
    self.routing = routing.map(RoutingReference.init)
    memo = PrefillMemo(misses: routing?.makeMisses() ?? ExpertMisses(shares: []))
    self.drawSeed = drawSeed
    routesByLayer = drawSeed != nil || routing?.isUniformOverLayers == false
    expertBytes = experts?.bytesPerExpert ?? 0
  }
}

/// How tokens choose experts, to be lent without a copy.
final class RoutingReference: Sendable {
  let law: ExpertRouting

  init(_ law: ExpertRouting) { self.law = law }
}
