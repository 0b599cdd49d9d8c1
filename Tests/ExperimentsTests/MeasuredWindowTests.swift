import Serving
import Statistics
import Testing
import Workloads

@testable import Experiments

/// Figures of a part of a run.
@Suite struct MeasuredWindowTests {
  private func run(_ change: (inout Experiment) -> Void = { _ in }) throws -> RunResult {
    var experiment = Experiment(trace: "sharegpt", requestRate: 4, policy: "layered")
    experiment.workload.numPrompts = 200
    change(&experiment)
    return try Project.library.load(experiment).run()
  }

  /// A window around all of the run says what the run says.
  @Test func aWindowOfEverythingChangesNothing() throws {
    let plain = try run()
    let windowed = try run { $0.limits.measureFrom = 0 }
    #expect(plain.summary.values.map(\.0) == windowed.summary.values.map(\.0))
    for ((name, a), (_, b)) in zip(plain.summary.values, windowed.summary.values) where name != "wall_s" {
      #expect(a == b, "\(name)")
    }
  }

  /// Two windows that meet have all requests, tokens, gaps and joules of the run between them.
  @Test func windowsThatMeetAddUp() throws {
    let whole = try run()
    let first = try run { $0.limits.measureUntil = 20 }
    let second = try run { $0.limits.measureFrom = 20 }
    let (a, b, all) = (first.metrics, second.metrics, whole.metrics)
    #expect(a.completed > 50 && b.completed > 50)
    #expect(a.completed + b.completed == all.completed)
    #expect(a.good + b.good == all.good)
    #expect(a.outputTokens + b.outputTokens == all.outputTokens)
    #expect(a.iterations + b.iterations == all.iterations)
    #expect(a.interTokenLatency.count + b.interTokenLatency.count == all.interTokenLatency.count)
    #expect(abs(a.joules + b.joules - all.joules) < 1e-9 * all.joules)
    #expect(a.timeToFirstToken.percentile(100) <= all.timeToFirstToken.percentile(100))
    #expect(first.summary.busySeconds == all.busySeconds)
  }

  /// What is of the whole run all the same is said, and a burst is told by all of its requests.
  @Test func whatIsOfTheWholeRunIsSaid() throws {
    var experiment = Experiment(trace: "sharegpt", requestRate: 4, policy: "layered")
    experiment.workload.numPrompts = 200
    experiment.limits.measureFrom = 40
    let loaded = try Project.library.load(experiment)
    let (result, whole) = (try loaded.run(), try run())
    let head = loaded.head(evidence: loaded.evidence(result.totals)).joined()
    #expect(head.contains("how many requests are in the system are of the whole run"), "\(head)")
    #expect(result.summary[.meanInSystem] == whole.summary[.meanInSystem] && result.metrics.requests < 100)
    #expect(CapacityFigures(result.summary).crowding == CapacityFigures(whole.summary).crowding)
  }

  /// Nothing is measured where no request arrives, and a share of nothing is none.
  @Test func aPartWithoutRequestsHasNoShares() throws {
    let result = try run { $0.limits.measureFrom = 1e6 }
    for figure in [RunFigure.attainment, .requestThroughput, .requestGoodput, .outputThroughput] {
      #expect(result.summary[figure].isNaN, "\(figure)")
    }
    #expect(result.summary[.completed] == 0 && CapacityFigures(result.summary).attainment == 0)
  }

  /// Repeating steps or asking before each: the same figures of a part to the last bit.
  @Test func leapsAreCutWhereTheWindowIs() throws {
    var experiment = Experiment(trace: "sharegpt", requestRate: 2, policy: "chunked")
    experiment.workload.numPrompts = 60
    (experiment.limits.measureFrom, experiment.limits.measureUntil) = (5, 17.25)
    var loaded = try Project.library.load(experiment)
    let leaping = try loaded.run()
    loaded.exactSteps = true
    let exact = try loaded.run()
    for ((name, a), (_, b)) in zip(leaping.summary.values, exact.summary.values) where name != "wall_s" {
      #expect(a == b, "\(name)")
    }
    #expect(leaping.metrics.iterations > 100 && leaping.metrics.duration < 12.3)
  }

  /// Comparisons respect the part, and come to what a run does.
  @Test func comparisonsAreOfTheSamePart() throws {
    var experiment = Experiment(trace: "sharegpt", requestRate: 4, policy: "chunked")
    experiment.workload.numPrompts = 60
    experiment.limits.measureFrom = 5
    let loaded = try Project.library.load(experiment)
    let alone = try loaded.run()
    let compared = try CompareRun(loaded, writer: nil, progress: nil)
    for ((name, a), (_, b)) in zip(alone.summary.values, compared.summary.values) where name != "wall_s" {
      #expect(a == b, "\(name)")
    }
  }

  /// A queue that fills at first is not what comes after: without the warm-up the rate is that of the steady state.
  @Test func rampsAreLeftOut() throws {
    func ramp(_ experiment: inout Experiment) {
      experiment.workload.requestRate = nil
      (experiment.workload.rampUpStart, experiment.workload.rampUpEnd) = (0.5, 4)
    }
    let all = try run(ramp)
    let late = try run {
      ramp(&$0)
      $0.limits.measureFrom = 60
    }
    #expect(late.metrics.completed < all.metrics.completed)
    #expect(late.metrics.meanDecodeBatch > all.metrics.meanDecodeBatch)
  }

  @Test func windowsThatEndBeforeTheyBeginAreRefused() {
    #expect(throws: ExperimentError.self) {
      try run { ($0.limits.measureFrom, $0.limits.measureUntil) = (5, 5) }
    }
    #expect(throws: ExperimentError.self) { try run { $0.limits.measureFrom = -1 } }
  }
}
