import CostModels
import Serving
import Systems

extension NaiveCostModel {
  /// Keys and values as prefill and decode see them: heads of them, numbers of a key, of a value, and of both that are
  /// stored.
  private func entries(isDecode: Bool) -> (heads: Int, key: Int, value: Int, stored: Int) {
    guard model.isLatent else {
      return (shard.keyValueHeads, model.headDim, model.headDim, 2 * model.headDim)
    }
    // Decode sees one key, a part of which is the value; prefill has a key and a value for each head.
    return isDecode
      ? (1, model.latent + model.rope, model.latent, model.latent + model.rope)
      : (shard.heads, model.nope + model.rope, model.value, model.nope + model.rope + model.value)
  }

  /// The products of latent attention that are of decodes, or of prompts and their prefixes.
  ///
  /// The scores of an indexer over prompts are among them; those of decodes are with their attention.
  func latentProducts(decodes: Int, segments: [Step.Tile]) -> [Launch] {
    let absorbed = decodes > 0 ? shard.absorption.map { product($0, rows: decodes) } : []
    let rows = [segments.reduce(0) { $0 + $1.tokens }, segments.reduce(0) { $0 + $1.prefix }]
    let expanded = rows.filter { $0 > 0 }.map { product(shard.expansion, rows: $0) }
    guard model.hasIndexer, !segments.isEmpty else { return absorbed + expanded }
    var pairs = 0
    for segment in segments {
      for token in 0..<segment.tokens { pairs += segment.prefix + token + 1 }
    }
    return absorbed + expanded + [index(keys: rows[0] + rows[1], pairs: pairs)]
  }

  /// The scores of an indexer, by the data sheet: a launch, and keys that are read or, if that takes longer, multiplied in FP8.
  ///
  /// A key is a byte for each number, and a scale of four.
  private func index(keys: Int, pairs: Int) -> Launch {
    let bytes = Double(keys * (model.indexDim + 4))
    let flops = Double(2 * model.indexHeads * model.indexDim * pairs)
    let reading = bytes / (calibration.memoryBandwidth * calibration.memoryEfficiency)
    let computing = flops / (0.7 * 2 * calibration.flops)
    return Launch(
      kernel: "latent_products", seconds: (4e-6 + max(reading, computing)) * engine.kernelScale.attention,
      flops: flops, kvBytes: bytes, isExtrapolated: true, narrowFLOPs: flops)
  }

  /// A fit of these heads, or of the others that the calibration has.
  private func fit(_ kernel: String, window: Int) -> (fit: ToyCalibration.Fit, isMeasured: Bool) {
    if model.isLatent {
      let (heads, key, value, _) = entries(isDecode: kernel == "decode_attention")
      let exact = calibration.fit("latent_\(kernel)", "bf16", [shard.heads, heads, key, value])
      // Nobody measured it over picked keys.
      return (exact ?? .init(values: []), window == 0)
    }
    let dimensions = [shard.heads, shard.keyValueHeads, model.headDim, window]
    let name = window > 0 ? "windowed_\(kernel)" : kernel
    if let exact = calibration.fit(name, "bf16", dimensions) { return (exact, true) }
    let others = calibration.fits["\(name) bf16", default: [:]].values
    return (others.first ?? .init(values: []), false)
  }

  /// One launch over all decoding sequences.
  ///
  /// The rows of a sequence share the reading of its keys; each of them multiplies its own queries. Of latent attention, whose
  /// heads all share a key, arithmetic is what bounds them: rows beyond the heads that were measured take their time each.
  func decodeAttention(
    _ contexts: [Int], missing: Int = 0, width: Int = 1, isWindowed: Bool
  ) -> Launch {
    let window = isWindowed ? model.window ?? 0 : 0
    let all = contexts.reduce(0) { $0 + $1 + width - 1 } - missing
    let seen =
      window > 0
      ? cutsTogether
        ? min(all, contexts.count * window)
        : min(all, contexts.reduce(0) { $0 + min($1, window) + width - 1 })
      : all
    let (fit, isMeasured) = fit("decode_attention", window: window)
    let c = fit.values
    let batch = Double(contexts.count)
    let (heads, key, value, stored) = entries(isDecode: true)
    let bytes = Double(seen) * 2 * Double(heads) * Double(stored)
    // A window holds no more than it is wide.
    let read = window > 0 ? min(bytes, bytes / Double(seen) * batch * Double(window)) : bytes
    let waves = (batch * Double(heads) / calibration.multiprocessors).rounded(.up)
    let perByte = c[1] * (model.isLatent ? Double(width) : 1)
    var seconds = c[0] + perByte * read + c[2] * batch + c[3] * waves
    if window > 0, seen >= contexts.count * window { seconds += c[4] + c[5] * waves }
    // A block walks over the keys of one sequence, which has as many as the mean.
    let keysOfOne = Double(window > 0 ? min(seen, contexts.count * window) : seen) / batch
    seconds += c[7] * (model.isLatent ? Double(width) : 1) * waves * keysOfOne
    // An indexer scores whole contexts, in a launch of its own that is not told apart.
    let index = model.hasIndexer ? index(keys: all, pairs: all * width) : Launch(kernel: "")
    return Launch(
      kernel: "decode_attention", seconds: seconds * engine.kernelScale.attention + index.seconds,
      // Every query head multiplies its query with each key, and adds up each value.
      flops: 2 * Double(shard.heads) * Double(key + value) * Double(seen * width) + index.flops,
      kvBytes: bytes + index.kvBytes,
      activationBytes: 2 * Double(shard.heads) * Double(key + value) * batch * Double(width),
      isExtrapolated: !isMeasured || !fit.measured[0].contains(batch)
        || !fit.measured[1].contains(Double(seen)),
      narrowFLOPs: index.flops)
  }

