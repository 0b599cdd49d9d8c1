import CostModels
import Foundation
import Serving
import Statistics
import Systems

extension NaiveCostModel {
  /// A layer's kernels but for attention and experts.
  ///
  /// They run on the `computed` rows, padding included; only the `rows` that have a token write KV entries.
  func rowLaunches(_ layer: Int, rows: Int, computed: Int, isInGraph: Bool) -> [Launch] {
    let p = Double(computed)
    let h = Double(model.hidden)
    let qkv = Double(shard.projected)
    let keyValue = Double(2 * shard.keyValueHeads * model.headDim)
    // Input and residual are read and written.
    // The sum of the half before may do it, as its last part: nothing is launched then.
    let isShort = 2 * computed * model.hidden < engine.customAllReduceLimitBytes
    func norm(behindSum: Bool) -> Launch {
      streaming(
        "rms_norm", activations: 4 * p * h, canBeFused: true,
        isAppended: behindSum && gpus > 1 && engine.fusesSumAndNorm && isShort)
    }
    // Of latent attention the norms of what queries pass through and of the latent vector, and the rotary parts.
    let normed = model.queryRank + model.latent + (1 + shard.heads) * model.rope
    var (width, stored) =
      model.isLatent ? (Double(normed), Double(model.latent + model.rope)) : (qkv, keyValue)
    // One for each half; compressed attention is on every GPU, and is not summed.
    var launches = model.hasMixer(layer) ? [norm(behindSum: true)] : []
    if model.hasMLP(layer) { launches.append(norm(behindSum: !model.isCompressed)) }
    if model.isCompressed {
      // Queries and keys from before the convolutions are read and not written.
      width += Double(shard.compressedChannels) / 2
      launches.append(convolution(rows: p))
    }
    if model.isRecurrent(layer), model.isSelective {
      // What time steps are made of, and inputs and outputs of states, each pass a norm; and are summed over the GPUs before.
      for width in [model.selectiveRank, model.stateSize, model.stateSize] {
        launches.append(streaming("rms_norm", activations: 2 * p * Double(width), canBeFused: true))
      }
      if gpus > 1 {
        launches.append(allReduce(rows: computed, width: shard.stateSteps, isInGraph: isInGraph))
      }
    } else if model.isRecurrent(layer) {
      // Outputs and gates are read, their product is written.
      launches.append(
        streaming("rms_norm", activations: 3 * p * Double(shard.recurrenceOutputs), canBeFused: true))
    } else if model.hasMixer(layer) {
      launches.append(
        streaming(
          "qk_norm_rope_kv", activations: 2 * p * width, entries: Double(rows) * stored, canBeFused: true))
    }
    launches += shard.layerProducts(layer).map { product($0, rows: computed) }
    if model.hasExperts(layer), model.sharedWidth > 0 {
      let width = Double(model.sharedWidth / gpus)
      // Without a gate what goes in is as wide as what comes out.
      var launch = streaming(
        "silu_mul", activations: (model.isHalved ? 2 : 3) * p * width, canBeFused: true)
      launch.kernel = "shared_silu_mul"
      launches.append(launch)
    }
    if !model.hasMLP(layer) {
      // Nothing is computed of each token.
    } else if model.experts > 0, !model.hasExperts(layer) {
      let width = Double(model.denseWidth / gpus)
      launches.append(streaming("silu_mul", activations: 3 * p * width, canBeFused: true))
    } else if model.experts == 0 {
      // Gate and up are read, their product is written.
      launches.append(
        streaming("silu_mul", activations: 3 * p * Double(shard.intermediate), canBeFused: true))
    } else if !engine.fusesElementwise {
      // Of each choice gate and up are read, their product is written; then choices are read and rows written.
      let choices = p * Double(model.topK)
      launches.append(
        streaming(
          "expert_silu_mul",
          activations: (model.isHalved ? 2 : 3) * choices * Double(shard.expertWidth), canBeFused: true))
      launches.append(
        streaming("expert_sum", activations: (choices + p) * Double(shard.expertHidden), canBeFused: true))
    }
    if model.hasExperts(layer), dataParallel > 1 {
      launches.append(exchange("expert_dispatch", rows: computed, ways: dispatch))
      launches.append(exchange("expert_combine", rows: computed, ways: combine))
    }
    // What each GPU computes whole is not summed.
    if gpus > 1 {
      let halves = model.isCompressed || model.isHalved ? 1 : 2
      launches += Array(
        repeating: allReduce(rows: computed, width: model.hidden, isInGraph: isInGraph), count: halves)
    }
    return launches
  }

