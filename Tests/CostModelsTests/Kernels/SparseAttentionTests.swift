import Foundation
import Serving
import Systems
import TestSupport
import Testing

@testable import CostModels

/// Attention over the keys that an indexer picks: DeepSeek-V3.2 and GLM-5.
@Suite struct SparseAttentionTests {
  private static let models = ["deepseek-v3.2", "glm-5"]
  private let gpus = 8

  private func calibration(_ model: ModelDescription, gpu: String = "h200-sxm") throws -> Calibration {
    try Calibration(gpu: gpu, profiles: shippedProfiles, for: model)
  }

  private func system(_ model: String, gpu: String = "h200-sxm", attention: Double = 1) throws -> ServedSystem
  {
    var engine = try shippedProfiles.engine("ideal")
    try engine.set("kernel_scale.attention=\(attention)")
    return try ServedSystem(
      model: shipped(model), hardware: shippedProfiles.hardware(gpu), engine: engine, tensorParallel: gpus)
  }

  private func meter(
    _ model: String, attention: Double = 1, width: Int = 1,
    drafter: (ServedSystem) throws -> Drafter? = { _ in nil }
  ) throws -> Meter {
    let system = try system(model, attention: attention)
    return Meter(
      KernelCostModel(
        system: system, calibration: try calibration(system.shard.model),
        routing: try ExpertRouting(.uniform, for: system.shard.model), width: width,
        drafter: try drafter(system)))
  }

  private func latent(_ model: String) throws -> (attention: LatentAttention, indexer: Indexer) {
    let latent = try #require(try shipped(model).latent)
    return (latent, try #require(latent.indexer))
  }

  /// The indexer reads a key of every token, the attention its pick alone.
  @Test(arguments: models) func theIndexGrowsWithTheContextAndTheAttendedPartDoesNot(model: String) throws {
    var meter = try meter(model)
    let (latent, indexer) = try latent(model)
    func use(_ context: Int) throws -> KernelUse {
      try #require(meter.use(of: Step(contexts: [context]))["decode_attention"])
    }
    let (half, whole) = (try use(32 << 10), try use(64 << 10))
    let layers = Double(try shipped(model).layers)
    let keys = layers * Double(32 << 10)
    #expect(isClose(whole.bytes - half.bytes, 8 * keys * 132, within: 1e-9))
    #expect(
      isClose(
        whole.flops - half.flops, 8 * keys * 2 * Double(indexer.heads * indexer.headDim), within: 1e-9))
    let figures = try calibration(shipped(model)).figures
    let perKey = 132 / (figures.memoryBandwidth * figures.memoryEfficiency)
    #expect(isClose(whole.seconds - half.seconds, keys * perKey, within: 1e-9))
    // What is left is the attention over the picked keys, the index behind it.
    let width = latent.heads / 8 * (latent.entryWidth + latent.latent)
    let attended = 2048 * Double(2 * latent.entryWidth) + 4 * Double(width) / 2
    #expect(isClose(whole.bytes, 8 * layers * (attended + 132 * Double(64 << 10)), within: 1e-9))
  }

  /// vLLM's whole sparse attention of a layer, as measured: what a key more adds is the index.
  @Test(arguments: ["h100-sxm", "h200-sxm", "b200-sxm"], models)
  func theIndexTakesWhatWholeLayersAreMeasuredToGrowBy(gpu: String, model: String) throws {
    let path = shippedProfiles.url.appending(path: "kernels/\(gpu)/aisimulate-0.13-vllm/dsa_decode.csv")
    let rows = try String(contentsOf: path, encoding: .utf8).split(separator: "\n")
      .map { $0.split(separator: ",").map(String.init) }.filter {
        $0.count == 7 && $0[0] == model && $0[4] == "16"
      }
    func mean(_ context: Int) throws -> Double {
      let times = rows.filter { $0[5] == "\(context)" }.compactMap { Double($0[6]) }
      try #require(!times.isEmpty)
      return times.reduce(0, +) / Double(times.count)
    }
    let measured = (try mean(65_536) - mean(16_384)) * 1e-6 / Double(16 * (65_536 - 16_384))
    let index = IndexScores(
      try latent(model).indexer, engine: try shippedProfiles.engine("ideal"),
      power: PowerModel(try shippedProfiles.hardware(gpu)),
      calibration: try calibration(try shipped(model), gpu: gpu))
    #expect((0.65...1.1).contains(index.decode(width: 1).secondsPerKey / measured))
  }

  @Test(arguments: [1, 4]) func aRunOfStepsIsPricedAsItsStepsAre(sequences: Int) throws {
    var meter = try meter("deepseek-v3.2")
    let contexts = (0..<sequences).map { 2045 + 1000 * $0 }
    let costs = meter.costs(ofDecodeSteps: 6, contexts: contexts)
    for (step, cost) in costs.enumerated() {
      let single = meter.cost(of: Step(contexts: contexts.map { $0 + step }))
      #expect(isClose(cost.kernelSeconds, single.kernelSeconds))
      #expect(isClose(cost.kvBytes, single.kvBytes))
      #expect(isClose(cost.decodeContextJoules, single.decodeContextJoules))
      #expect(isClose(cost.decodeRowJoules, single.decodeRowJoules))
    }
  }

  /// The engine's factor on attention is one on the indexer, too, in prefill as in decode.
  @Test func theEnginesFactorHoldsInBothPhases() throws {
    let model = try shipped("deepseek-v3.2")
    func index(_ factor: Double) throws -> IndexScores {
      IndexScores(
        try latent("deepseek-v3.2").indexer, engine: try system("deepseek-v3.2", attention: factor).engine,
        power: PowerModel(try shippedProfiles.hardware("h200-sxm")), calibration: try calibration(model))
    }
    let segments = [PrefillSegment(tokens: 2048, prefix: 4096)]
    #expect(
      isClose(try index(2).prefill(segments.span).seconds, 2 * (try index(1).prefill(segments.span).seconds)))
    var (one, two) = (try meter("deepseek-v3.2"), try meter("deepseek-v3.2", attention: 2))
    let step = Step(contexts: [64 << 10])
    let single = try #require(one.use(of: step)["decode_attention"])
    #expect(isClose(two.use(of: step)["decode_attention"]?.seconds, 2 * single.seconds))
  }

  /// A layer that makes drafts picks keys as the model's own do.
  @Test func draftsSeeThePickedKeysAlone() throws {
    var meter = try meter("deepseek-v3.2", width: 2) {
      try Drafter.multiTokenPrediction(for: $0, drafts: 1, law: .uniform)
    }
    func bytes(_ context: Int) throws -> Double {
      var step = Step(contexts: [context])
      step.width = 2
      return try #require(meter.use(of: step)["draft_decode_attention"]).bytes
    }
    #expect(isClose(try bytes(65_536) - bytes(32_768), Double(8 * 132 * 32_768), within: 1e-9))
  }
}