  /// One launch over all prefill segments, tile by tile.
  func prefillAttention(_ segments: [Step.Tile], isWindowed: Bool) -> Launch {
    let window = isWindowed ? model.window ?? 0 : 0
    let (fit, isMeasured) = fit("prefill_attention", window: window)
    let (heads, _, _, _) = entries(isDecode: false)
    let height = 128 * Double(heads) / Double(shard.heads)
    var (tiles, keys, prefixes, longest) = (0.0, 0.0, 0.0, 0.0)
    var (pairs, queries, tokens) = (0, 0, 0)
    for segment in segments {
      for token in 0..<segment.tokens {
        let seen = segment.prefix + token + 1
        pairs += window > 0 ? min(seen, window) : seen
      }
      queries += segment.tokens
      tokens += segment.tokens + (window > 0 ? min(segment.prefix, window) : segment.prefix)
      var begin = 0.0
      var lastTile = 0.0
      while begin < Double(segment.tokens) {
        let end = min(begin + height, Double(segment.tokens))
        let last = ((Double(segment.prefix) + end) / 128).rounded(.up)
        let start = window > 0 ? max(0, Double(segment.prefix) + begin - Double(window) + 1) : 0
        tiles += 1
        lastTile = 128 * (last - (start / 128).rounded(.down))
        keys += lastTile
        prefixes += Double(segment.prefix)
        begin += height
      }
      longest = max(longest, lastTile)
    }
    let isInside =
      fit.measured[0].contains(tiles * Double(heads)) && fit.measured[1].contains(keys / tiles)
      && (prefixes == 0 || fit.measured[2].contains(prefixes / tiles))
    var launch = tiledAttention(
      tiles: tiles, keys: keys, longest: longest, queries: queries, tokens: tokens, pairs: pairs,
      window: window)
    launch.isExtrapolated = !isMeasured || !isInside || !engine.splitsAttentionKeys
    return launch
  }

  /// A launch of prefill attention by its tiles, the keys that they walk over together, and those of the longest one.
  func tiledAttention(
    tiles: Double, keys: Double, longest: Double, queries: Int, tokens: Int, pairs: Int, window: Int = 0
  ) -> Launch {
    let (fit, _) = fit("prefill_attention", window: window)
    let (heads, key, value, _) = entries(isDecode: false)
    let c = fit.values
    let blocks = tiles * Double(heads)
    let whole = (blocks / calibration.multiprocessors).rounded(.up)
    // Split into s parts each, blocks fill the waves better; a part takes an s-th of the time.
    let parts = engine.splitsAttentionKeys ? (1...32).map { Double($0) } : [1]
    let waves = parts.map { (blocks * $0 / calibration.multiprocessors).rounded(.up) / $0 }.min() ?? whole
    let tileFLOPs = keys / tiles * 128 * 2 * Double(key + value)
    // The launch waits for the longest tile.
    let longestFLOPs = longest * 128 * 2 * Double(key + value)
    let computing = c[1] * waves * tileFLOPs + c[4] * max(0, longestFLOPs - tileFLOPs)
    let headBytes = 2 * Double(key + value)
    let activationBytes = headBytes * Double(shard.heads) * Double(queries)
    let kvBytes = headBytes * Double(heads) * Double(tokens)
    let seconds =
      c[0] + computing + c[2] * (activationBytes + kvBytes) + c[3] * whole
    return Launch(
      kernel: "prefill_attention", seconds: seconds * engine.kernelScale.attention,
      flops: 2 * Double(shard.heads) * Double(key + value) * Double(pairs), kvBytes: kvBytes,
      activationBytes: activationBytes,
      clockedSeconds: computing * engine.kernelScale.attention)
  }
}
