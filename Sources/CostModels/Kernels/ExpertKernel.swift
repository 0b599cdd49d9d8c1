import Serving
import Systems

/// The experts of a layer: one grouped call over prefill and decode rows together.
final class ExpertKernel: Sendable {
  private let fit: MoEFit
  private let scale: Double
  private let power: PowerModel
  private let weightBytesPerExpert: Double
  private let flopsPerRow: Double
  private let bytesPerRow: Double

  init(shard: ModelShard, engine: EngineDescription, power: PowerModel, calibration: Calibration) {
    let model = shard.model
    fit = calibration.moe(
      hidden: model.hidden, intermediatePerGPU: shard.expertIntermediate, experts: model.experts,
      topK: model.topK, dtype: model.expertFormat == .mxfp4 ? .mxfp4 : .bf16)
    scale = engine.kernelScale.expertMLP
    self.power = power
    weightBytesPerExpert = Double(shard.bytesPerExpert)
    let h = Double(model.hidden)
    let i = Double(shard.expertIntermediate)
    let k = Double(model.topK)
    flopsPerRow = 6 * k * h * i
    // Rows are gathered (2h), pass gate and up (h + 2i), the activation (3i) and down (i + h), and are combined (h + h/k).
    bytesPerRow = 2 * k * (5 * h + 6 * i) + 2 * h
  }

  /// Bytes of one expert on one GPU.
  var bytesPerExpert: Double { weightBytesPerExpert }

  /// One call.
  ///
  /// - Parameters:
  ///   - rows: rows that it computes.
  ///   - active: distinct experts that they are routed to.
  /// - Returns: what it takes.
  func launch(rows: Int, active: Double) -> Launch {
    let r = Double(rows)
    var launch = Launch(calls: 1)
    launch.extrapolated = fit.isMeasured(rows: r, active: active) ? 0 : 1
    launch.seconds = fit.seconds(rows: r, active: active) * scale
    launch.flops = r * flopsPerRow
    launch.weightBytes = active * weightBytesPerExpert
    launch.activationBytes = r * bytesPerRow
    power.apply(to: &launch)
    return launch
  }
}
