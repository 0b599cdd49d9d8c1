import Dispatch
import Serving
import Synchronization
import Workloads

/// Tells whether instances of a system hold a rate, as a mean over seeds.
///
/// Seeds are looked at one after the other, and a run ends as soon as it is sure that the rate fails: when so many of its
/// requests have missed the objective that the mean would be too low even if all others met it. A rate that fails costs
/// little then, and what is said of one that holds is what whole runs say.
package struct RateCheck: Sendable {
  package let library: Library
  package let criterion: CapacityCriterion
  /// One at least.
  package let seeds: [UInt64]

  package init(library: Library, criterion: CapacityCriterion, seeds: [UInt64]) {
    self.library = library
    self.criterion = criterion
    self.seeds = seeds
  }

  /// What came of a rate.
  package struct Answer: Sendable {
    /// What it fails by; `nil` if it holds.
    package var failure: CapacityCriterion.Limit?
    /// Means over all seeds if it holds; over those that were looked at if it fails.
    package var figures: CapacityFigures
    /// Share of the time in which an instance computes; of a rate that holds.
    package var utilisation: Double
    /// Tokens a second, prompts and outputs; of a rate that holds.
    package var tokensPerSecond: Double
    /// Runs that were looked at.
    package var runs: Int
  }

  /// What a run says.
  private struct Measured: Sendable {
    var figures: CapacityFigures
    var utilisation: Double
    var tokensPerSecond: Double
  }

  /// Looks at a rate.
  ///
  /// - Parameters:
  ///   - experiment: the system, its policy and the traffic; rate, seed, objective and instances are set here.
  ///   - rate: in requests a second.
  ///   - instances: that serve it together.
  ///   - width: how many seeds may be looked at at a time; the answer does not depend on it.
  ///   - progress: advanced by each run.
  /// - Returns: the answer.
  /// - Throws: what an experiment throws as it is made or run.
  /// - Complexity: a run for each seed, and less where the rate fails.
  package func callAsFunction(
    _ experiment: Experiment, rate: Double, instances: Int, width: Int = 1, progress: (any RunProgress)? = nil
  ) throws -> Answer {
    var experiment = experiment
    experiment.workload.requestRate = rate
    experiment.objective = criterion.objective.requests
    experiment.cluster.pool.instances = instances
    var measured: [Measured] = []
    while measured.count < seeds.count {
      let next = seeds[measured.count...].prefix(max(width, 1))
      for one in try run(experiment, Array(next), progress) {
        measured.append(one)
        // Later seeds of this round are as if they had not been run.
        if isSureToFail(measured.map(\.figures.attainment)) { return answer(measured, isSure: true) }
      }
    }
    return answer(measured, isSure: false)
  }

  private func answer(_ measured: [Measured], isSure: Bool) -> Answer {
    let figures = CapacityFigures(meanOf: measured.map(\.figures))
    let n = Double(measured.count)
    return Answer(
      failure: criterion.failure(of: figures) ?? (isSure ? .attainment : nil), figures: figures,
      utilisation: measured.reduce(0) { $0 + $1.utilisation } / n,
      tokensPerSecond: measured.reduce(0) { $0 + $1.tokensPerSecond } / n, runs: measured.count)
  }

  /// Whether too few requests meet the objective even if all requests of the other seeds do.
  private func isSureToFail(_ attainments: [Double]) -> Bool {
    let others = Double(seeds.count - attainments.count)
    return (attainments.reduce(0, +) + others) / Double(seeds.count) < criterion.attainment
  }

  /// Runs an experiment with several seeds at a time.
  private func run(
    _ experiment: Experiment, _ seeds: [UInt64], _ progress: (any RunProgress)?
  ) throws -> [Measured] {
    let outcomes = Mutex([Result<Measured, any Error>?](repeating: nil, count: seeds.count))
    DispatchQueue.concurrentPerform(iterations: seeds.count) { i in
      var experiment = experiment
      experiment.workload.seed = seeds[i]
      let outcome = Result { [experiment] in try run(experiment) }
      outcomes.withLock { $0[i] = outcome }
      progress?.advance(by: 1)
    }
    return try outcomes.withLock { try $0.compactMap { try $0?.get() } }
  }

  private func run(_ experiment: Experiment) throws -> Measured {
    let started = ContinuousClock.now
    let loaded = try library.load(experiment)
    let window = experiment.limits.window
    var recorder = TuningRecorder(objectives: [criterion.objective.requests], window: window)
    let all = loaded.workload.count
    func isSure(_ recorder: borrowing TuningRecorder) -> Bool {
      // How many requests of a part of a run count is known at its end only.
      window == nil && isSureToFail([Double(all - recorder.missed) / Double(max(all, 1))])
    }
    let totals = try loaded.run(recorder: &recorder, until: isSure)
    let result = RunResult(
      loaded, recorder: recorder.run, totals: totals, wall: ContinuousClock.now - started,
      percentiles: percentiles)
    let figures = recorder.figures(
      result.summary, statistics: [criterion.objective.statistics],
      besides: isSure(recorder) ? max(0, all - recorder.run.metrics.requests) : 0)
    let metrics = result.summary.metrics
    let time = max(metrics.duration, .leastNonzeroMagnitude)
    // Steps of a pipeline overlap.
    let busy =
      totals.pipelines.compactMap { $0 }.reduce(nil) { ($0 ?? 0) + $1.activeSeconds } ?? metrics.busySeconds
    return Measured(
      figures: figures[0], utilisation: busy / time / Double(experiment.cluster.instanceCount),
      tokensPerSecond: Double(metrics.inputTokens + metrics.outputTokens) / time)
  }

  /// The usual percentile, and those that are limited.
  private var percentiles: [Double] {
    [99] + Set(criterion.objective.statistics.compactMap(\.percentile)).subtracting([50, 99]).sorted()
  }
}