  /// The host's time to issue a layer: a graph at once, or kernel by kernel as a step of prompts launches them.
  ///
  /// Norms, rotary embedding and writing of the cache are kernels of their own there: three of ordinary attention, six of latent
  /// attention, whose keys are put together in two copies. A layer's experts are seven: choice, two to sort, two products,
  /// activation, sum.
  func issueSeconds(_ layer: Int, isInGraph: Bool) -> Double {
    if isInGraph { return engine.host.graphLayerMicroseconds * 1e-6 }
    var kernels = 0
    for launch in rowLaunches(layer, rows: 1, computed: 1, isInGraph: true) {
      kernels += launch.kernel != "qk_norm_rope_kv" ? 1 : model.isLatent ? 6 : 3
    }
    // Norms that sums do, of whatever length they are.
    if engine.fusesSumAndNorm, gpus > 1 {
      kernels -= [model.hasMixer(layer), model.hasMLP(layer) && !model.isCompressed].count { $0 }
    }
    // Convolution and recurrence, or attention.
    if model.hasMixer(layer) { kernels += model.isRecurrent(layer) ? 2 : 1 }
    if model.isLatent { kernels += 1 }
    if model.hasExperts(layer) { kernels += 7 }
    return (engine.host.eagerLayerMicroseconds + engine.host.eagerLaunchMicroseconds * Double(kernels)) * 1e-6
  }

  /// Embedding, whose rows are read and written, and its sum over the GPUs.
  func launchesBefore(rows: Int) -> [Launch] {
    guard rows > 0 else { return [] }
    let embedding = streaming("embedding", activations: 2 * Double(rows) * Double(model.hidden))
    return gpus > 1
      ? [
        embedding,
        allReduce(rows: rows, width: model.hidden, isInGraph: padded(rows, prefill: false).isInGraph),
      ] : [embedding]
  }

  /// Final norm, LM head, and sampling from all logits.
  func launchesAfter(rows: Int) -> [Launch] {
    guard rows > 0 else { return [] }
    return [
      streaming("rms_norm", activations: 4 * Double(rows) * Double(model.hidden), canBeFused: true),
      product(shard.head, rows: rows),
      streaming("sampling", activations: Double(rows) * Double(model.vocabulary)),
    ]
  }

  /// The convolution of each channel, of two tokens: both are read and one is written, at the data sheet's bandwidth behind the
  /// launch of a norm.
  private func convolution(rows: Double) -> Launch {
    let channels = Double(shard.compressedChannels)
    let bytes = 2 * rows * 3 * channels
    let launch = calibration.fit("elementwise", "rms_norm", [])?.values[0] ?? 0
    let bandwidth = calibration.memoryBandwidth * calibration.memoryEfficiency
    return Launch(
      kernel: "convolution", seconds: (launch + bytes / bandwidth) * engine.kernelScale.other,
      flops: 2 * rows * 2 * channels, activationBytes: bytes)
  }

