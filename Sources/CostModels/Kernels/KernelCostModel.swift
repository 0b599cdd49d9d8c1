import Serving
import Statistics
import Systems

/// Prices iterations kernel by kernel, from measured tables, for a model on a GPU under a serving engine.
///
/// An iteration takes as long as its kernels, or as long as the host needs to issue them if that is longer, and the
/// host's preparation on top. Kernels whose cost depends on the number of rows alone are priced once for each number;
/// attention and experts are priced by formula every time.
public struct KernelCostModel: CostModel {
  /// Number of transformer layers.
  public let layers: Int
  /// Blocks of KV memory.
  public let kvBlocks: Int
  /// Tokens in a block of KV memory.
  public let blockSize: Int
  /// Positions that the layers with sliding-window attention see.
  public let slidingWindow: Tokens?
  /// Power that all GPUs draw while they wait.
  public var idleWatts: Double { power.idleWatts * gpus }

  let gpus: Double
  let host: HostOverhead
  let graphs: GraphSizes
  private let repeatsEmbeddingAndHead: Bool
  let power: PowerModel
  let rowKernels: RowKernels
  let attention: AttentionKernels
  let windowedAttention: AttentionKernels
  /// Layers with a sliding window before each layer.
  let windowedBefore: [Int]
  let experts: ExpertKernel?
  private let hasExperts: Bool

  let routing: ExpertRouting?
  private var drawing: SplitMix64?
  private var recalled: RecalledPrefill
  private var latestDecode = DecodeAttentionPrice()
  private var latestDecodePrice = DecodePrice()

  /// Whether layers differ in their experts, or every call's are drawn: then a decode step has no price of its own.
  let routesByLayer: Bool
  /// Bytes of one expert on one GPU.
  let expertBytes: Double

  var decodePrices = PriceTable(unknown: DecodePrice())
  var attentionLaws: PriceTable<DecodeAttentionLaws>
  var layerPrices = PriceTable(unknown: LayerPrice())
  var beforePrices = PriceTable(unknown: Launch())
  var afterPrices = PriceTable(unknown: Launch())
  var prefillTotal = Launch()
  var decodeTotal = Launch()
  var expertTotal = Launch()
  /// What each kernel has used in the iteration at hand, by ``KernelKind/index``; only if somebody asks.
  var iteration = Array(repeating: Launch(), count: KernelKind.allCases.count)
  /// Whether to keep what each kernel uses in an iteration.
  public var logsKernels = false
  /// Time to issue the layers of the iteration at hand.
  private var issue: Seconds = 0

  /// Creates the cost model of a system.
  ///
  /// - Parameters:
  ///   - system: the model, GPU, engine and their number.
  ///   - calibration: coefficients of the GPU's kernels.
  ///   - routing: how tokens choose experts; `nil` for a dense model.
  ///   - drawSeed: if set, distinct experts are drawn with this seed instead of taken at their expectation.
  ///   - kvBlocks: blocks of KV memory.
  public init(
    system: ServedSystem, calibration: Calibration, routing: ExpertRouting?, drawSeed: UInt64? = nil,
    kvBlocks: Int
  ) {
    let shard = system.shard
    let model = shard.model
    layers = model.layers
    let engine = system.engine
    host = engine.host
    graphs = engine.graphs
    repeatsEmbeddingAndHead = engine.repeatsEmbeddingAndHead
    power = PowerModel(system.hardware)
    gpus = Double(shard.gpus)
    self.kvBlocks = kvBlocks
    blockSize = engine.keyValueBlockSize
    let window = model.windows.compactMap { $0 }.max()
    slidingWindow = window
    rowKernels = RowKernels(shard: shard, engine: engine, power: power, calibration: calibration)
    func program(window: Int?) -> LayerProgram {
      LayerProgram(
        shard.kind(window: window), of: shard, allReduceLimit: engine.customAllReduceLimitBytes)
    }
    attention = AttentionKernels(
      program(window: nil), engine: engine, power: power, calibration: calibration)
    windowedAttention = AttentionKernels(
      program(window: window), engine: engine, power: power, calibration: calibration)
    attentionLaws = PriceTable(
      unknown: DecodeAttentionLaws(
        full: attention.decodeLaw(batch: 0), windowed: windowedAttention.decodeLaw(batch: 0)))
    windowedBefore = model.windows.reduce(into: [0]) { $0.append($0[$0.count - 1] + ($1 == nil ? 0 : 1)) }
    experts = ExpertKernel(
      program(window: nil), engine: engine, power: power, calibration: calibration)
    hasExperts = experts != nil
    self.routing = routing
    recalled = RecalledPrefill(misses: routing?.makeMisses() ?? ExpertMisses(shares: []))
    drawing = drawSeed.map { SplitMix64(seed: $0, purpose: "routing") }
    routesByLayer = drawSeed != nil || routing?.isUniformOverLayers == false
    expertBytes = experts?.bytesPerExpert ?? 0
  }

