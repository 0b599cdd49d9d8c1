import Serving
import Systems

/// A kernel with its price: the fit of its shape, the engine's factor, and the GPU's power.
///
/// A class, since a struct of this size would be copied for each launch.
final class PricedKernel<Family: KernelFamily>: Sendable {
  let fit: Fit<Family>
  let scale: Double
  let power: PowerModel

  init(
    _ shape: Family.Shape, engine: EngineDescription, power: PowerModel, calibration: Calibration,
    further: Double = 1
  ) {
    fit = calibration.fit(shape)
    scale = Family.scale(in: engine.kernelScale) * further
    self.power = power
  }

  /// One launch.
  func launch(_ work: Family.Work) -> Launch {
    let traffic = Family.traffic(fit.shape, work)
    let isMeasured = fit.quality == .measured && Family.isInside(fit.measured, fit.shape, work)
    var launch = Launch(calls: fit.shape.isAppended ? 0 : 1)
    launch.extrapolated = isMeasured || !Family.flagsExtrapolation ? 0 : 1
    launch.seconds = fit.seconds(work) * scale
    launch.flops = traffic.flops
    launch.weightBytes = traffic.weightBytes
    launch.kvBytes = traffic.kvBytes
    launch.activationBytes = traffic.activationBytes
    power.apply(
      to: &launch, clocked: Family.clockedShare(fit.coefficients, fit.shape, work, on: fit.device),
      narrowFLOPs: traffic.narrowFLOPs, mxfp4Bytes: traffic.mxfp4Bytes)
    return launch
  }
}

/// Prefill and decode attention of a layer, with or without a sliding window.
final class AttentionKernels: Sendable {
  let prefill: PricedKernel<PrefillAttention>
  private let decode: PricedKernel<DecodeAttention>
  private let indexer: IndexScores?
  /// Rows of each decoding sequence, and the times of a byte that they read together and of a key.
  private let width: Int
  private let secondsPerByte: Double
  private let secondsPerKey: Double
  /// Whether an indexer picks the keys that decoding sequences see.
  var hasIndexer: Bool { indexer != nil }
  /// What splitting makes of each number of blocks, up to sixteen waves.
  private let splitWaves: [Double]

  /// Creates the kernels; nil in a layer without attention.
  ///
  /// - Parameters:
  ///   - kind: the layer.
  ///   - program: its kernels.
  ///   - width: rows of each decoding sequence.
  ///   - engine: the engine.
  ///   - power: the GPU's power.
  ///   - calibration: the fits.
  convenience init?(
    _ kind: LayerKind, _ program: LayerProgram, width: Int, engine: EngineDescription, power: PowerModel,
    calibration: Calibration
  ) {
    guard let prefill = program.shape(of: PrefillAttention.self),
      let decode = program.shape(of: DecodeAttention.self)
    else { return nil }
    var indexer: IndexScores?
    if case .latentAttention(let latent) = kind.mixer, let picks = latent.indexer {
      indexer = IndexScores(picks, engine: engine, power: power, calibration: calibration)
    }
    self.init(
      prefill: prefill, decode: decode, indexer: indexer, width: width, engine: engine, power: power,
      calibration: calibration)
  }

  private init(
    prefill: PrefillAttention.Shape, decode: DecodeAttention.Shape, indexer: IndexScores?, width: Int,
    engine: EngineDescription, power: PowerModel, calibration: Calibration
  ) {
    self.indexer = indexer
    self.prefill = PricedKernel(prefill, engine: engine, power: power, calibration: calibration)
    self.decode = PricedKernel(decode, engine: engine, power: power, calibration: calibration)
    self.width = width
    secondsPerByte = calibration.ofVerifiedRows(1, self.decode.fit, width: width)
    secondsPerKey = calibration.ofVerifiedRows(7, self.decode.fit, width: width)
    let units = calibration.figures.multiprocessors
    splitWaves =
      prefill.splitsKeys
      ? (0...16 * units).map { PrefillAttention.splitWaves(blocks: $0, multiprocessors: units) } : []
  }

  /// Kernels of a model that has no attention: nobody asks for them.
  static func unasked(
    engine: EngineDescription, power: PowerModel, calibration: Calibration
  ) -> AttentionKernels {
    AttentionKernels(
      prefill: .init(.init(heads: 1, keyValueHeads: 1, headDim: 64), splitsKeys: false, format: .bf16),
      decode: .init(.init(heads: 1, keyValueHeads: 1, headDim: 64)), indexer: nil, width: 1, engine: engine,
      power: power, calibration: calibration)
  }

  /// The decode attention of a number of sequences.
  func decodeLaw(batch: Int) -> DecodeAttentionLaw {
    DecodeAttentionLaw(
      batch: batch, width: width, decode, secondsPerByte: secondsPerByte, secondsPerKey: secondsPerKey,
      indexer: indexer)
  }

