import Foundation
import Systems
import TestSupport
import Testing

@testable import CostModels

/// The list of a layer's kernels, and the memory that a shard is said to take.
@Suite struct LayerProgramTests {
  @Test(
    arguments: [
      "qwen3-30b-a3b", "gpt-oss-20b", "qwen3-8b", "llama-3.1-8b", "gemma-4-26b-a4b",
      "nemotron-3-nano-30b-a3b",
      "nemotron-3-super-120b-a12b", "jamba-1.5-mini", "nemotron-h-56b",
    ], [1, 2, 4])
  func holdsTheWeightsThatMemoryEstimatesCount(name: String, gpus: Int) throws {
    let shard = try shipped(name).shard(over: gpus)
    for kind in shard.kinds {
      let program = LayerProgram(kind, of: shard)
      // Norms, attention sinks, expert biases and what a router adds to scores are no kernel's of their own.
      let ofScores = shard.model.hasRoutingBias ? 2 * shard.model.experts : 0
      let rest =
        shard.normBytes(of: kind) + (kind.hasExperts ? shard.expertBiasBytes + ofScores : 0)
      #expect(program.weightBytes + rest == shard.bytes(of: kind))
    }
    #expect(LayerProgram.after(shard).reduce(0) { $0 + $1.weightBytes } == shard.headBytes)
  }

  @Test func listsTheKernelsInTheirOrder() throws {
    let shard = try shipped("qwen3-30b-a3b").shard(over: 2)
    let program = LayerProgram(shard.kinds[0], of: shard)
    let names = program.calls.map(\.kernel.rawValue)
    let sum = Array(repeating: "all_reduce", count: 4)
    #expect(
      names == [
        "rms_norm", "qkv_gemm", "qk_norm_rope_kv", "prefill_attention", "decode_attention", "o_gemm",
      ] + sum + ["rms_norm", "router_gemm", "expert_mlp"] + sum)
    // Of each four all-reduces one is launched.
    let launched = program.calls.filter { $0.isLaunched(LaunchRows(rows: 8, computed: 8)) }
    #expect(launched.count { $0.kernel == .allReduce } == 2)
  }

  /// Short messages are the engine's own all-reduce, which does the norm; long ones NCCL's, and the norm is a kernel.
  @Test func aSumMayDoTheNormBehindIt() throws {
    let shard = try shipped("qwen3-30b-a3b").shard(over: 2)
    var choice = KernelChoice()
    choice.fusesSumAndNorm = true
    choice.allReduce = .trtllm
    let program = LayerProgram(shard.kinds[0], of: shard, choice)
    let limit = choice.allReduceLimitBytes / (2 * 2048)
    for (rows, isAppended) in [(limit - 1, true), (limit, false)] {
      let launched = program.calls.filter { $0.isLaunched(LaunchRows(rows: rows, computed: rows)) }
      let norms = launched.compactMap {
        ($0 as? RowCall<Elementwise>).flatMap { $0.kernel == .rmsNorm ? $0 : nil }
      }
      #expect(norms.count == 2 && norms.allSatisfy { $0.shape.isAppended == isAppended })
      let sums = launched.compactMap { $0 as? RowCall<AllReduce> }
      #expect(
        sums.count == 2 && sums.allSatisfy { $0.shape.implementation == (isAppended ? .trtllm : .nccl) })
    }
    // Steps of prompts launch two kernels less, whatever their rows.
    #expect(program.launches == LayerProgram(shard.kinds[0], of: shard).launches - 2)
    // What is appended takes its bytes, and no launch.
    let fits = try Calibration(gpu: "h200-sxm", profiles: shippedProfiles, for: shard.model)
    let work = Elementwise.Work(activationBytes: 1e6)
    let (alone, appended) = (
      fits.fit(Elementwise.Shape("rms_norm")), fits.fit(Elementwise.Shape("rms_norm", isAppended: true))
    )
    #expect(abs(alone.seconds(work) - appended.seconds(work) - alone.coefficients[0]) < 1e-15)
    #expect(appended.seconds(work) == 1e6 * alone.coefficients[1])
    // On one GPU there is no sum.
    let whole = try shipped("qwen3-30b-a3b").shard(over: 1)
    let names = LayerProgram(whole.kinds[0], of: whole, choice).calls.compactMap {
      ($0 as? RowCall<Elementwise>)?.shape.isAppended
    }
    #expect(!names.contains(true))
  }

  /// An engine's own all-reduce where it was measured, vLLM's where not.
  @Test func sumsAreTheEnginesOwn() throws {
    let model = try shipped("qwen3-30b-a3b")
    func fits(_ gpu: String) throws -> [Fit<AllReduce>] {
      let calibration = try Calibration(gpu: gpu, profiles: shippedProfiles, for: model)
      return [.custom, .sglang, .trtllm].map { calibration.fit(AllReduce.Shape($0, gpus: 8)) }
    }
    let own = try fits("b200-sxm")
    #expect(own.allSatisfy { $0.quality == .measured })
    #expect(Set(own.map { $0.seconds(32_768) }).count == 3)
    let (shared, formats) = (
      try fits("h100-sxm"),
      try Calibration(path: shippedProfiles.url.path + "/calibrations/formats/h100-sxm.json")
    )
    #expect(shared.allSatisfy { $0.quality == .measured && $0.coefficients == shared[0].coefficients })
    #expect(!formats.kernels.contains { $0.kernel == "all_reduce" })
  }

  /// A layer of DeepSeek-V3 on 8 GPUs, whose products quantise what goes into them: two norms, four products of attention, six
  /// kernels around rotary embedding and cache, attention, and a sum; then router, experts, two products and the activation of
  /// the shared one, and a sum.
  @Test func countsTheKernelsOfAStepOfPrompts() throws {
    let shard = try shipped("deepseek-v3").shard(over: 8)
    func launches(withExperts: Bool) throws -> Int {
      let kind = try #require(shard.kinds.first { $0.hasExperts == withExperts })
      return LayerProgram(kind, of: shard).launches
    }
    let mixer = 1 + 4 * 2 + 6 + 1 + 1
    let (routed, dense) = (try launches(withExperts: true), try launches(withExperts: false))
    #expect(routed == mixer + 1 + 1 + 9 + 2 * 2 + 1 + 1)
    #expect(dense == mixer + 1 + 2 * 2 + 1 + 1)
    let all = 58 * routed + 3 * dense
    #expect(all == 2044)
    // SGLang's preset takes 82.6 ms for them, which is what its log says.
    let host = try shippedProfiles.engine("sglang-0.5").host
    #expect(abs(host.launch(inGraph: false, launches: all) - 0.0826) < 0.001)
  }
}

extension KernelCall {
  /// Whether the kernel is launched for some rows, as far as they tell.
  fileprivate func isLaunched(_ rows: LaunchRows) -> Bool { work(rows) != nil }
}