  /// Adds the cost of some layers that all carry the same load.
  ///
  /// - Complexity: O(prefill segments), and O(experts) with prefill.
  public mutating func add(
    _ load: LayerLoad, prefill: Span<PrefillSegment>, layers range: Range<Int>, to cost: inout Cost
  ) {
    guard !prefill.isEmpty || routesByLayer else { return addDecode(load, layers: range, to: &cost) }
    let hasPrefill = !prefill.isEmpty
    if hasPrefill { recall(prefill) }
    let prefillRows = hasPrefill ? recalled.rows : 0
    let rows = load.decodes + prefillRows
    let depth = Double(range.count)
    let decodeShare = Double(load.decodes) / Double(rows)

    if !layerPrices.knows(rows) { layerPrices.learn(rows, layerPrice(rows: rows)) }
    layerPrices.note(rows, times: range.count)
    let fixed = layerPrices.prices[rows]
    issue += fixed.issue * depth
    var total = Charge()
    total.add(fixed.launch, times: depth)
    var rowJoules = fixed.launch.joules * depth

    var expertLaunch = Launch()
    if hasExperts {
      let call = expertCall(load, hasPrefill: hasPrefill, computed: fixed.computed, layers: range)
      let touched = call.touched
      let launch = call.launch
      expertLaunch = launch
      total.add(launch, times: depth)
      expertTotal.add(launch, times: depth)
      rowJoules += launch.joules * depth
      let bytes = touched * expertBytes * gpus
      cost.experts += touched
      cost.expertBytes += bytes
      cost.decodeExpertBytes += bytes * decodeShare
      cost.weightBytes -= bytes
    }

    if load.decodes > 0 { addDecodeAttention(load, layers: range, to: &total, &cost) }
    if hasPrefill {
      let windowed = Double(windowedBefore[range.upperBound] - windowedBefore[range.lowerBound])
      let full = depth - windowed
      var launch = Launch()
      if full > 0 { launch.add(recalled.attention, times: full) }
      if windowed > 0 { launch.add(recalled.windowedAttention, times: windowed) }
      total.add(launch, times: 1)
      prefillTotal.add(launch, times: 1)
      if logsKernels { iteration[KernelKind.prefillAttention.index] += launch }
      cost.prefillContextJoules += launch.joules * gpus
    }
    charge(total, to: &cost)
    if logsKernels { logLayers(rows: rows, experts: expertLaunch, times: depth) }
    cost.decodeRowJoules += rowJoules * decodeShare * gpus
    cost.prefillRowJoules += rowJoules * (1 - decodeShare) * gpus
  }

  /// Adds the cost of some layers that decode and do nothing else.
  ///
  /// - Complexity: O(1).
  private mutating func addDecode(_ load: LayerLoad, layers range: Range<Int>, to cost: inout Cost) {
    if load.decodes != latestDecodePrice.batch {
      learnDecodePrice(load.decodes)
      latestDecodePrice = decodePrices.prices[load.decodes]
    }
    decodePrices.note(load.decodes, times: range.count)
    let depth = Double(range.count)
    let experts = latestDecodePrice.distinct * depth
    let bytes = experts * expertBytes * gpus
    var total = Charge()
    issue += latestDecodePrice.issue * depth
    total.add(latestDecodePrice.launch, times: depth)
    cost.experts += experts
    cost.expertBytes += bytes
    cost.decodeExpertBytes += bytes
    cost.weightBytes -= bytes
    cost.decodeRowJoules += latestDecodePrice.launch.joules * depth * gpus
    addDecodeAttention(load, layers: range, to: &total, &cost)
    charge(total, to: &cost)
    if logsKernels {
      logLayers(rows: load.decodes, experts: latestDecodePrice.experts, times: depth)
    }
  }

  /// Adds the attention of the decode rows.
  private mutating func addDecodeAttention(
    _ load: LayerLoad, layers range: Range<Int>, to total: inout Charge, _ cost: inout Cost
  ) {
    let windowed = Double(windowedBefore[range.upperBound] - windowedBefore[range.lowerBound])
    let full = Double(range.count) - windowed
    if load != latestDecode.load { priceDecodeAttention(load) }
    if full > 0 {
      let launch = latestDecode.full
      total.add(launch, times: full)
      decodeTotal.add(launch, times: full)
      if logsKernels { iteration[KernelKind.decodeAttention.index].add(launch, times: full) }
      cost.decodeContextJoules += launch.joules * full * gpus
    }
    if windowed > 0 {
      let launch = latestDecode.windowed
      total.add(launch, times: windowed)
      decodeTotal.add(launch, times: windowed)
      if logsKernels { iteration[KernelKind.decodeAttention.index].add(launch, times: windowed) }
      cost.decodeRowJoules += launch.joules * windowed * gpus
    }
  }