  /// A kernel that streams through memory, two bytes for each number.
  private func streaming(
    _ name: String, activations: Double, entries: Double = 0, canBeFused: Bool = false,
    isAppended: Bool = false
  ) -> Launch {
    let isUnfused = canBeFused && !engine.fusesElementwise
    let unfused = isUnfused ? calibration.fit("elementwise", "unfused_" + name, []) : nil
    let values = (unfused ?? calibration.fit("elementwise", name, []))?.values ?? [0, 0]
    let bytes = 2 * (activations + entries)
    return Launch(
      kernel: name,
      seconds: ((isAppended ? 0 : values[0]) + bytes * values[1]) * engine.kernelScale.other,
      kvBytes: 2 * entries, activationBytes: 2 * activations, isAppended: isAppended)
  }

  /// A dense matrix product: the cubic norm of loading and computing, behind a launch.
  func product(_ product: NaiveShard.Product, rows: Int) -> Launch {
    let (m, n, k) = (Double(rows), Double(product.n), Double(product.k))
    let exact = calibration.fit("gemm", "bf16", [product.n, product.k])
    let values = (exact ?? calibration.fit("gemm_all_shapes", "bf16", []))?.values ?? [0, 0, 0, 0, 0]
    let activations = 2 * m * (n + k)
    let loading = (2 * n * k + activations) * values[1]
    // The last wave of tiles is rarely full; the tile that wastes least is taken.
    var waste = 1.0
    for (tall, wide) in [
      (128, 256), (256, 128), (128, 128), (64, 256), (192, 128), (128, 192), (64, 128), (128, 64),
    ] {
      let tiles = (rows + tall - 1) / tall * ((product.n + wide - 1) / wide)
      let waves = (Double(tiles) / calibration.multiprocessors).rounded(.up)
      waste = min(waste, waves * calibration.multiprocessors * Double(tall * wide) / (m * n) - 1)
    }
    // Long launches were measured at the clock that the power limit leaves.
    let sustained = 1 - exp(-2 * m * n * k / calibration.flops / 0.5e-3)
    let computing =
      2 * m * n * k * values[2] * (1 + waste * values[3]) * (1 + sustained * values[4])
    let body = cbrt(pow(loading, 3) + pow(computing, 3))
    let share = pow(computing, 3) / (pow(loading, 3) + pow(computing, 3))
    return Launch(
      kernel: product.name, seconds: (values[0] + body) * engine.kernelScale.other,
      flops: 2 * m * n * k, weightBytes: product.weightBytes, activationBytes: activations,
      isExtrapolated: exact?.measured[0].contains(m) != true,
      clockedSeconds: share * body * engine.kernelScale.other)
  }

  /// Whose the engine's own sum is in a calibration: vLLM's where nobody measured SGLang's or TensorRT-LLM's.
  var ownSum: String {
    let own = engine.allReduceKernel
    let isMeasured = [2, gpus].contains { calibration.fit("all_reduce", own, [$0]) != nil }
    return own != "vllm" && isMeasured ? own : "custom"
  }

  /// A sum over the GPUs of rows of 16-bit numbers.
  private func allReduce(rows: Int, width: Int, isInGraph: Bool) -> Launch {
    let bytes = 2 * Double(rows) * Double(width)
    let isCustom = bytes < Double(engine.customAllReduceLimitBytes)
    let type = isCustom ? ownSum : "nccl"
    let exact = calibration.fit("all_reduce", type, [gpus])
    let c = (exact ?? calibration.fit("all_reduce", type, [2]))?.values ?? []
    var seconds = c[0]
    if !isCustom {
      seconds += c[6] * bytes.squareRoot()
      seconds += bytes <= 1_048_576 ? c[1] * bytes : c[2] + c[3] * bytes
    } else if bytes >= 8_388_608 {
      seconds += c[4] + c[5] * bytes
    } else if gpus == 2 || bytes < (gpus == 4 ? 524_288 : 262_144) {
      seconds += c[1] * bytes
    } else {
      seconds += c[2] + c[3] * bytes
    }
    // Outside a graph it has a floor, and GPUs wait for the last of them.
    if !isInGraph {
      seconds = max(seconds, engine.eagerAllReduceMicroseconds * 1e-6)
    }
    seconds += engine.allReduceSkewMicroseconds * 1e-6
    return Launch(
      kernel: "all_reduce", seconds: seconds * engine.kernelScale.other, activationBytes: 2 * bytes,
      isExtrapolated: exact?.measured[0].contains(bytes) != true)
  }

