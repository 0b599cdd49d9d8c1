import CostModels
import Experiments
import Serving
import Systems
import Testing
import Workloads

/// `--kv-policy`, from its text to a run.
@Suite struct RetentionTests {
  private func experiment(_ policy: String, _ keyValues: String?, engine: String = "nano-vllm") -> Experiment
  {
    var experiment = Experiment()
    experiment.workload.trace = "arxiv"
    experiment.workload.numPrompts = 12
    experiment.workload.requestRate = 2
    experiment.cluster.pool.policy = PolicySpecification(parsing: policy)
    experiment.system.engine = engine
    experiment.system.keyValuePolicy = keyValues.map { PolicySpecification(parsing: $0) }
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

  static let policies = ["chunked", "layered", "hybrid", "vllm"]

  @Test(arguments: policies) func aBudgetAboveEveryLengthIsThePlainRun(policy: String) throws {
    let plain = try run(experiment(policy, nil))
    #expect(figures(try run(experiment(policy, "arkv[budget=32768]"))) == figures(plain))
  }

  @Test(arguments: policies, ["second-pass", "eager"])
  func everyPolicyEvicts(policy: String, statistics: String) throws {
    let asked = experiment(policy, "arkv[budget=1024,fp8=0.2,statistics=\(statistics)]")
    let (result, exact) = (try run(asked), try run(asked, exact: true))
    #expect(figures(exact) == figures(result))
    let plain = try run(experiment(policy, nil))
    #expect(result.summary.metrics.outputTokens == plain.summary.metrics.outputTokens)
    func seconds(_ result: RunResult, _ kernel: String) -> Double {
      result.totals.kernels.first { $0.kernel == kernel }?.seconds ?? 0
    }
    // Fewer entries are read, and statistics take prompts time.
    #expect(seconds(result, "decode_attention") < seconds(plain, "decode_attention"))
    #expect(result.summary[.meanTimeToFirstToken] > plain.summary[.meanTimeToFirstToken])
    for kernel in ["kv_statistics", "kv_eviction", "kv_expansion"] {
      #expect(seconds(result, kernel) > 0 && seconds(plain, kernel) == 0)
    }
  }

  @Test func itsJSONReadsTheSame() throws {
    let first = experiment("chunked", "arkv[budget=1024,statistics=eager]")
    #expect(try Experiment(json: .init(first.json.utf8), from: "test") == first)
  }

  @Test(arguments: [
    ("arkv", "budget from 2"), ("arkv[budget=1]", "budget from 2"), ("snapkv[budget=9]", "arkv[budget=2048"),
    ("arkv[budget=64,window=64]", "window from 0 to 63"), ("arkv[budget=64,fp8=1.5]", "fp8 from 0.0 to 1.0"),
    ("arkv[budget=64,statistics=none]", "second-pass, eager"),
    ("arkv[budget=64,heads=1]", "arkv[budget=2048"),
  ])
  func whatIsWrongIsSaidInOneLine(text: String, expected: String) {
    check(experiment("chunked", text), expected)
  }

  @Test func whatItDoesNotGoWithIsSaidInOneLine() throws {
    var asked = experiment("chunked", "arkv[budget=1024]")
    asked.system.speculation = try SpeculativeSpecification(
      json: #"{"method": "ngram", "num_speculative_tokens": 1, "synthetic_acceptance_rates": [0.5]}"#,
      from: "test")
    check(asked, "which drafts' entries")
    asked = experiment("chunked", "arkv[budget=1024]")
    asked.system.engineSettings["cache.prefixes"] = true
    check(asked, "cannot be shared")
    asked = experiment("chunked", "arkv[budget=1024]")
    asked.system.engineSettings["kv.fp8"] = true
    check(asked, "FP8")
    for model in ["gpt-oss-20b", "deepseek-v3"] {
      asked = experiment("chunked", "arkv[budget=1024]")
      (asked.system.model, asked.system.hardware) = (model, "b200-sxm")
      asked.system.tensorParallelSize = 8
      check(asked, "attend to all")
    }
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
