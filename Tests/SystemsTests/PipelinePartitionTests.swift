import Systems
import TestSupport
import Testing

/// Models that are cut into stages.
@Suite struct PipelinePartitionTests {
  /// The layers that are left go to the stages before the last one.
  @Test(arguments: [
    (10, 4, [2, 3, 3, 2]), (32, 4, [8, 8, 8, 8]), (61, 2, [31, 30]), (61, 4, [15, 15, 16, 15]),
    (80, 3, [27, 27, 26]), (7, 4, [2, 2, 2, 1]), (5, 5, [1, 1, 1, 1, 1]), (9, 1, [9]),
  ])
  func layersAreCutAsInVLLM(layers: Int, stages: Int, sizes: [Int]) {
    let ranges = PipelinePartition.layers(layers, over: stages)
    #expect(ranges.map(\.count) == sizes)
    #expect(ranges.first?.lowerBound == 0 && ranges.last?.upperBound == layers)
    #expect(zip(ranges, ranges.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound })
  }

  /// What the stages hold together is what the whole model holds; a table for both ends is there twice.
  @Test(
    arguments: ["qwen3-30b-a3b", "gpt-oss-20b", "llama-3.1-8b", "deepseek-v3", "qwen3-0.6b"], [2, 3, 4])
  func stagesHoldTheModel(name: String, count: Int) throws {
    let model = try shippedProfiles.model(name)
    let shard = try model.shard(over: 2)
    let stages = try PipelinePartition.layers(model.layers, over: count).map { try shard.stage($0) }
    let twice = model.hasTiedEmbeddings ? shard.headBytes : 0
    #expect(stages.reduce(0) { $0 + $1.weightBytes } == shard.weightBytes + twice)
    #expect(stages.reduce(0) { $0 + $1.keyValueBytesPerToken } == shard.keyValueBytesPerToken)
    #expect(stages.map(\.holdsEmbedding) == (0..<count).map { $0 == 0 })
    #expect(stages.map(\.holdsHead) == (0..<count).map { $0 == count - 1 })
  }

  /// The stage with the least room for KV entries bounds all of them: that with the LM head, or with more layers.
  @Test func theTightestStageBoundsTheMemory() throws {
    let engine = try shippedProfiles.engine("vllm-0.33")
    let hardware = try shippedProfiles.hardware("h100-sxm")
    let shard = try shippedProfiles.model("llama-3.1-70b").shard(over: 2)
    let stages = try PipelinePartition.layers(80, over: 3).map { try shard.stage($0) }
    let together = try engine.keyValueBlocks(
      shard, in: stages, on: hardware, utilisation: 0.9, maxBatchedTokens: 2048)
    let apart = try stages.map {
      try engine.keyValueBlocks($0, on: hardware, utilisation: 0.9, maxBatchedTokens: 2048)
    }
    #expect(together == apart.min())
    #expect(Set(apart).count == 3)
  }

  /// Layers of two kinds in equal numbers share blocks; of a stage that has more of one kind, the blocks are as large as those.
  @Test func groupsOfBlocksStay() throws {
    let engine = try shippedProfiles.engine("vllm-0.33")
    let hardware = try shippedProfiles.hardware("h100-sxm")
    let model = try shippedProfiles.model("gpt-oss-20b")
    try #require(engine.groupWindow(of: model) != nil && model.layers == 24)
    let shard = try model.shard(over: 1)
    func blocks(_ stages: Int) throws -> Int {
      try engine.keyValueBlocks(
        shard, in: PipelinePartition.layers(24, over: stages).map { try shard.stage($0) }, on: hardware,
        utilisation: 0.9, maxBatchedTokens: 2048)
    }
    // Eight stages have three layers each, blocks of two of which are those of one of twelve stages.
    let (eight, twelve, two) = (try blocks(8), try blocks(12), try blocks(2))
    #expect(Double(twelve) / Double(eight) > 1.9 && Double(twelve) / Double(eight) < 2.2)
    #expect(Double(eight) / Double(two) > 2.9)
  }
}
