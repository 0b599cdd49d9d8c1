import CostModels
import Experiments
import Foundation
import Serving
import Statistics
import Systems
import TestSupport
import Testing
import Workloads

/// Mamba-2 models and hybrids in runs.
@Suite struct StateSpaceTests {
  private func experiment(
    _ model: String, gpus: Int = 1, input: Int = 1000, output: Int = 50, requests: Int = 1,
    policy: String = "chunked"
  ) -> Experiment {
    var experiment = Experiment(
      trace: "sharegpt", requestRate: nil, policy: PolicySpecification(parsing: policy))
    experiment.workload.requestRate = .infinity
    experiment.workload.inputLength = input
    experiment.workload.outputLength = output
    experiment.workload.numPrompts = requests
    experiment.system.model = model
    experiment.system.tensorParallelSize = gpus
    experiment.system.engine = "vllm"
    return experiment
  }

  private func run(_ experiment: Experiment, exact: Bool = false) throws -> RunResult {
    var loaded = try Project.library.load(experiment)
    loaded.exactSteps = exact
    return try loaded.run()
  }

  @Test func decodeDoesNotDependOnTheContext() throws {
    let times = try [100, 1000, 30_000].map {
      try run(experiment("mamba2-2.7b", input: $0)).summary[.meanTimePerOutputToken]
    }
    // Times of day of different sizes are rounded apart.
    #expect((times[1] / times[0] - 1).magnitude < 1e-12 && (times[2] / times[0] - 1).magnitude < 1e-12)
  }

  @Test func prefillIsLinearInTokens() throws {
    let times = try [4096, 8192, 16_384].map {
      try run(experiment("mamba2-2.7b", input: $0, output: 1, policy: "chunked[budget=16384]"))
        .summary[.meanTimeToFirstToken]
    }
    let (first, second) = (times[1] - times[0], times[2] - times[1])
    #expect((second / first - 2).magnitude < 0.1)
  }

  /// Each sequence holds its states, and no more than fit run at a time.
  @Test func statesBoundTheBatch() throws {
    var asked = experiment("mamba2-2.7b", output: 20, requests: 60)
    asked.system.memoryShare = 0.2
    asked.system.maxSequences = 256
    let loaded = try Project.library.load(asked)
    let shard = loaded.loaded.system.shard
    #expect(loaded.kvBlocks < 60 && loaded.kvBlocks > 4)
    let result = try loaded.run()
    #expect(result.summary[.completed] == 60)
    let batch = result.summary.metrics
    #expect(batch.outputTokens == 60 * 20)
    // A block more takes a state more of memory.
    asked.system.memoryShare = 0.2 + 1.01 * Double(shard.stateBytesPerSequence) / 85e9
    let more = try Project.library.load(asked).kvBlocks
    #expect(more > loaded.kvBlocks && more <= loaded.kvBlocks + 2)
  }

  @Test(arguments: [("nemotron-h-56b", 4), ("falcon-h1-34b", 2)], ["chunked", "layered", "vllm"])
  func hybridsRunUnderEveryPolicy(model: (name: String, gpus: Int), policy: String) throws {
    let asked = experiment(model.name, gpus: model.gpus, input: 3000, requests: 6, policy: policy)
    let (fast, exact) = (try run(asked), try run(asked, exact: true))
    #expect(fast.summary[.completed] == 6)
    #expect(fast.summary[.meanTimePerOutputToken] == exact.summary[.meanTimePerOutputToken])
    #expect(fast.totals.kernels.contains { $0.kernel == "recurrence" })
    #expect(fast.totals.kernels.contains { $0.kernel == "decode_attention" })
    let loaded = try Project.library.load(asked)
    let pages = try #require(loaded.loaded.system.shard.hybridPages(keepsSnapshots: false))
    #expect(loaded.loaded.system.engine.keyValueBlockSize == pages.blockTokens)
    let note = loaded.notes(totals: fast.totals).contains {
      $0.contains("pages of \(pages.blockTokens) tokens")
    }
    #expect(note)
  }

