import CostModels
import Serving
import Systems

extension NaiveCostModel {
  /// A fit of these heads, or of the others that the calibration has.
  private func fit(_ kernel: String, window: Int) -> (fit: ToyCalibration.Fit, isMeasured: Bool) {
    let dimensions = [shard.heads, shard.keyValueHeads, model.headDim, window]
    let name = window > 0 ? "windowed_\(kernel)" : kernel
    if let exact = calibration.fit(name, "bf16", dimensions) { return (exact, true) }
    let others = calibration.fits["\(name) bf16", default: [:]].values
    return (others.first ?? .init(values: []), false)
  }

  /// One launch over all decoding sequences.
  ///
  /// The rows of a sequence share the reading of its keys; each of them multiplies its own queries.
  func decodeAttention(_ contexts: [Int], width: Int = 1, isWindowed: Bool) -> Launch {
    let window = isWindowed ? model.window ?? 0 : 0
    let seen = contexts.reduce(0) { $0 + (window > 0 ? min($1, window) : $1) + width - 1 }
    let (fit, isMeasured) = fit("decode_attention", window: window)
    let c = fit.values
    let batch = Double(contexts.count)
    let bytes = Double(seen) * 4 * Double(shard.keyValueHeads) * Double(model.headDim)
    // A window holds no more than it is wide.
    let read = window > 0 ? min(bytes, bytes / Double(seen) * batch * Double(window)) : bytes
    let waves = (batch * Double(shard.keyValueHeads) / calibration.multiprocessors).rounded(.up)
    var seconds = c[0] + c[1] * read + c[2] * batch + c[3] * waves
    if window > 0, seen >= contexts.count * window { seconds += c[4] + c[5] * waves }
    return Launch(
      kernel: "decode_attention", seconds: seconds * engine.kernelScale.attention,
      // Every query head multiplies its query with each key, and adds up each value.
      flops: 4 * Double(shard.heads) * Double(model.headDim) * Double(seen * width), kvBytes: bytes,
      activationBytes: 4 * Double(shard.heads) * Double(model.headDim) * batch * Double(width),
      isExtrapolated: !isMeasured || !fit.measured[0].contains(batch)
        || !fit.measured[1].contains(Double(seen)))
  }

  /// One launch over all prefill segments, tile by tile.
  func prefillAttention(_ segments: [Step.Tile], isWindowed: Bool) -> Launch {
    let window = isWindowed ? model.window ?? 0 : 0
    let (fit, isMeasured) = fit("prefill_attention", window: window)
    let height = 128 * Double(shard.keyValueHeads) / Double(shard.heads)
    var (tiles, keys, prefixes) = (0.0, 0.0, 0.0)
    var (pairs, queries, entries) = (0, 0, 0)
    for segment in segments {
      for token in 0..<segment.tokens {
        let seen = segment.prefix + token + 1
        pairs += window > 0 ? min(seen, window) : seen
      }
      queries += segment.tokens
      entries += segment.tokens + (window > 0 ? min(segment.prefix, window) : segment.prefix)
      var begin = 0.0
      while begin < Double(segment.tokens) {
        let end = min(begin + height, Double(segment.tokens))
        let last = ((Double(segment.prefix) + end) / 128).rounded(.up)
        let start = window > 0 ? max(0, Double(segment.prefix) + begin - Double(window) + 1) : 0
        tiles += 1
        keys += 128 * (last - (start / 128).rounded(.down))
        prefixes += Double(segment.prefix)
        begin += height
      }
    }
    let c = fit.values
    let blocks = tiles * Double(shard.keyValueHeads)
    let whole = (blocks / calibration.multiprocessors).rounded(.up)
    // Split into s parts each, blocks fill the waves better; a part takes an s-th of the time.
    let parts = engine.splitsAttentionKeys ? (1...32).map { Double($0) } : [1]
    let waves = parts.map { (blocks * $0 / calibration.multiprocessors).rounded(.up) / $0 }.min() ?? whole
    let tileFLOPs = keys / tiles * 128 * 4 * Double(model.headDim)
    let headBytes = 4 * Double(model.headDim)
    let activationBytes = headBytes * Double(shard.heads) * Double(queries)
    let kvBytes = headBytes * Double(shard.keyValueHeads) * Double(entries)
    let seconds =
      c[0] + c[1] * waves * tileFLOPs + c[2] * (activationBytes + kvBytes) + c[3] * whole
    let isInside =
      fit.measured[0].contains(blocks) && fit.measured[1].contains(keys / tiles)
      && (prefixes == 0 || fit.measured[2].contains(prefixes / tiles))
    return Launch(
      kernel: "prefill_attention", seconds: seconds * engine.kernelScale.attention,
      flops: 4 * Double(shard.heads) * Double(model.headDim) * Double(pairs), kvBytes: kvBytes,
      activationBytes: activationBytes,
      isExtrapolated: !isMeasured || !isInside || !engine.splitsAttentionKeys,
      clockedSeconds: c[1] * waves * tileFLOPs * engine.kernelScale.attention)
  }
}
