import Serving
import Testing
import Workloads

@testable import Experiments

@Suite struct RateCheckTests {
  let experiment = {
    var experiment = Experiment(trace: "sharegpt", policy: "chunked")
    experiment.workload.numPrompts = 200
    return experiment
  }()

  func check(_ words: [String], _ attainment: Double = 0.9, seeds: [UInt64] = [0, 1, 2]) throws -> RateCheck {
    RateCheck(
      library: Project.library,
      criterion: CapacityCriterion(
        objective: try Objective.alternatives(words)[0], attainment: attainment), seeds: seeds)
  }

  /// The mean over whole runs of all seeds.
  func whole(_ check: RateCheck, rate: Double) throws -> CapacityFigures {
    var experiment = experiment
    experiment.workload.requestRate = rate
    experiment.objective = check.criterion.objective.requests
    return CapacityFigures(
      meanOf: try check.seeds.map { seed in
        experiment.workload.seed = seed
        return CapacityFigures(
          try Project.library.load(experiment).run().summary,
          statistics: check.criterion.objective.statistics)
      })
  }

  /// A run that is cut short says what whole runs say, from rates that hold to rates that fail.
  @Test(arguments: [2.0, 8, 10, 12, 14, 16, 20, 40])
  func cutRunsDecideAsWholeOnesDo(rate: Double) throws {
    let check = try check(["ttft:1s", "tpot:15ms"])
    let (answer, whole) = (try check(experiment, rate: rate, instances: 1), try whole(check, rate: rate))
    #expect((answer.failure == nil) == (check.criterion.failure(of: whole) == nil))
    guard answer.failure == nil else { return }
    #expect(answer.figures.attainment == whole.attainment && answer.figures.watts == whole.watts)
    #expect(answer.runs == 3)
  }

  /// A third of all requests would have to miss for one of ten; one seed alone has as many far above the capacity.
  @Test func oneSeedIsEnoughWhereNoOtherCanMendIt() throws {
    #expect(try check(["ttft:100ms"])(experiment, rate: 60, instances: 1).runs == 1)
  }

  /// How many seeds are looked at at a time changes nothing, and neither does what others find.
  @Test(arguments: [6.0, 13, 30]) func theAnswerDoesNotDependOnTheWidth(rate: Double) throws {
    let check = try check(["ttft:1s", "tpot:15ms"], 0.95)
    let narrow = try check(experiment, rate: rate, instances: 1)
    let wide = try check(experiment, rate: rate, instances: 1, width: 3)
    #expect(narrow.figures == wide.figures && narrow.failure == wide.failure && narrow.runs == wide.runs)
  }

  /// Of two limits that are missed the one that more requests miss is named, also one of which a run has no figure.
  @Test func whatMostRequestsMissIsNamed() throws {
    let tight = try check(["ttft:60s", "tpot:1ms"])
    #expect(try tight(experiment, rate: 5, instances: 1).failure == .latency("tpot"))
    let first = try check(["ttft:1ms", "tpot:10s"])
    #expect(try first(experiment, rate: 5, instances: 1).failure == .latency("ttft"))
  }

  /// Limits on statistics are known at the end of all runs only.
  @Test func statisticsAreHeldAgainstWholeRuns() throws {
    let check = try check(["p99_ttft:1ms"])
    let answer = try check(experiment, rate: 5, instances: 1)
    #expect(answer.failure == .latency("p99_ttft") && answer.runs == 3)
  }
}
