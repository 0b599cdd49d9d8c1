import Experiments
import Serving
import Statistics
import Testing
import Workloads

/// `--prefill-sparsity` and `--token-pruning`, from their text to a run.
@Suite struct SparsityTests {
  private func experiment(
    _ policy: String, _ sparsity: String?, model: String = "llama-3.1-8b", isDisaggregated: Bool = false
  ) -> Experiment {
    var experiment = Experiment()
    experiment.workload = WorkloadSpecification(trace: "random", requestRate: 2, numPrompts: 8)
    experiment.workload.inputLength = 3000
    experiment.workload.outputLength = 40
    experiment.workload.rangeRatio = 0.3
    experiment.cluster.pool.policy = PolicySpecification(parsing: policy)
    experiment.system.model = model
    experiment.system.tensorParallelSize = 1
    if sparsity?.hasPrefix("adaptinfer") == true {
      experiment.workload.imageTokens = 576
      experiment.system.tokenPruning = sparsity.map { PolicySpecification(parsing: $0) }
    } else {
      experiment.system.prefillSparsity = sparsity.map { PolicySpecification(parsing: $0) }
    }
    guard isDisaggregated else { return experiment }
    var decoders = experiment.cluster.pool
    (experiment.cluster.pool.name, experiment.cluster.pool.role) = ("prefill", .prefill)
    (decoders.name, decoders.role) = ("decode", .decode)
    experiment.cluster.pools.append(decoders)
    return experiment
  }

  private func run(_ experiment: Experiment, exact: Bool = false) throws -> RunResult {
    var loaded = try Project.library.load(experiment)
    loaded.exactSteps = exact
    return try loaded.run()
  }

  /// All figures but the real time that the simulation took.
  private func figures(_ result: RunResult) -> [String] {
    result.summary.values.filter { $0.0 != RunFigure.wall.name && !$0.0.contains("speed") }.map { "\($0)" }
  }

  private static let policies = [
    "chunked", "layered", "hybrid[chunk=700]", "deadline", "paced", "shortest", "orca", "vllm", "sglang",
    "trtllm", "static",
  ]
  private static let methods = [
    "uniprefill[kept=0.6]", "uniprefill[kept=256:0.9/4096:0.5,layers=3/9]",
    "sparse-attention[k=256,indexer=64,block=32]", "adaptinfer[budget=64]",
  ]

