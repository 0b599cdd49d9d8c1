import Serving
import Statistics
import Testing

@testable import Experiments
@testable import sim

@Suite struct CompareTests {
  func run(_ policy: String) throws -> CompareRun {
    let experiment = try TestProject.experiment([
      "--policy", policy == "chunked" ? "chunked[budget=512]" : policy, "--request-rate", "2",
      "--num-prompts", "150",
    ])
    return try CompareRun(experiment, writer: nil, progress: nil)
  }

  @Test func aPolicyDoesNotDifferFromItself() throws {
    let comparison = Comparison([try run("chunked"), try run("chunked")], resamples: 200, seed: 1)
    let differences = try #require(comparison.differences.first).metrics
    #expect(differences.count == CompareMetric.allCases.count * CompareStatistic.allCases.count)
    for d in differences {
      #expect(d.difference == Estimate(0, Interval(low: 0, high: 0)))
      #expect(d.verdict == .undecided)
    }
  }

  @Test func everyRequestIsPaired() throws {
    let comparison = Comparison([try run("chunked"), try run("layered")], resamples: 200, seed: 1)
    let difference = try #require(comparison.differences.first)
    #expect(difference.pairs == 150)
    let experts = difference.metrics.first { $0.metric == .expertBytes && $0.statistic == .mean }
    #expect(experts?.verdict == .better)
    #expect(try run("layered").requests == difference.run.requests)
  }

  /// The meter changes nothing, and what it counts adds up.
  @Test func layerGroupsAddUp() throws {
    for policy in ["chunked[budget=512]", "layered"] {
      let run = try run(policy)
      let experiment = try TestProject.experiment([
        "--policy", policy, "--request-rate", "2", "--num-prompts", "150",
      ])
      var plain = RunRecorder(metrics: RunMetrics(objective: experiment.objective))
      _ = try experiment.run(recorder: &plain)
      #expect(plain.metrics.joules == run.summary.metrics.joules)
      let expertBytes = LayerGroup.allCases.reduce(0) {
        $0 + $1.use(in: run.summary.totals.layerUses).expertBytes
      }
      #expect(abs(expertBytes / run.summary.metrics.expertBytes - 1) < 1e-9)
      let iterations = CompareIterations.Kind.allCases.compactMap { run.iterations[$0] }
      #expect(iterations.reduce(0) { $0 + $1.count } == run.summary.metrics.iterations)
    }
  }

  @Test func reportsSayWhoLoses() throws {
    let comparison = Comparison([try run("layered"), try run("chunked")], resamples: 200, seed: 1)
    let text = CompareReport(title: "", comparison: comparison, notes: []).text
    #expect(text.contains("chunked loses in mean TTFT"))
    #expect(text.contains("Expert weights: "))
  }
}
