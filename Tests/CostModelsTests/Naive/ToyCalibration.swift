import CostModels
import Foundation
import Statistics
import Systems
import TestSupport

/// Coefficients of every kernel, made up, in the layout of a calibration file.
///
/// The naive cost model reads these numbers, and the cost model reads the file that they are written to: the two share
/// the text of the file and no code.
struct ToyCalibration {
  /// The fit of one shape: coefficients, and the ranges that count as measured.
  struct Fit {
    var values: [Double]
    var measured: [ClosedRange<Double>] = []
    /// Rows, and what a launch of so many takes over what the coefficients say: spread evenly over experts, or by a power law.
    var even: [(rows: Double, factor: Double)] = []
    var skewed: [(rows: Double, factor: Double)] = []
  }

  var multiprocessors = 132.0
  var memoryBandwidth = 4e12
  var memoryEfficiency = 0.8
  var flops = 9e14
  /// Of the second-level cache: little, so that prompts are on both sides of it.
  var l2Bytes = 1e5
  /// By kernel and type, such as `gemm bf16`, then by dimensions.
  var fits: [String: [[Int]: Fit]] = [:]

  /// The fit of a shape; nil where the shape is not in the file.
  func fit(_ kernel: String, _ type: String, _ dimensions: [Int]) -> Fit? {
    fits["\(kernel) \(type)"]?[dimensions]
  }

  /// The file's text.
  var json: String {
    let kernels = fits.keys.sorted().map { name in
      let parts = name.split(separator: " ")
      let shapes = fits[name, default: [:]]
        .sorted { $0.key.lexicographicallyPrecedes($1.key) }
      let lines = shapes.map { dimensions, fit in
        let ranges = fit.measured.map { "[\($0.lowerBound), \($0.upperBound)]" }.joined(separator: ", ")
        func list(_ points: [(rows: Double, factor: Double)]) -> String {
          "[\(points.map { "\($0.rows), \($0.factor)" }.joined(separator: ", "))]"
        }
        let corrections =
          fit.even.isEmpty && fit.skewed.isEmpty
          ? "" : #", "corrections": {"even": \#(list(fit.even)), "skewed": \#(list(fit.skewed))}"#
        return """
          {"dimensions": \(dimensions), "values": \(fit.values), "rows": 1, "measured": [\(ranges)]\(corrections)}
          """
      }
      // Windows come last; 0 is none.
      let isAttention = name.contains("attention")
      let names = shapes[0].key.indices.map { isAttention && $0 == 3 ? "\"window\"" : "\"d\($0)\"" }
        .joined(separator: ", ")
      let units = shapes[0].value.values.indices.map { "{\"name\": \"c\($0)\", \"unit\": \"s\"}" }
        .joined(separator: ", ")
      let quality = parts[0] == "elementwise" ? "estimate" : "measured"
      return """
        {"kernel": "\(parts[0])", "type": "\(parts[1])", "formula": "", "quality": "\(quality)", "source": "", \
        "dimensions": [\(names)], "coefficients": [\(units)], "ranges": [], \
        "shapes": [\(lines.joined(separator: ", "))]}
        """
    }
    return """
      {"gpu": "toy", "device": "toy", "source": "made up", "files": [],
       "figures": {"multiprocessors": \(Int(multiprocessors)), "memory_bandwidth": \(memoryBandwidth),
                   "memory_efficiency": \(memoryEfficiency), "bf16_flops": \(flops), "fp8_flops": \(2 * flops),
                   "l2_bytes": \(l2Bytes)},
       "kernels": [\(kernels.joined(separator: ",\n"))]}
      """
  }

  /// The calibration that the cost model reads.
  func read() throws -> Calibration {
    try ScratchFolder.with("toy.json", json) { try Calibration(path: $0.path) }
  }

  /// Adds round coefficients for products that are not in the file, if any product is.
  mutating func add(_ products: [NaiveShard.Product]) {
    guard fits["gemm bf16"] != nil else { return }
    for product in products where fit("gemm", "bf16", [product.n, product.k]) == nil {
      fits["gemm bf16", default: [:]][[product.n, product.k]] = Fit(
        values: [3e-6, 1 / 3e12, 1 / 6e14, 0.3, 0.2], measured: [0...200])
    }
  }

  /// Round coefficients for every shape of a model on one GPU, all of whose launches count as measured.
  init(for model: ToyModel, gpus: Int) {
    var random = SplitMix64(seed: 0)
    self.init(for: model, gpus: gpus, expertRanks: 1, isDrawn: false, using: &random)
  }

