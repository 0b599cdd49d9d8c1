import Dispatch
import Serving
import Synchronization
import Workloads

/// Finds how many instances of a system serve a rate.
///
/// The capacity of one instance gives a first number; that many are simulated together behind their router, then one fewer as
/// long as they hold, which several may do beyond their capacities one by one, or one more as long as they do not.
package struct Planner: Sendable {
  package let library: Library
  package let criterion: CapacityCriterion
  /// The rate to be served.
  package let rate: Double
  package let seeds: [UInt64]
  package let tolerance: Double

  /// Most instances beyond those that capacity asks for.
  private static let patience = 3
  /// Most instances of a plan.
  package static let mostInstances = 1000

  package init(
    library: Library, criterion: CapacityCriterion, rate: Double, seeds: [UInt64], tolerance: Double
  ) {
    self.library = library
    self.criterion = criterion
    self.rate = rate
    self.seeds = seeds
    self.tolerance = tolerance
  }

  /// What came of a system.
  package enum Outcome: Sendable {
    case serves(PlannedSystem)
    /// No number of instances was found that serves the rate, and what it fails by.
    case fails(CapacityCriterion.Limit)
  }

  /// One run's share of a plan.
  private struct Measured: Sendable {
    var figures: CapacityFigures
    var utilisation: Double
    var tokensPerSecond: Double
  }

  /// Plans a system.
  ///
  /// - Parameters:
  ///   - experiment: the system, its policy and the traffic; rate, seed, objective and instances are the planner's.
  ///   - progress: advanced by each run.
  /// - Returns: the least number of instances that was found to serve the rate, or why there is none.
  /// - Throws: what an experiment throws as it is made or run.
  /// - Complexity: that of a search for capacity, and of a run of all instances for each seed.
  package func plan(_ experiment: Experiment, progress: (any RunProgress)? = nil) throws -> Outcome {
    var capacity = PolicyCapacity(
      seeds: seeds, criterion: criterion, guess: 1, tolerance: tolerance, intervals: false)
    while case let wanted = capacity.wanted, !wanted.isEmpty {
      let measured = try measure(
        wanted.map { change(experiment, rate: $0.rate, seed: $0.seed, instances: 1) }, progress)
      for (trial, measured) in zip(wanted, measured) { capacity.add(trial, measured.figures) }
    }
    let result = capacity.result
    guard let own = result.rate else { return .fails(result.limit ?? .attainment) }
    let least = max(1, (rate / own).rounded(.up))
    guard least <= Double(Self.mostInstances) else { return .fails(result.limit ?? .attainment) }
    func together(_ instances: Int) throws -> [Measured] {
      try measure(seeds.map { change(experiment, rate: rate, seed: $0, instances: instances) }, progress)
    }
    var instances = Int(least)
    var measured = try together(instances)
    if failure(of: measured) == nil {
      while instances > 1, case let fewer = try together(instances - 1), failure(of: fewer) == nil {
        instances -= 1
        measured = fewer
      }
    }
    while let failure = failure(of: measured) {
      guard instances < Int(least) + Self.patience else { return .fails(failure) }
      instances += 1
      measured = try together(instances)
    }
    let figures = CapacityFigures(meanOf: measured.map(\.figures))
    guard !criterion.exceedsEnergy(figures) else { return .fails(.energy) }
    let n = Double(measured.count)
    return .serves(
      PlannedSystem(
        instances: instances, gpusPerInstance: experiment.system.gpus, rate: rate,
        capacity: result, figures: figures, utilisation: measured.reduce(0) { $0 + $1.utilisation } / n,
        tokensPerSecond: measured.reduce(0) { $0 + $1.tokensPerSecond } / n))
  }

  /// What runs fail by as a mean over seeds, if they do.
  private func failure(of measured: [Measured]) -> CapacityCriterion.Limit? {
    criterion.failure(of: CapacityFigures(meanOf: measured.map(\.figures)))
  }

  private func change(_ experiment: Experiment, rate: Double, seed: UInt64, instances: Int) -> Experiment {
    var experiment = experiment
    experiment.workload.requestRate = rate
    experiment.workload.seed = seed
    experiment.objective = criterion.objective.requests
    experiment.cluster.pool.instances = instances
    return experiment
  }

  /// Runs experiments on all cores.
  private func measure(_ experiments: [Experiment], _ progress: (any RunProgress)?) throws -> [Measured] {
    let outcomes = Mutex([Result<Measured, any Error>?](repeating: nil, count: experiments.count))
    DispatchQueue.concurrentPerform(iterations: experiments.count) { i in
      let outcome = Result { try measure(experiments[i]) }
      outcomes.withLock { $0[i] = outcome }
      progress?.advance(by: 1)
    }
    return try outcomes.withLock { try $0.compactMap { try $0?.get() } }
  }

  private func measure(_ experiment: Experiment) throws -> Measured {
    let summary = try library.load(experiment).run().summary
    let metrics = summary.metrics
    let time = max(metrics.duration, .leastNonzeroMagnitude)
    // Steps of a pipeline overlap.
    let busy =
      summary.totals.pipelines.compactMap { $0 }.reduce(nil) { ($0 ?? 0) + $1.activeSeconds }
      ?? metrics.busySeconds
    return Measured(
      figures: CapacityFigures(summary, statistics: criterion.objective.statistics),
      utilisation: busy / time / Double(experiment.cluster.instanceCount),
      tokensPerSecond: Double(metrics.inputTokens + metrics.outputTokens) / time)
  }
}
