import Foundation
import Serving
import Systems
import TestSupport
import Testing

@testable import CostModels

/// The whole attention of a layer of DeepSeek-V3, measured as one: nothing is fitted to it, and its kernels' prices have to
/// add up to it.
@Suite struct LatentModuleTests {
  /// A row of `mla_module_*.csv`: what it took, and the sum of its kernels.
  private struct Row {
    var heads: Int
    var isFP8Cache: Bool
    var batch: Int
    var length: Int
    var seconds: Double
  }

  private func rows(_ phase: String, gpu: String) throws -> [Row] {
    let path = shippedProfiles.url.appending(
      path: "kernels/\(gpu)/aisimulate-0.13-vllm/mla_module_\(phase).csv")
    return try String(contentsOf: path, encoding: .utf8).split(separator: "\n").compactMap { line in
      let fields = line.split(separator: ",").map(String.init)
      guard fields.count == 6, fields[2] == "fp8_block", let heads = Int(fields[0]),
        let batch = Int(fields[3]), let length = Int(fields[4]), let time = Double(fields[5])
      else { return nil }
      return Row(
        heads: heads, isFP8Cache: fields[1] == "fp8", batch: batch, length: length, seconds: time * 1e-6)
    }
  }

  /// Errors of the sums of kernels, without their signs.
  private func errors(_ rows: [Row], gpu: String, step: (Row) -> Step) throws -> [Double] {
    let kernels: Set = [
      "latent_gemm", "q_gemm", "qk_norm_rope_kv", "latent_products", "prefill_attention",
      "decode_attention", "o_gemm",
    ]
    var errors: [Double] = []
    for heads in Set(rows.map(\.heads)).sorted() {
      for isFP8Cache in [false, true] {
        var model = try shipped("deepseek-v3")
        if isFP8Cache { model = model.keepingKeyValuesInFP8() }
        let system = try ServedSystem(
          model: model, hardware: shippedProfiles.hardware(gpu), engine: shippedProfiles.engine("ideal"),
          tensorParallel: model.heads / heads)
        var meter = Meter(
          KernelCostModel(
            system: system,
            calibration: try Calibration(gpu: gpu, profiles: shippedProfiles, for: system.shard.model),
            routing: try ExpertRouting(.uniform, for: system.shard.model)))
        for row in rows where row.heads == heads && row.isFP8Cache == isFP8Cache {
          let sum = meter.use(of: step(row)).filter { kernels.contains($0.key) }
            .reduce(0) { $0 + $1.value.seconds }
          errors.append((sum / Double(model.layers) / row.seconds - 1).magnitude)
        }
      }
    }
    return errors.sorted()
  }

  /// Medians of 6.2, 4.7 and 8.8 %, and P90 of 16, 12 and 20 %: modules found the keys of short contexts in the cache, since they
  /// were measured in a loop, and prices read them from memory.
  @Test(arguments: [("h100-sxm", 0.07, 0.17), ("h200-sxm", 0.055, 0.13), ("b200-sxm", 0.1, 0.21)])
  func decodeStepsAddUp(gpu: String, median: Double, tail: Double) throws {
    let rows = try rows("decode", gpu: gpu).filter {
      [8, 16, 32, 64, 128].contains($0.heads) && (1...256).contains($0.batch)
    }
    let errors = try errors(rows, gpu: gpu) { row in
      Step(contexts: Array(repeating: row.length, count: row.batch))
    }
    #expect(errors.count > 50)
    #expect(errors[errors.count / 2] < median)
    #expect(errors[errors.count * 9 / 10] < tail)
  }

  /// Medians of 9.8, 9.1 and 7.5 %, and P90 of 28, 26 and 20 %.
  ///
  /// Short prompts and few heads are the worst: copies of keys and of the cache are not listed among the kernels.
  @Test(arguments: [("h100-sxm", 0.11, 0.29), ("h200-sxm", 0.105, 0.27), ("b200-sxm", 0.08, 0.21)])
  func promptsAddUp(gpu: String, median: Double, tail: Double) throws {
    let rows = try rows("prefill", gpu: gpu).filter {
      [8, 16, 32, 64, 128].contains($0.heads) && $0.batch * $0.length >= 256
    }
    let errors = try errors(rows, gpu: gpu) { row in
      Step(
        tiles: Array(repeating: .init(tokens: row.length, prefix: 0, layers: 0..<61), count: row.batch))
    }
    #expect(errors.count > 50)
    #expect(errors[errors.count / 2] < median)
    #expect(errors[errors.count * 9 / 10] < tail)
  }
}
