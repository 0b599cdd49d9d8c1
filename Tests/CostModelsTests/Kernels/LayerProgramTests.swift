import CostModels
import Systems
import TestSupport
import Testing

/// The list of a layer's kernels, and the memory that a shard is said to take.
@Suite struct LayerProgramTests {
  @Test(arguments: ["qwen3-30b-a3b", "gpt-oss-20b", "qwen3-8b", "llama-3.1-8b"], [1, 2, 4])
  func holdsTheWeightsThatMemoryEstimatesCount(name: String, gpus: Int) throws {
    let shard = try shipped(name).shard(over: gpus)
    for kind in shard.kinds {
      let program = LayerProgram(kind, of: shard)
      // Norms, attention sinks and expert biases are no kernel's of their own.
      let rest = shard.normBytes(of: kind) + (kind.hasExperts ? shard.expertBiasBytes : 0)
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
}

extension KernelCall {
  /// Whether the kernel is launched for some rows, as far as they tell.
  fileprivate func isLaunched(_ rows: LaunchRows) -> Bool { work(rows) != nil }
}
