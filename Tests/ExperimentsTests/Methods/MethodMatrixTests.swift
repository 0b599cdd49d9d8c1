import Experiments
import Policies
import Systems
import Testing
import Workloads

/// Methods that change what a sequence keeps, under every policy, on one server and on two pools.
@Suite struct MethodMatrixTests {
  enum Method: String, CaseIterable, Sendable {
    case compressed, evicting, recurrent, hybrid, drafting

    /// Why two pools refuse it.
    var refusal: String {
      self == .evicting || self == .drafting ? "prefill and decode are apart" : "states are not sent"
    }

    func apply(to system: inout SystemSpecification) throws {
      switch self {
      case .compressed: system.attention = "cca[q=2,kv=8]"
      case .evicting: system.keyValuePolicy = "arkv[budget=300]"
      case .recurrent: system.model = "mamba2-2.7b"
      case .hybrid: system.model = "falcon-h1-34b"
      case .drafting:
        system.speculation = try SpeculativeSpecification(
          json: #"{"method": "ngram", "num_speculative_tokens": 3, "synthetic_acceptance_length": 2.1}"#,
          from: "test")
      }
    }
  }

  private func experiment(_ method: Method, _ policy: String) throws -> Experiment {
    var experiment = Experiment(
      trace: "sharegpt", requestRate: 6, policy: PolicySpecification(parsing: policy))
    experiment.workload.numPrompts = 10
    experiment.system.model = "qwen3-8b"
    experiment.system.hardware = "h200-sxm"
    experiment.system.tensorParallelSize = 1
    experiment.system.engine = "vllm"
    try method.apply(to: &experiment.system)
    return experiment
  }

  /// All figures but the real time that the simulation took.
  private func figures(_ result: RunResult) -> [String] {
    result.summary.values.filter { $0.0 != RunFigure.wall.name && !$0.0.contains("speed") }.map { "\($0)" }
  }

  @Test(arguments: Method.allCases, PolicyCatalog.entries.map(\.name))
  func runsOnOneServerTheSameStepByStep(method: Method, policy: String) throws {
    var loaded = try Project.library.load(try experiment(method, policy))
    let fast = try loaded.run()
    loaded.exactSteps = true
    #expect(try figures(loaded.run()) == figures(fast))
    #expect(fast.summary[.completed] + fast.summary[.rejected] == 10)
    #expect(fast.summary[.completed] > 0)
  }

  @Test(arguments: Method.allCases) func isRefusedOnTwoPoolsInOneLine(method: Method) throws {
    var asked = try experiment(method, "chunked")
    asked.cluster.pools = [
      .init(name: "p", system: asked.system, role: .prefill),
      .init(name: "d", system: asked.system, role: .decode),
    ]
    do {
      _ = try Project.library.load(asked)
      Issue.record("\(method) is accepted")
    } catch {
      #expect("\(error)".contains(method.refusal) && !"\(error)".contains("\n"), "\(error)")
    }
  }
}
