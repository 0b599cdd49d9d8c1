import Serving
import Systems

/// The kernels whose cost depends on the number of rows alone: everything but attention and experts.
final class RowKernels: Sendable {
  private let shard: ModelShard
  private let engine: EngineDescription
  private let power: PowerModel
  private let qkv: GEMMFit
  private let o: GEMMFit
  private let router: GEMMFit?
  private let gateUp: GEMMFit?
  private let down: GEMMFit?
  private let head: GEMMFit
  private let elementwise: [KernelKind: ElementwiseFit]
  private let customAllReduce: AllReduceFit?
  private let ncclAllReduce: AllReduceFit?

  init(shard: ModelShard, engine: EngineDescription, power: PowerModel, calibration: Calibration) {
    let model = shard.model
    let projected = (shard.heads + 2 * shard.keyValueHeads) * model.headDim
    self.shard = shard
    self.engine = engine
    self.power = power
    qkv = calibration.gemm(n: projected, k: model.hidden)
    o = calibration.gemm(n: model.hidden, k: shard.heads * model.headDim)
    router = model.isMixtureOfExperts ? calibration.gemm(n: model.experts, k: model.hidden) : nil
    let isDense = !model.isMixtureOfExperts
    gateUp = isDense ? calibration.gemm(n: 2 * shard.intermediate, k: model.hidden) : nil
    down = isDense ? calibration.gemm(n: model.hidden, k: shard.intermediate) : nil
    head = calibration.gemm(n: shard.vocabulary, k: model.hidden)
    elementwise = Dictionary(
      uniqueKeysWithValues: [.embedding, .rmsNorm, .qkNormRopeKV, .siluMul, .sampling].map {
        ($0, calibration.elementwise($0.rawValue))
      })
    customAllReduce = shard.gpus > 1 ? calibration.allReduce(implementation: .custom, gpus: shard.gpus) : nil
    ncclAllReduce = shard.gpus > 1 ? calibration.allReduce(implementation: .nccl, gpus: shard.gpus) : nil
  }

  /// Visits the kernels of one layer.
  ///
  /// - Parameters:
  ///   - rows: rows with a token.
  ///   - computed: rows that the kernels run on, padding included.
  ///   - body: is called with each kernel and its launches.
  func forEachInLayer(rows: Int, computed: Int, _ body: (KernelKind, Launch) -> Void) {
    let model = shard.model
    let p = Double(computed)
    let h = Double(model.hidden)
    let kvWidth = Double(2 * shard.keyValueHeads * model.headDim)
    let qkvWidth = Double(shard.heads * model.headDim) + kvWidth
    // Residual and input are read, residual and output written, 2 bytes each.
    let norm = elementwiseLaunch(.rmsNorm, bytes: 8 * p * h)
    body(.rmsNorm, norm)
    body(.rmsNorm, norm)
    body(.qkvGEMM, gemmLaunch(qkv, computed, weights: shard.queryKeyValueBytes))
    body(
      .qkNormRopeKV,
      elementwiseLaunch(.qkNormRopeKV, bytes: 4 * p * qkvWidth, kvBytes: 2 * Double(rows) * kvWidth))
    body(.oGEMM, gemmLaunch(o, computed, weights: shard.outputBytes))
    if let router { body(.routerGEMM, gemmLaunch(router, computed, weights: shard.routerBytes)) }
    if let gateUp, let down {
      let width = Double(shard.intermediate)
      let downBytes = shard.denseMLPBytes / 3
      body(.gateUpGEMM, gemmLaunch(gateUp, computed, weights: shard.denseMLPBytes - downBytes))
      body(.siluMul, elementwiseLaunch(.siluMul, bytes: 6 * p * width))
      body(.downGEMM, gemmLaunch(down, computed, weights: downBytes))
    }
    if shard.gpus > 1 {
      let sum = allReduceLaunch(computed)
      body(.allReduce, sum)
      body(.allReduce, sum)
    }
  }

  /// Visits the kernels before the first layer: embedding and, with several GPUs, its sum.
  func forEachBefore(rows: Int, _ body: (KernelKind, Launch) -> Void) {
    guard rows > 0 else { return }
    body(.embedding, elementwiseLaunch(.embedding, bytes: 4 * Double(rows) * Double(shard.model.hidden)))
    if shard.gpus > 1 { body(.allReduce, allReduceLaunch(rows)) }
  }

  /// Visits the kernels after the last layer: final norm, LM head and sampling.
  func forEachAfter(rows: Int, _ body: (KernelKind, Launch) -> Void) {
    guard rows > 0 else { return }
    body(.rmsNorm, elementwiseLaunch(.rmsNorm, bytes: 8 * Double(rows) * Double(shard.model.hidden)))
    body(.lmHead, gemmLaunch(head, rows, weights: shard.headBytes))
    // GPU 0 gathers the logits and reads them all.
    body(.sampling, elementwiseLaunch(.sampling, bytes: 2 * Double(rows) * Double(shard.model.vocabulary)))
  }

  private func gemmLaunch(_ fit: GEMMFit, _ rows: Int, weights: Int) -> Launch {
    let m = Double(rows)
    var launch = Launch(calls: 1)
    launch.extrapolated = fit.isMeasured(rows: m) ? 0 : 1
    launch.seconds = fit.seconds(rows: m) * engine.kernelScale.other
    launch.flops = 2 * m * Double(fit.n) * Double(fit.k)
    launch.weightBytes = Double(weights)
    launch.activationBytes = 2 * m * Double(fit.n + fit.k)
    power.apply(to: &launch)
    return launch
  }

  private func elementwiseLaunch(_ kernel: KernelKind, bytes: Double, kvBytes: Double = 0) -> Launch {
    var launch = Launch(calls: 1)
    launch.seconds = (elementwise[kernel]?.seconds(bytes: bytes + kvBytes) ?? 0) * engine.kernelScale.other
    launch.activationBytes = bytes
    launch.kvBytes = kvBytes
    power.apply(to: &launch)
    return launch
  }

  private func allReduceLaunch(_ rows: Int) -> Launch {
    let bytes = 2 * Double(rows) * Double(shard.model.hidden)
    let isCustom = bytes < Double(engine.customAllReduceLimitBytes)
    var launch = Launch(calls: 1)
    guard let fit = isCustom ? customAllReduce : ncclAllReduce else { return launch }
    launch.extrapolated = fit.isMeasured(bytes: bytes) ? 0 : 1
    launch.seconds = fit.seconds(bytes: bytes) * engine.kernelScale.other
    launch.activationBytes = 2 * bytes  // read here, and from or to the others
    power.apply(to: &launch)
    return launch
  }
}