  private mutating func priceDecodeAttention(_ load: LayerLoad) {
    learnAttentionLaws(load.decodes)
    latestDecode.load = load
    latestDecode.full = attentionLaws.prices[load.decodes].full.launch(context: load.decodeContext)
    guard slidingWindow != nil else { return }
    latestDecode.windowed =
      attentionLaws.prices[load.decodes].windowed.launch(context: load.decodeWindowContext)
  }

  /// Adds the kernels before and after the layers, and the host's time; idle power flows all the while.
  public mutating func finish(_ shape: IterationShape, cost: inout Cost) {
    let repeats = repeatsEmbeddingAndHead
    let entering = shape.decodes + (repeats ? shape.prefillRows : shape.enteringRows)
    let leaving = shape.decodes + (repeats ? shape.prefillSequences : shape.finishingSequences)
    learnPrices(before: entering, after: leaving)
    beforePrices.note(entering, times: 1)
    afterPrices.note(leaving, times: 1)
    let before = beforePrices.prices[entering]
    let after = afterPrices.prices[leaving]
    charge(before.charge, to: &cost)
    charge(after.charge, to: &cost)
    if logsKernels {
      rowKernels.forEachBefore(rows: entering) { iteration[$0.index] += $1 }
      rowKernels.forEachAfter(rows: leaving) { iteration[$0.index] += $1 }
    }

    let preparation = host.preparation(
      decodes: shape.decodes, prefills: shape.prefillSequences, enteringTokens: shape.enteringRows,
      hasPartialDepth: shape.hasPartialDepth)
    cost.seconds = max(cost.kernelSeconds, issue) + preparation
    issue = 0

    let joules = (before.joules + after.joules + power.idleWatts * cost.seconds) * gpus
    let decodeShare = Double(shape.decodes) / Double(shape.decodes + shape.prefillRows)
    cost.decodeRowJoules += joules * decodeShare
    cost.prefillRowJoules += joules * (1 - decodeShare)
  }

  /// The experts of some layers; the stages of a cohort mostly ask for the same.
  private mutating func expertCall(
    _ load: LayerLoad, hasPrefill: Bool, computed: Int, layers range: Range<Int>
  ) -> ExpertCall {
    let known = recalled.experts
    if !routesByLayer, known.decodes == load.decodes, known.layers == range.count { return known }
    var call = ExpertCall(decodes: load.decodes, layers: range.count)
    call.touched = distinctExperts(load, hasPrefill: hasPrefill, layers: range)
    if let experts {
      call.launch = experts.launch(rows: computed, active: call.touched / Double(range.count))
    }
    recalled.experts = call
    return call
  }

  /// Distinct experts of one MoE call in each of some layers, summed over the layers.
  private mutating func distinctExperts(_ load: LayerLoad, hasPrefill: Bool, layers range: Range<Int>)
    -> Double
  {
    guard let routing else { return 0 }
    guard var generator = drawing else {
      return hasPrefill
        ? routing.distinct(layers: range, decodes: load.decodes, misses: recalled.misses)
        : routing.distinct(layers: range, decodes: load.decodes)
    }
    defer { drawing = generator }
    let count =
      hasPrefill
      ? routing.count(layers: range, decodes: load.decodes, misses: recalled.misses)
      : routing.count(layers: range, decodes: load.decodes)
    return routing.draw(count, layers: range.count, using: &generator)
  }

  /// Makes ``recalled`` the prefill at hand; the stages of a cohort all ask for the same.
  private mutating func recall(_ prefill: Span<PrefillSegment>) {
    var isSame = prefill.count == recalled.segments.count
    var i = 0
    while isSame, i < prefill.count {
      isSame = prefill[i] == recalled.segments[i]
      i += 1
    }
    guard !isSame else { return }
    recalled.segments.removeAll(keepingCapacity: true)
    recalled.tokens.removeAll(keepingCapacity: true)
    recalled.rows = 0
    for i in prefill.indices {
      recalled.segments.append(prefill[i])
      recalled.tokens.append(Int32(prefill[i].tokens))
      recalled.rows += prefill[i].tokens
    }
    recalled.experts = ExpertCall()
    recalled.attention = attention.prefill(prefill)
    if slidingWindow != nil { recalled.windowedAttention = windowedAttention.prefill(prefill) }
    routing.map { Self.gather($0, tokens: recalled.tokens, into: &recalled.misses) }
  }

  private static func gather(_ routing: ExpertRouting, tokens: [Int32], into misses: inout ExpertMisses) {
    routing.gather(tokens.span, into: &misses)
  }

  @inline(__always)
  private func charge(_ total: Charge, to cost: inout Cost) {
    cost.kernelSeconds += total.seconds
    cost.weightBytes += total.weightBytes * gpus
    cost.kvBytes += total.kvBytes * gpus
    cost.activationBytes += total.activationBytes * gpus
  }
}