  /// A rank's rows on their way to the experts of other ranks, or back, by the faster way: 16 bits a number, a copy for each
  /// expert that a row goes to, or for each group that has experts if those are fewer; slices of experts are on all GPUs.
  private func exchange(_ kernel: String, rows: Int, ways: [(Double, Double)]) -> Launch {
    let copies = expertRanks > 1 ? min(model.topK, expertRanks) : gpus * dataParallel
    let bytes = Double(rows) / Double(gpus) * Double(copies) * Double(2 * shard.expertHidden)
    let seconds = ways.map { $0.0 + bytes * $0.1 }.min() ?? 0
    return Launch(
      kernel: kernel, seconds: seconds * engine.kernelScale.other, activationBytes: 2 * bytes)
  }

  /// The experts: all of the active ones' weights are loaded, every row is computed by `topK` of them.
  func experts(rows: Int, active: Double, carriesPrefill: Bool) -> Launch {
    // All laws but the uniform one load experts unevenly.
    let isSkewed = routing?.model != .uniform
    let type = model.isMarlin ? "int4" : model.isMXFP4 ? "mxfp4" : "bf16"
    // Those that are measured have gates.
    let exact = model.isHalved ? nil : calibration.fit("moe", type, shard.expertDimensions)
    let c = (exact ?? calibration.fit("moe_all_shapes", type, []))?.values ?? []
    let (r, k) = (Double(rows), Double(model.topK))
    let (h, i) = (Double(shard.expertHidden), Double(shard.expertWidth))
    let matrices = model.isHalved ? 2.0 : 3
    let flopsPerChoice = 2 * matrices * h * i
    let weights = matrices * h * i * (model.isMXFP4 ? 4.25 / 8 : 2)
    let busiest = busiestRank(choices: r * k, active: active, isSkewed: isSkewed)
    let bytesPerChoice = 2 * (5 * h + 6 * i)
    var loading = c[0] + busiest.active * weights * c[1] + busiest.choices * bytesPerChoice * c[6]
    // Tiles read their experts; the first time each expert comes from memory.
    let fromMemory =
      c[0] + busiest.active * weights / (calibration.memoryBandwidth * calibration.memoryEfficiency)
    // Several ranks take further what their own fit says, a constant and a time for each byte that all choices stream, unless
    // each passes over its own choices alone.
    let overRanks =
      expertRanks < 2 || engine.passesOverOwnChoices && !model.isMXFP4
      ? nil
      : calibration.fit("moe_over_ranks", type, shard.expertDimensions)
        ?? calibration.fit("moe_over_ranks_all_shapes", type, [])
    if let further = overRanks?.values { loading += further[0] + r * k * bytesPerChoice * further[1] }
    var seconds = loading + busiest.choices * flopsPerChoice * (c[2] + (isSkewed ? c[7] : 0))
    var scale = engine.kernelScale.expertMLP
    if carriesPrefill { scale *= engine.kernelScale.expertPrefill }
    // Triton's kernels, and not Marlin's, were slow with prompts once.
    if carriesPrefill, model.isMXFP4, !model.isMarlin { scale *= engine.kernelScale.mxfp4Prefill }
    if active > 0, model.isMXFP4 {
      let fairShare = r * k / Double(model.experts)
      let index = [16.0, 32, 64].firstIndex { fairShare <= $0 } ?? 3
      // Marlin's take the first tile that is less than nine tenths full, of the experts on a rank.
      let onRank = fairShare * Double(expertRanks)
      var tile = [16.0, 32, 64, 128][index]
      if model.isMarlin { tile = [8.0, 16, 32, 48].first { onRank < 0.9 * $0 } ?? 64 }
      let load = busiest.choices / busiest.active
      // Where loads are spread like an exponential distribution, the mean of ⌈load / tile⌉ is a geometric series.
      let perExpert = isSkewed ? 1 / -expm1(-tile / load) : tiles(of: tile, load: load)
      // A tile takes a time of its own, and one for each of its rows.
      seconds += busiest.active * perExpert * flopsPerChoice * (c[3] + tile * c[4])
    }
    // On one rank the launches that were measured take what they took, and others what lies between.
    if expertRanks == 1, let exact { scale *= correction(exact, rows: r, isSkewed: isSkewed) }
    let ranks = Double(expertRanks)
    return Launch(
      kernel: "expert_mlp", seconds: seconds * scale,
      flops: r * k * flopsPerChoice / ranks, weightBytes: active * shard.bytesPerExpert / ranks,
      // Each choice: gathered (h), gate and up (h + 2i), activation (3i), down (i + h), combined (h); each row: h. Without a gate
      // up makes i, of which the activation makes i.
      activationBytes: 2 * r
        * (k * (h + (h + (matrices - 1) * i) + matrices * i + (i + h) + h + h) / ranks + h),
      isExtrapolated: exact == nil || !isMeasured(r, exact, overRanks) || active > Double(model.experts),
      clockedSeconds: active > 0 ? max(0, seconds - max(loading, fromMemory)) * scale : 0,
      mxfp4Bytes: model.isMXFP4 ? active * shard.bytesPerExpert / ranks : 0)
  }

