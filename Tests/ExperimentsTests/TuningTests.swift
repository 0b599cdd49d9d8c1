import Policies
import Serving
import Statistics
import Testing
import Workloads

@testable import Experiments

@Suite struct TuningTests {
  /// Candidate i holds up to its edge, and a seed moves that by 2 %.
  func tune(_ edges: [Double], seeds: Int = 5, guess: Double = 1) -> PolicyTuning {
    var tuning = PolicyTuning(
      candidates: edges.indices.map { "\($0)" }, criterion: CapacityCriterion(attainment: 0.9),
      seeds: (0..<seeds).map { UInt64($0) }, guess: guess, tolerance: 0.01)
    while !tuning.wanted.isEmpty {
      var figures: [PolicyTuning.Trial: CapacityFigures] = [:]
      for trial in tuning.wanted {
        let edge = edges[trial.candidate] * (1 + 0.02 * (Double(trial.seed) - 2))
        figures[trial] = CapacityFigures(
          attainment: trial.rate <= edge ? 1 : 0, watts: 0, millijoulesPerToken: 0, unfinished: 0)
      }
      tuning.add(figures)
    }
    return tuning
  }

  @Test(arguments: [0.01, 1, 40]) func theBestCandidateIsFound(guess: Double) throws {
    let tuning = tune([1, 2.2, 3.1, 4.7, 4.2, 0.4, 0.001, 3], guess: guess)
    #expect(tuning.best.policy == "3")
    // All seeds must hold for a mean of 0.9: the least edge, that of seed 0.
    let rate = try #require(tuning.best.result.rate)
    #expect(rate <= 4.7 * 0.96 && rate > 4.7 * 0.96 * 0.98)
    #expect(tuning.best.result.ownRates.count == 5)
  }

  /// Candidates far behind are given up: a search over many takes few runs for each.
  @Test func hopelessCandidatesCostLittle() {
    let edges = (0..<40).map { 1 + Double($0) / 10 }
    // All seeds of all candidates to the end would take some 40 x 5 x 10 runs.
    #expect(tune(edges).runs < 40 * 10)
  }

  /// Rounds narrow down step by step: what the last one is to know is not sought for all.
  @Test func onlyTheLastRoundIsAsSharpAsAsked() {
    // 132; 144 if the round before the last were as sharp.
    #expect(tune([4.0, 4.2, 4.1, 4.3, 3.9, 3.8]).runs < 140)
  }

  @Test func whereNothingHoldsThereIsNoRate() { #expect(tune([0, 0, 0]).best.result.rate == nil) }

  @Test func givenParametersStay() throws {
    let all = try PolicySpace.candidates(
      of: "layered[groups=paper]", layers: 48, maxModelLength: 32768, longestGap: nil)
    #expect(all[0] == "layered[stages=16,cohort=8192,groups=paper]")
    #expect(all.count == Set(all).count && all.count > 10)
    #expect(all.allSatisfy { $0.contains("groups=paper") })
    for entry in PolicyCatalog.entries {
      let all = try PolicySpace.candidates(of: entry.name, layers: 32, maxModelLength: 4096, longestGap: 0.05)
      #expect(all.count > 1)
      for text in all { _ = try Policy(text).resolved(layers: 32, maxModelLength: 4096) }
    }
  }

  func tuned(_ family: String, _ rate: Double?, _ own: [Double]) -> TuningResult.Tuned {
    TuningResult.Tuned(
      family: family, best: family,
      capacity: CapacityResult(
        rate: rate, failing: nil, interval: nil, limit: nil, figures: nil, ownRates: own, runs: 0))
  }

  func result(_ policies: TuningResult.Tuned..., tolerance: Double) -> TuningResult {
    TuningResult(criterion: CapacityCriterion(attainment: 0.9), policies: policies, tolerance: tolerance)
  }

  /// Ratios of 2.0, 2.1 and 2.2: mean 2.1, deviation 0.1, t = 4.303.
  ///
  /// Either capacity may be larger by the tolerance.
  @Test func leadsAreOverSeeds() throws {
    let result = result(
      tuned("a", 1, [1, 1, 1]), tuned("b", 2.1, [2, 2.1, 2.2]), tuned("c", nil, []), tolerance: 0.1)
    #expect(result.winner?.family == "b")
    let lead = try #require(result.leads.first)
    #expect(lead.other.family == "a" && lead.ratio == 2.1 && lead.isShown)
    let interval = try #require(lead.interval)
    #expect(abs(interval.low - 1.852 / 1.1) < 0.002 && abs(interval.high - 2.348 * 1.1) < 0.003)
    #expect(result.leads.last?.ratio == nil)
  }

  /// Equal ratios of 1.02 have no spread; a search that is sharp to 2 % cannot tell them from 1.
  @Test(arguments: [(0.02, false), (0.01, true)])
  func aLeadWithinTheToleranceIsNotShown(tolerance: Double, isShown: Bool) throws {
    let result = result(
      tuned("a", 1, [1, 1, 1]), tuned("b", 1.02, [1.02, 1.02, 1.02]), tolerance: tolerance)
    let lead = try #require(result.leads.first)
    #expect(lead.ratio == 1.02 && lead.isShown == isShown)
    let interval = try #require(lead.interval)
    #expect(interval.low <= 1.02 && interval.high >= 1.02 * (1 + tolerance) - 1e-12)
  }

  /// The ratio over all seeds lies in its interval even where that of every single seed is another one.
  @Test func theIntervalCoversTheRatio() throws {
    let lead = try #require(
      result(tuned("a", 1, [1, 1, 1]), tuned("b", 3, [2, 2, 2]), tolerance: 0.01).leads.first)
    let interval = try #require(lead.interval)
    #expect(lead.ratio == 3 && interval.low < 2 && interval.high == 3)
  }

  /// One run judged by several objectives says the same as a run for each.
  @Test func aRunServesSeveralObjectives() throws {
    let objectives = try Objective.alternatives(["tbt:20ms,60ms", "ttft:2s", "p95_ttft:1s"])
    var experiment = Experiment(trace: "arxiv", requestRate: 2, policy: "chunked")
    experiment.workload.numPrompts = 120
    let loaded = try Project.library.load(experiment)
    var recorder = TuningRecorder(objectives: objectives.map(\.requests))
    let totals = try loaded.run(recorder: &recorder)
    let summary = RunResult(
      loaded, recorder: recorder.run, totals: totals, wall: .zero, percentiles: [99]
    ).summary
    let figures = recorder.figures(summary, statistics: objectives.map(\.statistics))
    for (objective, figures) in zip(objectives, figures) {
      experiment.objective = objective.requests
      let alone = try Project.library.load(experiment).run(percentiles: [95]).summary
      #expect(figures.attainment == alone.metrics.attainment)
      #expect(figures.shares["ttft"] == alone.metrics.attainmentOfFirstToken)
      #expect(figures.shares["tbt"] == alone.metrics.attainmentOfGaps)
      #expect(figures.watts == alone.joules / alone.metrics.duration)
      #expect(figures.latencies["p95_ttft_ms"] == alone.percentile(95, of: .ttft) * 1000)
    }
  }
}
