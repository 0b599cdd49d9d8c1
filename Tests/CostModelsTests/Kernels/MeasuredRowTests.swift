import CostModels
import Foundation
import Serving
import Systems
import TestSupport
import Testing

/// The price of each family of kernels against rows of the table that it was fitted to.
///
/// A fit misses a row by some percent, so that a factor or a term that is left out shows and noise does not.
@Suite struct MeasuredRowTests {
  /// What a row of a committed table of the H200 says, found by its first fields.
  private func microseconds(_ table: String, _ row: String) throws -> Double {
    let path = shippedProfiles.url.appending(path: "kernels/h200-sxm/aiconfigurator-0.12.0/\(table).csv")
    let lines = try String(contentsOf: path, encoding: .utf8).split(separator: "\n")
    let line = try #require(lines.first { $0.hasPrefix(row + ",") }, "\(table): \(row)")
    return try #require(line.split(separator: ",").last.flatMap { Double($0) })
  }

  /// The time of one launch of each kernel in an iteration, in microseconds.
  private func prices(
    _ model: String, gpus: Int, on gpu: String = "h200-sxm", routing: RoutingModel = .uniform, _ step: Step
  ) throws -> [String: Double] {
    let system = try ServedSystem(
      model: shippedProfiles.model(model), hardware: shippedProfiles.hardware(gpu),
      engine: shippedProfiles.engine("ideal"),
      tensorParallel: gpus)
    let calibration = try Calibration(
      path: shippedProfiles.url.appending(path: "calibrations/\(gpu).json").path)
    let law =
      system.shard.model.isMixtureOfExperts ? try ExpertRouting(routing, for: system.shard.model) : nil
    var costs = Meter(KernelCostModel(system: system, calibration: calibration, routing: law))
    return costs.use(of: step).mapValues { $0.seconds / Double($0.calls) * 1e6 }
  }

  private func decode(_ sequences: Int, context: Int) -> Step {
    Step(contexts: Array(repeating: context, count: sequences))
  }

  @Test(arguments: [1, 64, 512, 4096]) func ofAMatrixProduct(rows: Int) throws {
    let prices = try prices("qwen3-30b-a3b", gpus: 1, decode(rows, context: 1))
    #expect(isClose(prices["qkv_gemm"], try microseconds("gemm", "bf16,\(rows),5120,2048"), within: 0.12))
    #expect(isClose(prices["o_gemm"], try microseconds("gemm", "bf16,\(rows),2048,4096"), within: 0.16))
  }

  @Test(arguments: [(16, 64.4), (64, 114.78), (4096, 127.99)]) func ofExperts(rows: Int, active: Double)
    throws
  {
    let prices = try prices(
      "qwen3-30b-a3b", gpus: 1, routing: .coverage([CoveragePoint(tokens: rows, experts: active)]),
      decode(rows, context: 1))
    let measured = try microseconds("moe", "bf16,2048,768,8,128,1,1,power_law_1.01,\(rows),\(active)")
    #expect(isClose(prices["expert_mlp"], measured, within: 0.12))
  }

  @Test(arguments: [(1, 4096), (8, 1024), (64, 4096), (256, 1024)])
  func ofDecodeAttention(batch: Int, context: Int) throws {
    let prices = try prices("qwen3-30b-a3b", gpus: 1, decode(batch, context: context))
    let measured = try microseconds("decode_attention", "32,4,128,0,\(batch),\(context)")
    #expect(isClose(prices["decode_attention"], measured, within: 0.2))
  }

  @Test(arguments: [512, 2048, 8192]) func ofPrefillAttention(tokens: Int) throws {
    let prices = try prices(
      "qwen3-30b-a3b", gpus: 1, Step(tiles: [.init(tokens: tokens, layers: 0..<48)]))
    let measured = try microseconds("prefill_attention", "32,4,128,0,1,\(tokens)")
    #expect(isClose(prices["prefill_attention"], measured, within: 0.15))
  }

  @Test func ofAttentionInAWindow() throws {
    // Half of gpt-oss's layers have a window of 128.
    let prices = try prices("gpt-oss-20b", gpus: 1, decode(64, context: 4096))
    let full = try microseconds("decode_attention", "64,8,64,0,64,4096")
    let windowed = try microseconds("decode_attention", "64,8,64,128,64,4096")
    #expect(isClose(prices["decode_attention"], (full + windowed) / 2, within: 0.2))
  }

  @Test(arguments: [8, 64, 512]) func ofAnAllReduce(rows: Int) throws {
    let prices = try prices("qwen3-30b-a3b", gpus: 2, decode(rows, context: 1))
    let measured = try microseconds("all_reduce", "custom,2,\(rows * 2048 * 2)")
    #expect(isClose(prices["all_reduce"], measured, within: 0.16))
  }

  /// Rows of the project's own harness: the time of a burst is the 23rd field.
  @Test(arguments: [("rms_norm", 64), ("rms_norm", 1024), ("embedding", 1024), ("sampling", 128)])
  func ofAKernelThatStreams(kernel: String, rows: Int) throws {
    let prices = try prices("qwen3-30b-a3b", gpus: 1, decode(rows, context: 1))
    let path = shippedProfiles.url.appending(path: "kernels/h200-sxm/harness-2026-11-27/kernels.csv")
    let row = "\(kernel),own,qwen3-30b-a3b,bf16,1,\(rows),"
    let line = try #require(
      try String(contentsOf: path, encoding: .utf8).split(separator: "\n").first { $0.hasPrefix(row) })
    let fields = line.split(separator: ",", omittingEmptySubsequences: false)
    #expect(isClose(prices[kernel], try #require(Double(fields[22])), within: 0.16))
  }

  /// What other GPUs are said to reach is what an H200 does.
  @Test(arguments: ["embedding", "rms_norm", "qk_norm_rope_kv", "permute", "silu_mul", "combine"])
  func estimatesAreThoseOfTheGPUThatWasMeasured(kernel: String) throws {
    let measured = try Calibration(gpu: "h200-sxm", profiles: shippedProfiles, for: shipped("qwen3-8b"))
      .fit(Elementwise.Shape(kernel))
    #expect(measured.quality == .measured)
    let path = shippedProfiles.url.appending(path: "kernels/elementwise-estimates.csv")
    let line = try #require(
      try String(contentsOf: path, encoding: .utf8).split(separator: "\n").first {
        $0.hasPrefix("\(kernel),")
      })
    let fields = line.split(separator: ",").compactMap { Double($0) }
    #expect(abs(fields[0] - measured.coefficients[0] * 1e6) < 0.06)
    #expect(abs(fields[1] - 1 / (measured.coefficients[1] * 4.8e12)) < 0.006)
  }

  @Test func ofAKernelThatStreamsAndWasNotMeasured() throws {
    // 1.8 us and 78 % of 3.35 TB/s: both are estimates, in `elementwise-estimates.csv`.
    let prices = try prices("qwen3-30b-a3b", gpus: 1, on: "h100-sxm", decode(1000, context: 1))
    let bytes = 4.0 * 1000 * 2048 * 2
    #expect(isClose(prices["rms_norm"], 1.8 + bytes / (0.78 * 3.35e12) * 1e6, within: 1e-5))
  }
}