  /// What a launch takes over what its coefficients say.
  ///
  /// It lies on the straight line between the measured numbers of rows around it, or is that of the nearest beyond all. Routing
  /// of the other kind stands in where one was not measured.
  private func correction(_ fit: ToyCalibration.Fit, rows: Double, isSkewed: Bool) -> Double {
    let (own, other) = isSkewed ? (fit.skewed, fit.even) : (fit.even, fit.skewed)
    let points = own.isEmpty ? other : own
    guard let above = points.first(where: { $0.rows >= rows }) else { return points.last?.factor ?? 1 }
    guard let below = points.last(where: { $0.rows < rows }) else { return above.factor }
    let share = (rows - below.rows) / (above.rows - below.rows)
    return (1 - share) * below.factor + share * above.factor
  }

  /// Whether so many rows of a layer were measured: of one rank by its fit, of several by the fit of these, over as many.
  private func isMeasured(_ rows: Double, _ one: ToyCalibration.Fit?, _ several: ToyCalibration.Fit?) -> Bool
  {
    guard expertRanks > 1 else { return one?.measured[0].contains(rows) == true }
    guard let several, several.measured.count == 2, one != nil else { return false }
    return several.measured[0].contains(rows) && several.measured[1].contains(Double(expertRanks))
  }

  /// Choices and distinct experts of the rank that all others wait for.
  ///
  /// Choices of the ranks are about normal around their mean, and the maximum of R such numbers lies at the quantile
  /// (R - 3/8) / (R + 1/4), by Blom. The variance is that of a random choice, and further as much as brings the maximum to
  /// what the law of routing says of many choices; a law that says nothing has exponential loads. Distinct experts are drawn
  /// from all that are chosen, and spread with choices where these come from groups.
  private func busiestRank(
    choices: Double, active: Double, isSkewed: Bool
  ) -> (choices: Double, active: Double) {
    let ranks = Double(expertRanks)
    guard expertRanks > 1 else { return (choices, active) }
    let above = NormalDistribution.quantile((ranks - 0.375) / (ranks + 0.25))
    let own = choices / ranks
    var all = Double(model.experts)
    var chosen = active
    let rows = choices / Double(model.topK)
    // A balancer tears groups apart.
    let hasGroups = model.choosesGroups && !engine.balancesExperts
    let byChance = hasGroups ? varianceInGroups() : variance(pickingFrom: model.experts)
    var variance = rows * byChance
    let beyond = routing?.imbalance(
      over: expertRanks, redundant: engine.balancesExperts ? engine.redundantExperts : nil)
    if engine.balancesExperts {
      all += Double(engine.redundantExperts)
      chosen = min(active * all / Double(model.experts), max(active, choices))
    }
    let left = beyond ?? (engine.balancesExperts && isSkewed ? imbalance() - 1 : nil)
    if let left {
      variance += (own * left / above) * (own * left / above)
    } else if isSkewed {
      variance += own * own / (Double(model.experts) / ranks)
    }
    var binomial = chosen * (1 / ranks) * (1 - 1 / ranks) * max(0, 1 - chosen / all)
    if hasGroups {
      binomial *= byChance / self.variance(pickingFrom: model.experts)
    }
    return (
      min(choices, own + above * variance.squareRoot()),
      min(chosen, all / ranks, chosen / ranks + above * binomial.squareRoot())
    )
  }