  /// With a prefix cache a page is of all layers, in the line on memory and in the note alike.
  @Test func pagesOfAHybridWithACacheAreOfOneKind() throws {
    var asked = experiment("falcon-h1-34b", gpus: 2)
    asked.system.engineSettings["cache.prefixes"] = true
    let loaded = try Project.library.load(asked)
    let (size, longest) = (loaded.loaded.system.engine.keyValueBlockSize, loaded.maxModelLength)
    let result = try loaded.run()
    let head = loaded.head(evidence: loaded.evidence(result.totals)).joined()
    #expect(
      head.contains("pages of \(size) tokens, \((longest + size - 1) / size) of them for \(longest) tokens"))
    let notes = loaded.notes(totals: result.totals).joined()
    #expect(
      notes.contains("pages of \(size) tokens: a page has their keys and values, and the state behind them"))
    asked = experiment("mamba2-2.7b")
    asked.system.engineSettings["cache.prefixes"] = true
    let plain = try Project.library.load(asked)
    #expect(plain.head(evidence: plain.evidence(result.totals))[0].contains("states, each behind 256 tokens"))
  }

  /// Two prompts of 4,600 tokens that begin with the same 4,096, one long after the other: of the second, the snapshot behind
  /// the last whole block in these is found, and the rest is computed.
  @Test(
    arguments: [("mamba2-2.7b", 1), ("falcon-h1-34b", 2), ("qwen3-next-80b-a3b", 4)],
    ["chunked", "layered", "vllm"])
  func promptsShareStatesBehindWholeBlocks(model: (name: String, gpus: Int), policy: String) throws {
    let folder = try TemporaryFolder()
    let common = (1...8).map(String.init).joined(separator: ",")
    let rows = [(0, 9), (60_000, 10)].map {
      #"{"timestamp": \#($0.0), "input_length": 4600, "output_length": 3, "hash_ids": [\#(common),\#($0.1)]}"#
    }
    try rows.joined(separator: "\n").write(
      toFile: folder.file("trace.jsonl"), atomically: true, encoding: .utf8)
    var asked = experiment(model.name, gpus: model.gpus, policy: policy)
    asked.workload = WorkloadSpecification(trace: folder.file("trace.jsonl"))
    let without = try run(asked)
    #expect(without.metrics.cachedTokens == 0)
    asked.system.engineSettings["cache.prefixes"] = true
    let (fast, exact) = (try run(asked), try run(asked, exact: true))
    let loaded = try Project.library.load(asked)
    let system = loaded.loaded.system
    let block = system.engine.keyValueBlockSize
    let chunk = system.shard.model.snapshotChunk
    #expect(block % chunk == 0 && block <= 4096)
    #expect(fast.metrics.cachedTokens == 4096 / block * block)
    #expect(fast.metrics.cachedTokens == exact.metrics.cachedTokens)
    #expect(fast.metrics.timeToFirstToken.mean == exact.metrics.timeToFirstToken.mean)
    #expect(fast.metrics.timeToFirstToken.min < 0.8 * without.metrics.timeToFirstToken.min)
    // The first prompt finds nothing.
    #expect((fast.metrics.timeToFirstToken.max / without.metrics.timeToFirstToken.max - 1).magnitude < 1e-9)
    #expect(loaded.notes(totals: fast.totals).contains { $0.contains("state behind every \(block) tokens") })
    // The same memory is cut into blocks that have room for a state each.
    let plain = try Project.library.load(experiment(model.name, gpus: model.gpus, policy: policy))
    // States of gated DeltaNet are set aside otherwise.
    guard system.shard.model.stateSpace != nil else {
      #expect(plain.kvBlocks * plain.loaded.system.engine.keyValueBlockSize > loaded.kvBlocks * block)
      return
    }
    guard let pages = system.shard.hybridPages(keepsSnapshots: true),
      let plainPages = system.shard.hybridPages(keepsSnapshots: false)
    else {
      #expect(loaded.kvBlocks == plain.kvBlocks)
      return
    }
    let (size, plainSize) = (pages.depth * pages.pageBytes, plainPages.depth * plainPages.pageBytes)
    let bytes = loaded.kvBlocks * size * (pages.attentionGroups + pages.stateGroups)
    let plainBytes = plain.kvBlocks * plainSize * plainPages.attentionGroups
    #expect(abs(bytes - plainBytes) < 2 * size)
  }

  @Test func aDeviceByLawAloneRuns() throws {
    var asked = experiment("mamba2-2.7b", input: 256)
    asked.system.hardware = "tpu-v6e"
    let loaded = try Project.library.load(asked)
    #expect(loaded.loaded.calibration.isOfDataSheet)
    #expect(try loaded.run().summary[.completed] == 1)
  }

  @Test func whatItDoesNotGoWithIsSaidInOneLine() throws {
    var asked = experiment("falcon-h1-34b", gpus: 2)
    asked.system.blockSize = 16
    check(asked, "as large as the state")
    asked = experiment("falcon-h1-34b", gpus: 2)
    asked.system.speculation = try SpeculativeSpecification(
      json: #"{"method": "mtp", "num_speculative_tokens": 1, "synthetic_acceptance_rates": [0.5]}"#,
      from: "test")
    check(asked, "not known here")
    for name in ["mamba2-2.7b", "qwen3-next-80b-a3b"] {
      asked = experiment(name, gpus: name == "mamba2-2.7b" ? 1 : 4)
      asked.system.engineSettings["cache.prefixes"] = true
      asked.system.blockSize = 16
      check(asked, "as large as the state")
      asked.system.blockSize = nil
      asked.system.cacheTiers = [CacheTierSpecification(link: "host-pcie5", gibibytes: 64)]
      check(asked, "states are not kept below")
    }
    asked = experiment("mamba2-2.7b")
    asked.system.keyValuePolicy = "arkv[budget=64]"
    check(asked, "attend to all")
  }

  private func check(_ experiment: Experiment, _ expected: String) {
    do {
      _ = try Project.library.load(experiment)
      Issue.record("it is accepted")
    } catch {
      #expect("\(error)".contains(expected) && !"\(error)".contains("\n"), "\(error)")
    }
  }
}
