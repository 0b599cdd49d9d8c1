import CostModels
import Systems
import TestSupport
import Testing

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