  /// One launch over all prefill segments.
  ///
  /// - Complexity: O(segments).
  func prefill(_ segments: Span<PrefillSegment>) -> Launch {
    var work = prefill.fit.shape.nothing
    for i in segments.indices { work.add(tokens: segments[i].tokens, prefix: segments[i].prefix) }
    let blocks = Int(work.queryTiles) * prefill.fit.shape.heads.keyValueHeads
    if blocks < splitWaves.count { work.splitWaves = splitWaves[blocks] }
    return prefill.launch(work)
  }
}

/// The experts of a layer: one grouped call over prefill and decode rows together.
final class ExpertKernel: Sendable {
  private let decode: PricedKernel<Experts>
  private let prefill: PricedKernel<Experts>
  private let skew: Double
  private let imbalance: Double?
  /// Bytes of one expert on one GPU, in the mean over all GPUs.
  let bytesPerExpert: Double

  /// Creates the kernel; nil in a layer without experts.
  init?(
    _ program: LayerProgram, engine: EngineDescription, power: PowerModel, calibration: Calibration,
    routing: ExpertRouting?
  ) {
    guard let shape = program.shape(of: Experts.self) else { return nil }
    skew = routing?.skew ?? 0
    imbalance = routing?.imbalance(over: shape.ranks, redundant: shape.placement?.redundant)
    decode = PricedKernel(shape, engine: engine, power: power, calibration: calibration)
    let scale = engine.kernelScale
    prefill = PricedKernel(
      shape, engine: engine, power: power, calibration: calibration,
      further: scale.expertPrefill * (shape.format == .mxfp4 ? scale.mxfp4Prefill : 1))
    bytesPerExpert = Double(shape.bytesPerExpert) / Double(shape.ranks)
  }

  /// One call: rows that it computes, the distinct experts that they are routed to, and whether some are prefill.
  func launch(rows: Int, active: Double, carriesPrefill: Bool) -> Launch {
    (carriesPrefill ? prefill : decode).launch(
      Experts.Work(rows: Double(rows), active: active, skew: skew, imbalance: imbalance))
  }
}

/// The kernels whose cost depends on the number of rows alone: everything but attention and experts.
final class RowKernels: Sendable {
  /// Of each kind of layer.
  private let layer: [[RowKernel]]
  /// How many of those mix tokens; the others are the feed-forward part.
  private let mixers: [Int]
  /// Kernels that are launched one by one in a layer of each kind, others than those of rows among them.
  let launches: [Int]
  private let before: [RowKernel]
  private let after: [RowKernel]

  init(
    kinds: [LayerKind], shard: ModelShard, choice: KernelChoice, engine: EngineDescription,
    power: PowerModel, calibration: Calibration
  ) {
    func priced(_ calls: [any KernelCall]) -> [RowKernel] {
      calls.compactMap { call in
        call.rowPricing.map {
          RowKernel(kernel: call.kernel, launch: $0.makeLaunch(engine, power, calibration))
        }
      }
    }
    let programs = kinds.map { LayerProgram($0, of: shard, choice) }
    layer = programs.map { priced($0.calls) }
    launches = programs.map(\.launches)
    mixers = programs.map { $0.calls.prefix($0.mixerCount).count { $0.rowPricing != nil } }
    before = priced(LayerProgram.before(shard, choice))
    after = priced(LayerProgram.after(shard, choice))
  }

  /// Visits the kernels of one layer.
  ///
  /// - Parameters:
  ///   - kind: which kind of layer it is.
  ///   - rows: what they run on.
  ///   - body: is called with each kernel and its launch.
  func forEachInLayer(kind: Int, _ rows: LaunchRows, _ body: (KernelKind, Launch) -> Void) {
    visit(layer[kind], rows, body)
  }

  /// Visits the kernels of one half of a layer.
  func forEach(in half: LayerHalf, kind: Int, _ rows: LaunchRows, _ body: (KernelKind, Launch) -> Void) {
    let split = mixers[kind]
    let kernels = half == .mixer ? layer[kind][..<split] : layer[kind][split...]
    visit(kernels, rows, body)
  }

  /// Visits the kernels before the first layer.
  func forEachBefore(_ rows: LaunchRows, _ body: (KernelKind, Launch) -> Void) {
    if rows.rows > 0 { visit(before, rows, body) }
  }

  /// Visits the kernels after the last layer.
  func forEachAfter(_ rows: LaunchRows, _ body: (KernelKind, Launch) -> Void) {
    if rows.rows > 0 { visit(after, rows, body) }
  }

  @inline(__always)
  private func visit(
    _ kernels: some Sequence<RowKernel>, _ rows: LaunchRows, _ body: (KernelKind, Launch) -> Void
  ) {
    for kernel in kernels {
      if let launch = kernel.launch(rows) { body(kernel.kernel, launch) }
    }
  }
}

/// The part of a layer that mixes the tokens of a sequence, or the one that sees each by itself.
enum LayerHalf { case mixer, feedForward }

/// A kernel with its price, whatever its family.
struct RowKernel: Sendable {
  let kernel: KernelKind
  let launch: RowLaunch
}