  /// Coefficients for the shapes of a model on one GPU: round, or drawn, with some shapes left out.
  init(
    for model: ToyModel, gpus: Int, expertRanks: Int, dataParallel: Int = 1, isDrawn: Bool,
    using random: inout SplitMix64
  ) {
    func factor(_ random: inout SplitMix64) -> Double { isDrawn ? 0.5 + random.uniform() : 1 }
    func draw(_ typical: [Double], _ ranges: [Double], _ random: inout SplitMix64) -> Fit {
      Fit(
        values: typical.map { $0 * factor(&random) },
        measured: ranges.map { end in
          guard isDrawn else { return 0...1e9 }
          let start = 0.1 * end * random.uniform()
          return start...start + end * random.uniform()
        })
    }
    let shard = NaiveShard(model, gpus: gpus, expertRanks: expertRanks, dataParallel: dataParallel)
    let perByte = 1 / 3e12
    let perFLOP = 1 / 6e14
    fits["gemm_all_shapes bf16", default: [:]][[]] = draw(
      [5e-6, perByte, perFLOP, 0.3, 0.15], [4000], &random)
    if !isDrawn || random.uniform() < 0.8 {
      for product in shard.products {
        fits["gemm bf16", default: [:]][[product.n, product.k]] = draw(
          [4e-6, perByte, perFLOP, 0.2, 0.1], [300], &random)
      }
    }
    for type in ["bf16", "mxfp4", "int4"] {
      let tiles =
        type == "bf16"
        ? [perFLOP, 0, 0, 0, perByte, perFLOP / 4]
        : [0.5, 30, 1, 0, perByte / perFLOP, 0.25].map { $0 * perFLOP }
      fits["moe_all_shapes \(type)", default: [:]][[]] = draw([2e-5, perByte] + tiles, [4000], &random)
      if !isDrawn || random.uniform() < 0.8 {
        fits["moe_over_ranks_all_shapes \(type)", default: [:]][[]] = draw([2e-6, perByte], [], &random)
      }
      guard model.experts > 0, !isDrawn || random.uniform() < 0.8 else { continue }
      var experts = draw([1e-5, perByte] + tiles, [300], &random)
      if isDrawn {
        func points() -> [(rows: Double, factor: Double)] {
          (0..<Int(random.next() % 4)).map { (1 + 30 * Double($0 * $0), factor(&random)) }
        }
        (experts.even, experts.skewed) = (points(), points())
      }
      fits["moe \(type)", default: [:]][shard.expertDimensions] = experts
      if !isDrawn || random.uniform() < 0.8 {
        fits["moe_over_ranks \(type)", default: [:]][shard.expertDimensions] = draw(
          [3e-6, perByte / 2], [300, 8], &random)
      }
    }
    let perTileFLOP = 132 * perFLOP
    for window in Set([0] + [model.window].compactMap { $0 }) {
      let prefix = window > 0 ? "windowed_" : ""
      // Coefficients of other heads are carried over: the nearest ones are these, measured or not.
      let heads = [
        shard.heads, shard.keyValueHeads, model.headDim * (isDrawn && random.uniform() < 0.2 ? 2 : 1),
      ]
      fits["\(prefix)prefill_attention bf16", default: [:]][heads + [window]] = draw(
        [9e-6, perTileFLOP, perByte, 1e-6, perTileFLOP / 3], [500, 2000, 2000], &random)
      fits["\(prefix)decode_attention bf16", default: [:]][heads + [window]] = draw(
        [8e-6, perByte, 1e-8, 1e-6, window > 0 ? 2e-6 : 0, window > 0 ? 1e-7 : 0, 0, 3e-10], [100, 20_000],
        &random)
    }
    if model.isLatent {
      fits["latent_prefill_attention bf16", default: [:]][
        [shard.heads, shard.heads, model.nope + model.rope, model.value]
      ] = draw([9e-6, perTileFLOP, perByte, 1e-6, perTileFLOP / 3], [500, 2000, 2000], &random)
      fits["latent_decode_attention bf16", default: [:]][
        [shard.heads, 1, model.latent + model.rope, model.latent]
      ] = draw([8e-6, perByte, 1e-8, 1e-6, 0, 0, 0, 3e-10], [100, 20_000], &random)
    }
    if model.isHybrid {
      for stage in ["conv_decode", "conv_prefill", "core_decode", "core_prefill"]
      where !isDrawn || random.uniform() < 0.8 {
        fits["gated_delta \(stage)", default: [:]][shard.recurrenceDimensions] = draw(
          [
            4e-6, perByte, stage == "core_prefill" ? 2e-6 : 0, stage == "core_prefill" ? 1e-6 : 0,
            perByte / 3,
          ], [100, 3000], &random)
      }
    }
    if model.isStateSpace {
      // Nobody measured Mamba-2: the convolutions and the decode steps of another recurrence stand in.
      for stage in ["conv_decode", "conv_prefill", "core_decode", "core_prefill"]
      where !isDrawn || random.uniform() < 0.8 {
        fits["gated_delta \(stage)", default: [:]][[4, 8, 16, 32]] = draw(
          [
            4e-6, perByte, stage == "core_prefill" ? 2e-6 : 0, stage == "core_prefill" ? 1e-6 : 0,
            perByte / 3,
          ], [100, 3000], &random)
      }
    }
    for gpus in Set([2, gpus]).sorted() where gpus == 2 || !isDrawn || random.uniform() < 0.8 {
      fits["all_reduce custom", default: [:]][[gpus]] = draw(
        [5e-6, 1e-11, 2e-6, 8e-12, 6e-6, 7e-12, 0], [1e6], &random)
      if !isDrawn || random.uniform() < 0.8 {
        for own in ["sglang", "trtllm"] {
          fits["all_reduce \(own)", default: [:]][[gpus]] = draw(
            [4e-6, 9e-12, 3e-6, 7e-12, 5e-6, 6e-12, 0], [1e6], &random)
        }
      }
      fits["all_reduce nccl", default: [:]][[gpus]] = draw(
        [1e-5, 1e-11, 3e-6, 9e-12, 0, 0, 2e-9], [1e6], &random)
    }
    for name in [
      "embedding", "rms_norm", "qk_norm_rope_kv", "silu_mul", "sampling", "unfused_qk_norm_rope_kv",
      "unfused_silu_mul", "unfused_expert_silu_mul", "unfused_expert_sum",
    ] {
      fits["elementwise \(name)", default: [:]][[]] = Fit(values: draw([2e-6, perByte], [], &random).values)
    }
  }
}
