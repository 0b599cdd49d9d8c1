import CostModels
import Foundation
import Policies
import ResultStore
import Serving
import Statistics
import Systems
import TestSupport
import Testing
import Workloads

@testable import Experiments

/// Experiments are loaded, run, stored, and run again.
struct LibraryTests {
  private func small(_ policy: PolicySpecification = "layered") -> Experiment {
    var experiment = Experiment(trace: "arxiv", requestRate: 1.5, policy: policy)
    experiment.workload.numPrompts = 20
    return experiment
  }

  /// The program that the documentation begins with.
  @Test func tenLinesAreEnough() throws {
    var experiment = Experiment(trace: "arxiv", requestRate: 1.5, policy: "layered")
    experiment.system.hardware = "h200-sxm"
    experiment.workload.numPrompts = 20
    let result = try Project.library.load(experiment).run()
    #expect(result.summary[.completed] == 20)
    #expect(result.summary[.meanTimeToFirstToken] == result.metrics.timeToFirstToken.mean * 1000)
    #expect(
      result.summary[.p99InterTokenLatency] == result.metrics.interTokenLatency.percentile(99) * 1000)
  }

  /// vLLM's null block is among those that are asked for, and nobody can use it: prompts that fit exactly are the longest.
  @Test(arguments: [("vllm", 99), ("nano-vllm", 100)]) func theNullBlockIsCounted(engine: String, usable: Int)
    throws
  {
    var experiment = small("chunked[budget=512]")
    experiment.system.engine = engine
    experiment.system.kvBlocks = 100
    let loaded = try Project.library.load(experiment)
    let block = loaded.loaded.system.engine.keyValueBlockSize
    #expect(loaded.pool.memory.totalBlocks == usable && loaded.pool.longestSequence == usable * block)
    experiment.workload.numPrompts = 2
    for (tokens, completed) in [(usable * block, 2), (usable * block + 1, 0)] {
      experiment.workload.inputLength = tokens - 8
      experiment.workload.outputLength = 8
      #expect(try Project.library.load(experiment).run().metrics.completed == completed, "\(tokens)")
    }
  }

  /// Energies were measured on an H200, but not what dequantising MXFP4 draws.
  @Test(arguments: [
    ("qwen3-30b-a3b", "h200-sxm", Quality.measured), ("qwen3-30b-a3b-fp8", "h200-sxm", .measured),
    ("gpt-oss-120b", "h200-sxm", .estimate), ("qwen3-30b-a3b", "h100-sxm", .estimate),
  ])
  func energiesAreAsGoodAsTheWorstThatIsNeeded(model: String, gpu: String, quality: Quality) throws {
    var experiment = small()
    (experiment.system.model, experiment.system.hardware, experiment.system.engine) = (model, gpu, "vllm")
    experiment.system.tensorParallelSize = 1
    #expect(try Project.library.load(experiment).loaded.energyQuality == quality)
  }

  /// A GPU of which nothing was measured needs its data sheet alone, and comes out near its measured twin.
  @Test(arguments: ["h200-sxm", "a100-sxm"]) func aDataSheetIsEnough(gpu: String) throws {
    var experiment = small("chunked")
    experiment.workload.requestRate = 0.3
    experiment.system.engine = "ideal"
    experiment.system.hardware = gpu
    let measured = try Project.library.load(experiment).run()
    let text = try String(
      contentsOf: shippedProfiles.url.appending(path: "hardware/\(gpu).json"), encoding: .utf8)
    try ScratchFolder.with("my-gpu.json", text) { file in
      experiment.system.hardware = file.path
      let loaded = try Project.library.load(experiment)
      #expect(loaded.loaded.calibration.isOfDataSheet)
      let run = try loaded.run()
      #expect(
        loaded.notes(totals: run.totals).contains { $0.hasPrefix("No kernel of my-gpu was ever measured") })
      let ratio = run.metrics.timePerOutputToken.mean / measured.metrics.timePerOutputToken.mean
      #expect((0.6...1.6).contains(ratio), "\(ratio)")
    }
  }

  @Test func everyDefaultIsSpeltOut() throws {
    let loaded = try Project.library.load(small())
    let specification = loaded.specification
    #expect(specification.policy?.parameters == ["stages": 16, "cohort": 8192, "groups": "tiers"])
    #expect(specification.workload.arrivals == .poisson)
    #expect(specification.workload.numPrompts == 20)
    #expect(specification.system.blockSize == loaded.loaded.system.engine.keyValueBlockSize)
    #expect(specification.objective?.timeToFirstToken == 10)
    #expect(try Project.library.load(specification).specification == specification)
  }

  @Test func theHashDoesNotDependOnTheSpelling() throws {
    let hash = try Project.library.load(small("chunked")).configurationHash
    #expect(try Project.library.load(small("chunked[budget=16384]")).configurationHash == hash)
    #expect(try Project.library.load(small("chunked[budget=256]")).configurationHash != hash)
    var changed = small("chunked")
    changed.system.hardwareSettings["power.limit_w"] = 700
    #expect(try Project.library.load(changed).configurationHash == hash, "the descriptor says so as well")
    changed.system.hardwareSettings["power.limit_w"] = 600
    #expect(try Project.library.load(changed).configurationHash != hash)
    changed = small("chunked")
    changed.seed = 1
    #expect(try Project.library.load(changed).configurationHash != hash)
  }

  @Test func aStoredRunComesToTheSameAgain() throws {
    let folder = try TemporaryFolder()
    let experiment = try Project.library.load(small())
    let result = try experiment.run()
    let writer = try RunWriter(path: folder.file("runs.sqlite"), logLevel: .requests)
    let run = try writer.finish(experiment.row(result, argv: []), kernels: result.totals.kernels)
    let reader = try ResultReader(path: folder.file("runs.sqlite"))
    let again = try Project.library.load(reader.experiment(ofRun: run))
    #expect(again.configurationHash == experiment.configurationHash)
    let figures = try again.run().summary.values.filter { $0.0 != "wall_s" }
    for ((name, value), (_, before)) in zip(figures, result.summary.values) {
      #expect(value == before, "\(name)")
    }
  }

  /// Chunks are as large as the engine makes them, unless somebody says otherwise.
  @Test(arguments: [
    ("nano-vllm", 16384), ("paper", 512), ("vllm", 8192), ("vllm-0.13", 8192), ("sglang", 8192),
    ("ideal", 8192),
  ])
  func chunksHaveTheEnginesBudget(engine: String, budget: Int) throws {
    var experiment = small("chunked")
    experiment.system.engine = engine
    #expect(try Project.library.load(experiment).policy.batchedTokens == budget)
    experiment.policy = "chunked[budget=300]"
    #expect(try Project.library.load(experiment).policy.batchedTokens == 300)
    experiment.policy = "layered"
    #expect(try Project.library.load(experiment).policy.batchedTokens == 8192)
  }

  /// Twice what SQLite's whole numbers hold: kept to the last digit in the configuration.
  @Test func theLargestSeedIsKept() throws {
    var experiment = small()
    experiment.seed = .max
    let loaded = try Project.library.load(experiment)
    #expect(loaded.specification.json.contains("18446744073709551615"))
    let again = try Experiment(json: Data(loaded.specification.json.utf8), from: "test")
    #expect(again.seed == .max)
    let folder = try TemporaryFolder()
    let writer = try RunWriter(path: folder.file("runs.sqlite"), logLevel: .requests)
    let run = try writer.finish(loaded.row(try loaded.run(), argv: []))
    let stored = try ResultReader(path: folder.file("runs.sqlite")).experiment(ofRun: run)
    #expect(stored.seed == .max)
  }

  @Test func withoutAPolicyTheEnginesOwnRuns() throws {
    var experiment = small()
    experiment.policy = nil
    #expect(try Project.library.load(experiment).policy.entry.name == "chunked")
    experiment.system.engine = "sglang"
    #expect(try Project.library.load(experiment).policy.entry.name == "sglang")
    experiment.system.engineSettings["scheduling.policy"] = .word("trtllm")
    #expect(try Project.library.load(experiment).policy.entry.name == "trtllm")
    experiment.policy = "layered"
    #expect(try Project.library.load(experiment).policy.entry.name == "layered")
  }

  /// A model with fewer positions than the usual length has that many, and 32,768 only if somebody asks for them.
  @Test func aLengthThatWasAskedForStays() throws {
    var experiment = small("chunked")
    experiment.system.model = "qwen3-30b-a3b"
    let positions = try Project.library.load(experiment).loaded.system.shard.model.maxContext
    #expect(try Project.library.load(experiment).maxModelLength == min(32_768, positions))
    experiment.system.maxModelLength = positions + 1
    let long = try Project.library.load(experiment)
    #expect(long.specification.system.maxModelLength == positions + 1)
    #expect(long.warnings.contains { $0.contains("\(positions) positions") })
  }

  @Test func equalInstancesShareTheTraffic() throws {
    var experiment = small()
    experiment.workload.requestRate = 6
    let one = try Project.library.load(experiment).run()
    experiment.cluster.pool.instances = 3
    let three = try Project.library.load(experiment).run()
    #expect(three.summary[.completed] == 20)
    #expect(three.summary[.meanTimeToFirstToken] < one.summary[.meanTimeToFirstToken])
  }

  @Test func valuesAreChecked() throws {
    func message(_ change: (inout Experiment) -> Void) throws -> String {
      var experiment = small()
      change(&experiment)
      return "\(try #require(throws: ExperimentError.self) { try Project.library.load(experiment) })"
    }
    #expect(try message { $0.system.maxSequences = 0 }.hasPrefix("--max-num-seqs 0: expected 1 to"))
    #expect(try message { $0.system.maxModelLength = 1 }.hasPrefix("--max-model-len 1: expected 2 to"))
    #expect(try message { $0.system.memoryShare = 1.5 }.hasPrefix("--gpu-memory-utilization 1.5: expected"))
    #expect(try message { $0.limits.maxDuration = 0 } == "--max-duration 0.0: expected more than 0 seconds")
    #expect(try message { $0.limits.maxConcurrency = 0 } == "--max-concurrency 0: expected at least 1")
    #expect(
      try message { $0.cluster.pools = [] }
        == "pools 0: expected one pool without a role, or some of role prefill and behind them one of role decode"
    )
    #expect(try message { $0.cluster.pool.instances = 0 } == "instances 0: expected 1 to 10000")
  }

  @Test func encodersOfImagesAreKeptApart() throws {
    func weights(_ encoder: String?) throws -> Int? {
      var experiment = Experiment(
        workload: WorkloadSpecification(trace: "arxiv", requestRate: 1, numPrompts: 2))
      experiment.workload.imageTokens = 576
      experiment.system.visionEncoder = encoder
      return try Project.library.load(experiment).pool.loaded.encoder?.weightBytes
    }
    let (clip, siglip) = (try weights("clip-vit-large-336"), try weights("siglip-so400m-896"))
    #expect(try weights(nil) == nil)
    #expect(try #require(clip) < #require(siglip))
  }
}