  /// Every method under every policy, on one server and where prefill and decode are apart: it runs, the same with and without
  /// leaps, or is refused for a reason.
  @Test(arguments: policies, methods) func everyMethodRunsOrIsRefused(policy: String, method: String) throws {
    let cutsPrompts = ["chunked", "hybrid[chunk=700]", "shortest", "vllm", "sglang"].contains(policy)
    for isDisaggregated in [false, true] {
      let experiment = experiment(policy, method, isDisaggregated: isDisaggregated)
      guard !method.hasPrefix("adaptinfer") || !cutsPrompts else {
        #expect(throws: ExperimentError.self) { try Project.library.load(experiment) }
        continue
      }
      let result = try run(experiment)
      let exact = try run(experiment, exact: true)
      #expect(figures(exact) == figures(result))
      #expect(result.metrics.completed == 8)
      let plain = try run(self.experiment(policy, nil, isDisaggregated: isDisaggregated))
      #expect(result.metrics.outputTokens == plain.metrics.outputTokens)
      #expect(figures(result) != figures(plain))
      #expect(result.totals.kernels.contains { $0.kernel == "selection" })
      if isDisaggregated {
        // What is dropped is not sent.
        let drops = !method.hasPrefix("sparse")
        #expect(
          drops
            ? result.transfers.bytes < plain.transfers.bytes
            : result.transfers.bytes == plain.transfers.bytes)
      }
    }
  }

  /// Nothing left out: the summary of a plain run, to the last bit.
  @Test(
    arguments: ["chunked", "layered", "vllm"],
    [
      "none", "uniprefill[kept=1]", "uniprefill[p=1]", "uniprefill[kept=1/1,layers=3/9]",
      "sparse-attention[k=40000,indexer=64,block=32]", "adaptinfer[kept=576/576/576]",
    ])
  func nothingLeftOutChangesNothing(policy: String, method: String) throws {
    let plain = try run(experiment(policy, nil))
    #expect(try figures(run(experiment(policy, method))) == figures(plain))
  }

  /// Keys above every prompt, though not above the longest that may come: the times of a plain run, of less memory.
  @Test func keysAboveEveryPromptChangeNoTime() throws {
    let plain = try run(experiment("layered", nil)).metrics
    let other = try run(experiment("layered", "sparse-attention[k=3100,indexer=64,block=32]")).metrics
    #expect(other.timeToFirstToken.mean == plain.timeToFirstToken.mean && other.joules == plain.joules)
  }

  @Test func fewerRowsTakeLessTime() throws {
    var last = Double.infinity
    for kept in [1, 0.9, 0.7, 0.5, 0.3] {
      let mean = try run(experiment("layered", "uniprefill[kept=\(kept)]")).metrics.timeToFirstToken.mean
      #expect(mean < last)
      last = mean
    }
  }

  @Test func theConfigurationSurvivesItsJSON() throws {
    let first = experiment("layered", "uniprefill[kept=256:0.9/4096:0.5,layers=7:27:4,p=0.99]")
    let second = try Experiment(json: .init(first.json.utf8), from: "test")
    #expect(second == first)
    #expect(try Project.library.load(second).profile?.drops.map(\.layer) == [7, 11, 15, 19, 23, 27])
  }

  /// The layers that are given for Llama-3.1-8B and Qwen3-Next.
  @Test(arguments: [
    ("llama-3.1-8b", Array(stride(from: 7, through: 27, by: 4))),
    ("qwen3-next-80b-a3b", Array(stride(from: 7, through: 43, by: 4))),
  ])
  func usualLayers(model: String, layers: [Int]) throws {
    var experiment = experiment("chunked", "uniprefill[kept=0.8]", model: model)
    experiment.system.tensorParallelSize = 4
    #expect(try Project.library.load(experiment).profile?.drops.map(\.layer) == layers)
  }

  @Test(arguments: [
    ("uniprefill", "kept missing"), ("uniprefill[kept=1.2]", "shares from 0 to 1"),
    ("uniprefill[kept=0.5/0.5]", "one for each of the 6 layers"),
    ("uniprefill[kept=4096:0.5/256:0.9]", "lengths that increase"),
    ("uniprefill[kept=0.5,layers=9/3]", "that go up"), ("uniprefill[kept=0.5,layers=31]", "from 0 to 30"),
    ("uniprefill[kept=0.5,layers=0:27:0]", "that go up"), ("uniprefill[kept=0.5,p=2]", "0.0 to 1.0"),
    ("uniprefill[kept=0.5,depth=2]", "one of layers, p, kept, sync_us"), ("uniprefil[kept=1]", "none or"),
    ("sparse-attention[k=2048]", "indexer missing"), ("sparse-attention[k=0,indexer=1,block=1]", "positive"),
    ("adaptinfer[kept=10/20/3]", "do not grow"), ("adaptinfer[budget=65]", "128, 64, 48 or 32"),
    ("adaptinfer[kept=1/1/1,budget=64]", "not both"), ("adaptinfer[kept=577/1/1]", "at most 576"),
  ])
  func whatIsWrongIsSaidInOneLine(method: String, text: String) throws {
    try expectRefusal(experiment("layered", method), text)
  }

  @Test func whatCannotBeIsRefused() throws {
    var withoutImages = experiment("layered", "adaptinfer[budget=64]")
    withoutImages.workload.imageTokens = nil
    try expectRefusal(withoutImages, "prompts with images")
    var both = experiment("layered", "adaptinfer[budget=64]")
    both.system.prefillSparsity = "uniprefill[kept=0.5]"
    try expectRefusal(both, "none beside --token-pruning")
    var cached = experiment("vllm", "uniprefill[kept=0.5]")
    cached.system.engineSettings["cache.prefixes"] = .flag(true)
    try expectRefusal(cached, "--no-enable-prefix-caching")
    let windows = experiment("layered", "uniprefill[kept=0.5,layers=2]", model: "gemma-3-27b")
    try expectRefusal(windows, "whose attention sees everything")
    var latent = experiment("layered", "sparse-attention[k=64,indexer=64,block=1]", model: "deepseek-v3.2")
    latent.system.hardware = "h200-sxm"
    latent.system.tensorParallelSize = 8
    try expectRefusal(latent, "grouped heads")
  }

  private func expectRefusal(_ experiment: Experiment, _ text: String) throws {
    do {
      _ = try Project.library.load(experiment)
      Issue.record("it is accepted")
    } catch {
      #expect("\(error)".contains(text), "\(error)")
      #expect(!"\(error)".contains("\n"))
    }
  }
}
