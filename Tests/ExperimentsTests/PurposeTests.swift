import Policies
import Serving
import Statistics
import Testing
import Workloads

@testable import Experiments

/// Policies do what they are made for, by a stated margin.
@Suite struct PurposeTests {
  private func run(_ policy: PolicySpecification, _ trace: String, rate: Double, requests: Int) throws
    -> RunSummary
  {
    var experiment = Experiment(trace: trace, requestRate: rate, policy: policy)
    experiment.workload.numPrompts = requests
    return try Project.library.load(experiment).run().summary
  }

  /// Under a limit of 30 ms for gaps, groups of layers serve a model with experts sooner, steadier and with less energy than
  /// chunks do that keep to the same limit.
  @Test func pacedLayersBeatPacedChunks() throws {
    let layers = try run("paced[tbt=30]", "arxiv", rate: 1.3, requests: 200)
    let chunks = try run("deadline[tbt=30]", "arxiv", rate: 1.3, requests: 200)
    #expect(layers.percentile(99, of: .itl) <= 0.030)
    #expect(layers.metrics.timeToFirstToken.mean < 0.9 * chunks.metrics.timeToFirstToken.mean)
    #expect(layers.metrics.timePerOutputToken.mean < 0.97 * chunks.metrics.timePerOutputToken.mean)
    #expect(layers.joules < 0.97 * chunks.joules)
  }

  /// Groups that need not be small are fewer: TTFT falls below that of the reference engine's grouping.
  @Test func pacedLayersBeatFixedGroups() throws {
    let paced = try run("paced[tbt=30]", "arxiv", rate: 1.3, requests: 200)
    let fixed = try run("layered", "arxiv", rate: 1.3, requests: 200)
    #expect(paced.metrics.timeToFirstToken.mean < 0.7 * fixed.metrics.timeToFirstToken.mean)
  }

  private func run(
    _ policy: PolicySpecification, rate: Double, classes: [RequestClass], engine: [String: SettingValue] = [:]
  ) throws -> RunResult {
    var experiment = Experiment(trace: "arxiv", requestRate: rate, policy: policy)
    experiment.workload.numPrompts = 300
    experiment.workload.classes = classes
    experiment.system.engineSettings = engine
    return try Project.library.load(experiment).run()
  }

  private func asking(_ firstToken: Seconds) -> ServiceObjective {
    var objective = ServiceObjective()
    objective.timeToFirstToken = firstToken
    return objective
  }

  /// Of two classes, one of which can wait for a minute, the other meets its two seconds in half again as many requests, and the
  /// patient one still meets its own in all.
  @Test func deadlinesLetThoseWaitWhoCan() throws {
    let classes = [
      RequestClass(name: "chat", share: 1, objective: asking(2)),
      RequestClass(name: "batch", share: 2, objective: asking(60)),
    ]
    let plain = try run("chunked[budget=2048]", rate: 8, classes: classes).classes
    let edf = try run("edf", rate: 8, classes: classes).classes
    #expect(edf[0].attainment > 1.5 * plain[0].attainment, "\(edf[0].attainment) \(plain[0].attainment)")
    #expect(edf[0].attainment > 0.9 && edf[1].attainment > 0.99)
    #expect(edf.map(\.requests) == plain.map(\.requests))
  }

  /// Lower priorities come first where the engine's queue is by priority, whatever the policy.
  @Test func prioritiesComeFirst() throws {
    let classes = [
      RequestClass(name: "paying", share: 1, priority: 0), RequestClass(name: "free", share: 2, priority: 1),
    ]
    let plain = try run("chunked[budget=2048]", rate: 8, classes: classes).classes
    let first = try run(
      "chunked[budget=2048]", rate: 8, classes: classes, engine: ["scheduling.queue": "priority"]
    ).classes
    #expect(first[0].meanTimeToFirstToken < 0.3 * plain[0].meanTimeToFirstToken)
    #expect(first[1].meanTimeToFirstToken > plain[1].meanTimeToFirstToken)
  }

  /// One of two tenants asks for nine tenths of the work: first come, first served makes the other wait as long; shared out
  /// fairly it waits less than a quarter of that.
  @Test func aGreedyTenantDoesNotHoldUpTheOther() throws {
    let classes = [RequestClass(name: "greedy", share: 9), RequestClass(name: "modest", share: 1)]
    let plain = try run("chunked[budget=2048]", rate: 5, classes: classes).classes
    let fair = try run("fair", rate: 5, classes: classes).classes
    #expect(fair[1].meanTimeToFirstToken < 0.25 * plain[1].meanTimeToFirstToken)
    #expect(fair[0].meanTimeToFirstToken < 1.3 * plain[0].meanTimeToFirstToken)
  }

  /// Where requests of very different lengths queue, the mean TTFT is less than two thirds; with ageing the longest wait less
  /// than without.
  @Test func shortPromptsFirstLowerTheMean() throws {
    let (fair, aged, strict) = (
      try run("chunked[budget=2048]", "azure-code", rate: 24, requests: 1000),
      try run("shortest[ageing=2000]", "azure-code", rate: 24, requests: 1000),
      try run("shortest[ageing=1]", "azure-code", rate: 24, requests: 1000)
    )
    #expect(aged.metrics.timeToFirstToken.mean < 0.67 * fair.metrics.timeToFirstToken.mean)
    #expect(aged.percentile(99, of: .ttft) < 0.8 * strict.percentile(99, of: .ttft))
  }
}
