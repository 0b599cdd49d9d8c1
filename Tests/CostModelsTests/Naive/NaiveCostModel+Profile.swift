import CostModels
import Serving
import Systems

/// The parts of a step between two waits of the host for the GPU.
struct NaivePieces {
  private var parts: [(kernels: Double, issue: Double)] = []
  private var done = (kernels: 0.0, issue: 0.0)

  mutating func wait(kernels: Double, issue: Double) {
    parts.append((kernels - done.kernels, issue - done.issue))
    done = (kernels, issue)
  }

  /// The time beyond the longer of all kernels and of their whole issue.
  func exposed(before: Double, behind: Double, issue: Double, layers: Double, wait: Double) -> Double {
    guard !parts.isEmpty else { return 0 }
    var all = parts + [(layers - done.kernels + behind, issue - done.issue)]
    all[0].kernels += before
    let sum = all.reduce(0) { $0 + max($1.kernels, $1.issue) }
    return max(0, sum - max(before + layers + behind, issue)) + wait * Double(parts.count)
  }
}

extension NaiveCostModel {
  /// A layer that drops rows, between its attention and its MLP or behind both.
  func drop(
    at layer: Int, _ band: Step.Band, of step: Step, issue: inout Double, _ pieces: inout NaivePieces,
    _ answer: inout Answer
  ) {
    let behind = band.behind ?? []
    let decodes = step.contexts.count * step.width
    func half(_ segments: [Step.Tile], isMixer: Bool) -> Int {
      let rows = decodes + segments.reduce(0) { $0 + $1.tokens }
      let (computed, isInGraph) = padded(rows, prefill: true)
      issue += issueSeconds(layer, isInGraph: isInGraph) / 2
      var joules = 0.0
      let launches = rowLaunches(layer, rows: rows, computed: computed, isInGraph: isInGraph)
      // Of two norms and two sums there is one in each half; a sum alone is that of the MLP.
      var isSeen = Set<String>()
      if launches.count(where: { $0.kernel == "all_reduce" }) == 1 { isSeen.insert("all_reduce") }
      for launch in launches {
        let isOfMLP =
          ["rms_norm", "all_reduce"].contains(launch.kernel)
          ? !isSeen.insert(launch.kernel).inserted
          : ["router_gemm", "gate_up_gemm", "silu_mul", "down_gemm"].contains(launch.kernel)
            || launch.kernel.hasPrefix("expert_") || launch.kernel.hasPrefix("shared_")
        if isOfMLP != isMixer { joules += add(launch, to: &answer) }
      }
      answer.cost.decodeRowJoules += joules * Double(decodes) / Double(rows)
      answer.cost.prefillRowJoules += joules * Double(rows - decodes) / Double(rows)
      return computed
    }
    _ = half(band.segments, isMixer: true)
    addMixing(layer, band.segments, of: step, to: &answer)
    let scoring = scores(band.segments, kept: behind.reduce(0) { $0 + $1.tokens })
    answer.cost.prefillContextJoules += add(scoring, to: &answer)
    answer.uses["selection"]?.calls += band.segments.count - 1
    answer.uses["selection"]?.extrapolatedCalls += band.segments.count - 1
    if !band.isBehindLayer { pieces.wait(kernels: answer.cost.kernelSeconds, issue: issue) }
    let rows = band.isBehindLayer ? band.segments : behind
    let computed = half(rows, isMixer: false)
    addExperts(layer, rows, decodes: decodes, computed: computed, to: &answer)
    if band.isBehindLayer { pieces.wait(kernels: answer.cost.kernelSeconds, issue: issue) }
  }

  /// Scores of the last queries, or of all, with all keys, prompt by prompt, and the gathers of what stays.
  private func scores(_ segments: [Step.Tile], kept: Int) -> Launch {
    guard let profile else { return Launch(kernel: "") }
    let bandwidth = calibration.memoryBandwidth * calibration.memoryEfficiency
    var launch = Launch(kernel: "selection", isExtrapolated: true)
    // Of latent attention prompts have a key for each head.
    let (heads, stored, width) =
      model.isLatent
      ? (shard.heads, shard.heads, model.nope + model.rope)
      : (shard.heads, shard.keyValueHeads, model.headDim)
    for segment in segments {
      var queries = segment.tokens
      if case .lastQueries(let count) = profile.scoring { queries = min(count, queries) }
      let scores = 2 * Double(queries * segment.tokens * heads)
      let keys = 2 * Double(segment.tokens * stored * width)
      let flops = 2 * Double(queries * segment.tokens * heads * width)
      launch.flops += flops
      launch.seconds += 7 * 4e-6 + max(flops / (0.7 * calibration.flops), (keys + scores) / bandwidth)
      if case .probabilities = profile.scoring {
        // Normalised in place, and read.
        launch.seconds += 3 * scores / bandwidth
        launch.activationBytes += keys + 4 * scores
      } else {
        // A block for each head reads its scores with the bandwidth of one multiprocessor.
        launch.seconds += scores / (bandwidth * min(1, Double(heads) / calibration.multiprocessors))
        launch.activationBytes += keys + 2 * scores
      }
      if gpus > 1 {
        let blocks = (segment.tokens + profile.block - 1) / profile.block
        let message = smallSum(bytes: 4 * Double(blocks))
        launch.seconds += 2 * message
        launch.activationBytes += 2 * 2 * 4 * Double(blocks)
      }
    }
    // Hidden state and residual, read and written.
    let gathered = 2 * 2 * 2 * Double(kept * model.hidden)
    launch.activationBytes += gathered
    launch.seconds = (launch.seconds + gathered / bandwidth) * engine.kernelScale.other
    return launch
  }

