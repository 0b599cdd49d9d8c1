import SimCore

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

  private let gpus: Double
  private let engine: EngineDescription
  private let power: PowerModel
  private let rowKernels: RowKernels
  private let attention: AttentionKernels
  private let windowedAttention: AttentionKernels
  /// Layers with a sliding window before each layer.
  private let windowedBefore: [Int]
  private let experts: ExpertKernel?

  private let routing: ExpertRouting?
  private var drawing: SplitMix64?
  private var misses: ExpertMisses?
  private var missTokens: [Int32] = []
  private var segmentTokens: [Int32] = []

  private var layerPrices = RowPriceTable()
  private var beforePrices = RowPriceTable()
  private var afterPrices = RowPriceTable()
  private var prefillTotal = Launch()
  private var decodeTotal = Launch()
  private var expertTotal = Launch()
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
    engine = system.engine
    power = PowerModel(system.hardware)
    gpus = Double(shard.gpus)
    self.kvBlocks = kvBlocks
    blockSize = engine.keyValueBlockSize
    let window = model.windows.compactMap { $0 }.max()
    slidingWindow = window
    rowKernels = RowKernels(shard: shard, engine: engine, power: power, calibration: calibration)
    attention = AttentionKernels(
      shard: shard, window: nil, engine: engine, power: power, calibration: calibration)
    windowedAttention = AttentionKernels(
      shard: shard, window: window, engine: engine, power: power, calibration: calibration)
    windowedBefore = model.windows.reduce(into: [0]) { $0.append($0[$0.count - 1] + ($1 == nil ? 0 : 1)) }
    experts =
      model.isMixtureOfExperts
      ? ExpertKernel(shard: shard, engine: engine, power: power, calibration: calibration) : nil
    self.routing = routing
    misses = routing?.makeMisses()
    drawing = drawSeed.map { SplitMix64(seed: $0, purpose: "routing") }
  }

  /// Adds the cost of some layers that all carry the same load.
  ///
  /// - Complexity: O(prefill segments), and O(experts) with prefill.
  public mutating func add(
    _ load: LayerLoad, prefill: Span<PrefillSegment>, layers range: Range<Int>, to cost: inout Cost
  ) {
    var prefillRows = 0
    for i in prefill.indices { prefillRows += prefill[i].tokens }
    let rows = load.decodes + prefillRows
    let depth = Double(range.count)
    let decodeShare = Double(load.decodes) / Double(rows)

    let fixed = layerPrices.entry(rows: rows, times: range.count) { [rowKernels, engine] rows in
      var entry = RowPriceTable.Entry()
      let (computed, inGraph) = engine.graphs.padded(rows: rows)
      rowKernels.forEachInLayer(rows: rows, computed: computed) { entry.launch += $1 }
      entry.computed = computed
      entry.issue = engine.host.launch(inGraph: inGraph)
      return entry
    }
    issue += fixed.issue * depth
    var total = Launch()
    total.add(fixed.launch, times: depth)
    var rowJoules = fixed.launch.joules * depth

    if let experts {
      let touched = distinctExperts(load, prefill: prefill, layers: range)
      let launch = experts.launch(rows: fixed.computed, active: touched / depth)
      total.add(launch, times: depth)
      expertTotal.add(launch, times: depth)
      rowJoules += launch.joules * depth
      let bytes = touched * experts.bytesPerExpert * gpus
      cost.experts += touched
      cost.expertBytes += bytes
      cost.decodeExpertBytes += bytes * decodeShare
      cost.weightBytes -= bytes
    }

    let windowed = Double(windowedBefore[range.upperBound] - windowedBefore[range.lowerBound])
    let full = depth - windowed
    if load.decodes > 0 {
      if full > 0 {
        let launch = attention.decode(batch: load.decodes, context: load.decodeContext)
        total.add(launch, times: full)
        decodeTotal.add(launch, times: full)
        cost.decodeContextJoules += launch.joules * full * gpus
      }
      if windowed > 0 {
        let launch = windowedAttention.decode(batch: load.decodes, context: load.decodeWindowContext)
        total.add(launch, times: windowed)
        decodeTotal.add(launch, times: windowed)
        cost.decodeRowJoules += launch.joules * windowed * gpus
      }
    }
    if prefillRows > 0 {
      for (kernels, count) in [(attention, full), (windowedAttention, windowed)] where count > 0 {
        let launch = kernels.prefill(prefill)
        total.add(launch, times: count)
        prefillTotal.add(launch, times: count)
        cost.prefillContextJoules += launch.joules * count * gpus
      }
    }
    charge(total, to: &cost)
    cost.decodeRowJoules += rowJoules * decodeShare * gpus
    cost.prefillRowJoules += rowJoules * (1 - decodeShare) * gpus
  }

  /// Adds the kernels before and after the layers, and the host's time; idle power flows all the while.
  public mutating func finish(_ shape: IterationShape, cost: inout Cost) {
    let repeats = engine.repeatsEmbeddingAndHead
    let entering = shape.decodes + (repeats ? shape.prefillRows : shape.enteringRows)
    let leaving = shape.decodes + (repeats ? shape.prefillSequences : shape.finishingSequences)
    let before = beforePrices.entry(rows: entering, times: 1) { [rowKernels] rows in
      var entry = RowPriceTable.Entry()
      rowKernels.forEachBefore(rows: rows) { entry.launch += $1 }
      return entry
    }
    let after = afterPrices.entry(rows: leaving, times: 1) { [rowKernels] rows in
      var entry = RowPriceTable.Entry()
      rowKernels.forEachAfter(rows: rows) { entry.launch += $1 }
      return entry
    }
    charge(before.launch, to: &cost)
    charge(after.launch, to: &cost)

    let preparation = engine.host.preparation(
      decodes: shape.decodes, prefills: shape.prefillSequences, enteringTokens: shape.enteringRows,
      hasPartialDepth: shape.hasPartialDepth)
    cost.seconds = max(cost.kernelSeconds, issue) + preparation
    issue = 0

    let joules = (before.launch.joules + after.launch.joules + power.idleWatts * cost.seconds) * gpus
    let decodeShare = Double(shape.decodes) / Double(shape.decodes + shape.prefillRows)
    cost.decodeRowJoules += joules * decodeShare
    cost.prefillRowJoules += joules * (1 - decodeShare)
  }

  /// What each kernel has used so far.
  ///
  /// - Complexity: O(different row counts seen × kernels).
  public var kernels: [KernelUse] {
    var totals = Array(repeating: Launch(), count: KernelKind.allCases.count)
    func add(_ kernel: KernelKind, _ launch: Launch, times: Int) {
      totals[kernel.index].add(launch, times: Double(times))
    }
    for (rows, uses) in layerPrices.uses.enumerated() where uses > 0 {
      let computed = engine.graphs.padded(rows: rows).rows
      rowKernels.forEachInLayer(rows: rows, computed: computed) { add($0, $1, times: uses) }
    }
    for (rows, uses) in beforePrices.uses.enumerated() where uses > 0 {
      rowKernels.forEachBefore(rows: rows) { add($0, $1, times: uses) }
    }
    for (rows, uses) in afterPrices.uses.enumerated() where uses > 0 {
      rowKernels.forEachAfter(rows: rows) { add($0, $1, times: uses) }
    }
    add(.prefillAttention, prefillTotal, times: 1)
    add(.decodeAttention, decodeTotal, times: 1)
    add(.expertMLP, expertTotal, times: 1)
    return zip(KernelKind.allCases, totals).compactMap { kernel, total in
      guard total.calls > 0 else { return nil }
      return KernelUse(
        kernel: kernel.rawValue, calls: Int(total.calls), extrapolatedCalls: Int(total.extrapolated),
        seconds: total.seconds, joules: total.joules * gpus, flops: total.flops * gpus,
        bytes: total.bytes * gpus)
    }
  }

  /// Distinct experts of one MoE call in each of some layers, summed over the layers.
  private mutating func distinctExperts(
    _ load: LayerLoad, prefill: Span<PrefillSegment>, layers range: Range<Int>
  ) -> Double {
    guard let routing else { return 0 }
    if !prefill.isEmpty { gatherMisses(prefill) }
    if drawing != nil {
      let count: ExpertCount
      if !prefill.isEmpty, let misses {
        count = routing.count(layers: range, decodes: load.decodes, misses: misses)
      } else {
        count = routing.count(layers: range, decodes: load.decodes)
      }
      var generator = drawing ?? SplitMix64(seed: 0)
      defer { drawing = generator }
      return routing.draw(count, layers: range.count, using: &generator)
    }
    if !prefill.isEmpty, let misses {
      return routing.distinct(layers: range, decodes: load.decodes, misses: misses)
    }
    return routing.distinct(layers: range, decodes: load.decodes)
  }

  /// Prepares the misses of a prefill; successive stages of one cohort ask for the same.
  private mutating func gatherMisses(_ prefill: Span<PrefillSegment>) {
    segmentTokens.removeAll(keepingCapacity: true)
    for i in prefill.indices { segmentTokens.append(Int32(prefill[i].tokens)) }
    guard segmentTokens != missTokens, var gathered = misses else { return }
    swap(&segmentTokens, &missTokens)
    misses = nil
    routing?.gather(missTokens.span, into: &gathered)
    misses = gathered
  }

  private func charge(_ launch: Launch, to cost: inout Cost) {
    cost.kernelSeconds += launch.seconds
    cost.flops += launch.flops * gpus
    cost.weightBytes += launch.weightBytes * gpus
    cost.kvBytes += launch.kvBytes * gpus
    cost.activationBytes += launch.activationBytes * gpus
  }
}
