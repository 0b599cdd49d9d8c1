import Serving
import Testing
import Workloads

@testable import Experiments

@Suite struct PlannerTests {
  /// 4 x 2 GPUs at 3 an hour are 24 an hour; 12,000 tokens a second are 43.2 million an hour.
  @Test func costsAddUp() {
    let plan = PlannedSystem(
      instances: 4, gpusPerInstance: 2, rate: 10,
      capacity: CapacityResult(rate: 3, failing: nil, interval: nil, limit: nil, figures: nil, runs: 0),
      figures: CapacityFigures(attainment: 1, watts: 5000, millijoulesPerToken: 1, unfinished: 0),
      utilisation: 0.5, tokensPerSecond: 12_000)
    #expect(plan.gpus == 8)
    #expect(abs(plan.headroom - 0.2) < 1e-12)
    #expect(abs(plan.kilowattHoursPerDay - 120) < 1e-9)
    #expect(abs(plan.costOfMillionTokens(price: 3) - 24 / 43.2) < 1e-12)
  }

  /// Four that hold 2.4 each by themselves hold 10 together: that leaves no head-room, not a negative one.
  @Test func whatHoldsTogetherHasNoNegativeHeadroom() {
    let plan = PlannedSystem(
      instances: 4, gpusPerInstance: 2, rate: 10,
      capacity: CapacityResult(rate: 2.4, failing: nil, interval: nil, limit: nil, figures: nil, runs: 0),
      figures: CapacityFigures(attainment: 1, watts: 5000, millijoulesPerToken: 1, unfinished: 0),
      utilisation: 0.5, tokensPerSecond: 12_000)
    #expect(plan.headroom == 0 && plan.apart < plan.rate)
  }

  func planner(_ words: [String], rate: Double) throws -> Planner {
    Planner(
      library: Project.library,
      criterion: CapacityCriterion(objective: try Objective.alternatives(words)[0], attainment: 0.9),
      rate: rate, seeds: [0, 1], tolerance: 0.1)
  }

  /// As many instances as the rate needs, and they hold it together; one fewer would not.
  @Test func instancesAreEnoughAndNotTooMany() throws {
    var experiment = Experiment(trace: "sharegpt", policy: "chunked")
    // Long enough for queues to grow where there are too few.
    experiment.workload.numPrompts = 3000
    let planner = try planner(["ttft:2s", "tpot:25ms"], rate: 60)
    guard case .serves(let plan) = try planner.plan(experiment, width: { 1 }) else {
      Issue.record("no plan")
      return
    }
    #expect(plan.figures.attainment >= 0.9)
    #expect(plan.utilisation > 0 && plan.utilisation <= 1)
    try #require(plan.instances > 1)
    experiment.cluster.pool.instances = plan.instances - 1
    experiment.workload.requestRate = 60
    experiment.objective = planner.check.criterion.objective.requests
    let fewer = try planner.check.seeds.map { seed in
      experiment.workload.seed = seed
      return CapacityFigures(try Project.library.load(experiment).run().summary)
    }
    #expect(planner.check.criterion.failure(of: CapacityFigures(meanOf: fewer)) != nil)
  }

  @Test func whatNoNumberOfInstancesMendsIsSaid() throws {
    var experiment = Experiment(trace: "arxiv", policy: "chunked")
    experiment.workload.numPrompts = 20
    guard case .fails(let limit) = try planner(["ttft:1ms"], rate: 5).plan(experiment, width: { 1 }) else {
      Issue.record("a plan")
      return
    }
    #expect(limit == .latency("ttft"))
  }
}
