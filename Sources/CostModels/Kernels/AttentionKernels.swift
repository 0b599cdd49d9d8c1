import Serving
import Systems

/// Prefill and decode attention of a layer, with or without a sliding window.
final class AttentionKernels: Sendable {
  private let heads: Double
  private let keyValueHeads: Double
  private let headDim: Double
  private let window: Int?
  private let scale: Double
  private let power: PowerModel
  private let prefillFit: PrefillAttentionFit
  private let decodeFit: DecodeAttentionFit

  init(
    shard: ModelShard, window: Int?, engine: EngineDescription, power: PowerModel, calibration: Calibration
  ) {
    heads = Double(shard.heads)
    keyValueHeads = Double(shard.keyValueHeads)
    headDim = Double(shard.model.headDim)
    self.window = window
    scale = engine.kernelScale.attention
    self.power = power
    prefillFit = calibration.prefillAttention(
      heads: shard.heads, kvHeads: shard.keyValueHeads, headDim: shard.model.headDim, window: window ?? 0)
    decodeFit = calibration.decodeAttention(
      heads: shard.heads, kvHeads: shard.keyValueHeads, headDim: shard.model.headDim, window: window ?? 0)
  }

  /// The decode attention of so many sequences.
  func decodeLaw(batch: Int) -> DecodeAttentionLaw {
    DecodeAttentionLaw(
      batch: batch, fit: decodeFit, heads: heads, headDim: headDim, scale: scale, power: power)
  }

  /// One launch over all prefill segments.
  ///
  /// - Complexity: O(segments).
  func prefill(_ segments: Span<PrefillSegment>) -> Launch {
    var shape = prefillFit.emptyShape()
    var visible = 0.0
    for i in segments.indices {
      shape.add(tokens: segments[i].tokens, prefix: segments[i].prefix)
      visible += Self.visible(segments[i], window: window)
    }
    var launch = Launch(calls: 1)
    launch.extrapolated = prefillFit.isMeasured(shape) ? 0 : 1
    launch.seconds = prefillFit.seconds(shape) * scale
    launch.flops = 4 * heads * headDim * visible
    launch.kvBytes = 4 * keyValueHeads * headDim * shape.keyTokens
    launch.activationBytes = 4 * heads * headDim * shape.queryTokens
    power.apply(to: &launch)
    return launch
  }

  /// Pairs of a query and a key that it attends to.
  static func visible(_ segment: PrefillSegment, window: Int?) -> Double {
    let c = Double(segment.tokens)
    let p = Double(segment.prefix)
    guard let window else { return c * (p + (c + 1) / 2) }
    // The queries up to position w see everything before them; those after, w keys.
    let short = max(0, min(c, Double(window) - p))
    return short * (p + (short + 1) / 2) + (c - short) * Double(window)
  }
}