  /// The GPUs' own all-reduce of a short message, outside of a graph.
  private func smallSum(bytes: Double) -> Double {
    let c =
      (calibration.fit("all_reduce", ownSum, [gpus]) ?? calibration.fit("all_reduce", ownSum, [2]))?
      .values ?? []
    let seconds = max(c[0] + c[1] * bytes, engine.eagerAllReduceMicroseconds * 1e-6)
    return seconds + engine.allReduceSkewMicroseconds * 1e-6
  }

  /// Attention of prompts: over all keys, or over those that an indexer picks in layers that see everything.
  func attention(of segments: [Step.Tile], isWindowed: Bool) -> [Launch] {
    guard let keys = profile?.keys, !isWindowed else {
      return [prefillAttention(segments, isWindowed: isWindowed)]
    }
    let cut = segments.filter { $0.tokens + $0.prefix > keys.keys }
    let whole = segments.filter { $0.tokens + $0.prefix <= keys.keys }
    var launches = whole.isEmpty ? [] : [prefillAttention(whole, isWindowed: false)]
    guard !cut.isEmpty else { return launches }
    launches += index(cut, keys)
    launches.append(selected(cut, keys))
    return launches
  }

  /// The indexer: its projections, and its scores with the choice among them.
  private func index(_ segments: [Step.Tile], _ keys: KeySelection) -> [Launch] {
    let bandwidth = calibration.memoryBandwidth * calibration.memoryEfficiency
    let new = segments.reduce(0) { $0 + $1.tokens }
    var pairs = 0
    for segment in segments { for token in 1...segment.tokens { pairs += segment.prefix + token } }
    var projection = product(
      NaiveShard.Product(name: "selection", n: 2 * keys.indexWidth, k: model.hidden), rows: new)
    projection.kernel = "selection"
    let read = 2 * Double(keys.indexWidth * segments.reduce(0) { $0 + $1.tokens + $1.prefix })
    let flops = 2 * Double(keys.indexWidth * pairs)
    // In four bytes, once for a block of queries.
    let scores = 4 * Double(pairs) / Double(keys.block)
    let seconds =
      2 * 4e-6 + max(flops / (0.7 * calibration.flops), (read + scores) / bandwidth) + scores / bandwidth
    let launch = Launch(
      kernel: "selection", seconds: seconds * engine.kernelScale.attention, flops: flops, kvBytes: read,
      activationBytes: 2 * scores, isExtrapolated: true)
    return [launch, projection]
  }

  /// Attention over chosen keys, block by block and tile by tile.
  private func selected(_ segments: [Step.Tile], _ keys: KeySelection) -> Launch {
    let heads = model.isLatent ? shard.heads : shard.keyValueHeads
    let height = max(1, 128 * heads / shard.heads)
    var (tiles, walked, longest, gathered, pairs, rows, read) = (0, 0, 0, 0, 0, 0, 0)
    for segment in segments {
      rows += segment.tokens
      read += segment.tokens + segment.prefix
      for token in 1...segment.tokens { pairs += min(segment.prefix + token, keys.keys) }
      for begin in stride(from: 0, to: segment.tokens, by: keys.block) {
        let end = min(begin + keys.block, segment.tokens)
        let seen = min(segment.prefix + end, keys.keys)
        gathered += seen
        for _ in stride(from: begin, to: end, by: height) {
          tiles += 1
          walked += (seen + 127) / 128 * 128
          longest = max(longest, (seen + 127) / 128 * 128)
        }
      }
    }
    var launch = tiledAttention(
      tiles: Double(tiles), keys: Double(walked), longest: Double(longest), queries: rows, tokens: read,
      pairs: pairs)
    launch.isExtrapolated = true
    launch.kvBytes = launch.kvBytes / Double(read) * Double(gathered)
    let reading =
      launch.kvBytes / (calibration.memoryBandwidth * calibration.memoryEfficiency)
      * engine.kernelScale.attention
    if reading >= launch.seconds {
      launch.seconds = reading
      launch.clockedSeconds = 0
    }
    return launch
  }
}