  /// The variance of how many of a row's experts lie on a rank, drawn one by one from some of all, none twice.
  ///
  /// The rank has its fair share of all, or the share that is given.
  private func variance(pickingFrom some: Int, share: Double? = nil) -> Double {
    let k = Double(model.topK)
    let share = share ?? 1 / Double(expertRanks)
    return some > 1 ? k * share * (1 - share) * (Double(some) - k) / (Double(some) - 1) : 0
  }

  /// The variance of a row's choices on a rank where two of four groups are drawn first: over all pairs of groups, the mean of
  /// the squares less the square of the mean.
  private func varianceInGroups() -> Double {
    let (k, half) = (Double(model.topK), model.experts / 2)
    // The first rank's part of each group.
    let held = (0..<4).map { group in
      max(0, min(1, 4 / Double(expertRanks) - Double(group)))
    }
    var (squares, pairs) = (0.0, 0.0)
    for first in 0..<4 {
      for second in 0..<first {
        let share = (held[first] + held[second]) / 2
        squares += variance(pickingFrom: half, share: share) + k * share * k * share
        pairs += 1
      }
    }
    let mean = k / Double(expertRanks)
    return squares / pairs - mean * mean
  }

  /// The busiest rank's work over the mean, once experts with exponential loads have copies and places: a copy goes to the
  /// expert whose copies have most to do, and the copies with most to do are placed first, where there is least.
  private func imbalance() -> Double {
    var experts = (1...model.experts).map { number in
      (load: -log(1 - (Double(number) - 0.5) / Double(model.experts)), copies: 1.0)
    }
    for _ in 0..<engine.redundantExperts {
      experts.sort { $0.load / $0.copies > $1.load / $1.copies }
      experts[0].copies += 1
    }
    var loads = experts.flatMap { Array(repeating: $0.load / $0.copies, count: Int($0.copies)) }
    loads.sort(by: >)
    var ranks = Array(repeating: [Double](), count: expertRanks)
    for load in loads {
      ranks.sort { $0.reduce(0, +) < $1.reduce(0, +) }
      let place = ranks.firstIndex { $0.count < loads.count / expertRanks } ?? 0
      ranks[place].append(load)
    }
    let work = ranks.map { $0.reduce(0, +) }
    return (work.max() ?? 0) / (work.reduce(0, +) / Double(expertRanks))
  }

  /// Tiles of one expert: the sum over j of the probability that its normal load exceeds j tiles.
  private func tiles(of tile: Double, load: Double) -> Double {
    let deviation = load.squareRoot()
    var tiles = 1.0
    for j in 1... {
      let edge = Double(j) * tile
      if edge >= load + 4 * deviation { return tiles }
      // Four deviations below the mean the load surely exceeds them.
      tiles += edge <= load - 4 * deviation ? 1 : 0.5 * erfc((edge + 0.5 - load) / (2 * load).squareRoot())
    }
    return tiles
  }
}
