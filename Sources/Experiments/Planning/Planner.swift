import Foundation
import Serving
import Synchronization

/// Finds how many instances of a system serve a rate.
///
/// The capacity of one instance gives a first number; that many are simulated together behind their router. If they hold,
/// fewer are looked at, since several may hold more than their capacities one by one, until a number holds and one fewer
/// does not (of many, a number that is fewer by the tolerance); if they do not hold, one more is looked at, and some further ones.
/// Fewer than hold the rate one by one count only in runs that are no burst, whose queues have time to grow.
package struct Planner: Sendable {
  /// Tells whether a rate holds.
  package let check: RateCheck
  /// The rate to be served.
  package let rate: Double
  /// How far the rates that hold and fail may be apart in the end, as a share.
  package let tolerance: Double

  /// Most instances beyond those that capacity asks for.
  private static let patience = 3
  /// Most instances of a plan.
  package static let mostInstances = 1000

  package init(
    library: Library, criterion: CapacityCriterion, rate: Double, seeds: [UInt64], tolerance: Double
  ) {
    check = RateCheck(library: library, criterion: criterion, seeds: seeds)
    self.rate = rate
    self.tolerance = tolerance
  }

  private var criterion: CapacityCriterion { check.criterion }

  /// What came of a system.
  package enum Outcome: Sendable {
    case serves(PlannedSystem)
    /// No number of instances was found that serves the rate, and what it fails by.
    case fails(CapacityCriterion.Limit)
  }

  /// Plans several systems, as many at a time as there are cores.
  ///
  /// - Parameters:
  ///   - jobs: planners, and the systems that they plan.
  ///   - progress: advanced by each run.
  /// - Returns: for each system the least number of instances that was found to serve the rate, or why there is none.
  /// - Throws: what an experiment throws as it is made or run.
  /// - Complexity: for each system that of a search for capacity, and of runs of all instances.
  package static func plan(
    _ jobs: [(planner: Planner, experiment: Experiment)], progress: (any RunProgress)? = nil
  ) throws -> [Outcome] {
    let cores = ProcessInfo.processInfo.activeProcessorCount
    let outcomes = Mutex([Outcome?](repeating: nil, count: jobs.count))
    try WorkerThreads(cores).run(jobs.count) { next in
      while let i = next() {
        // Where fewer systems are left than there are cores, each takes several seeds at a time.
        let outcome = try jobs[i].planner.plan(jobs[i].experiment, progress: progress) {
          cores / max(min(outcomes.withLock { $0.count { $0 == nil } }, cores), 1)
        }
        outcomes.withLock { $0[i] = outcome }
      }
    }
    return outcomes.withLock { $0.compactMap(\.self) }
  }

  /// Plans a system.
  ///
  /// - Parameters:
  ///   - experiment: the system, its policy and the traffic; rate, seed, objective and instances are the planner's.
  ///   - progress: advanced by each run.
  ///   - width: how many seeds may be looked at at a time; asked again and again.
  /// - Returns: the least number of instances that was found to serve the rate, or why there is none.
  /// - Throws: what an experiment throws as it is made or run.
  /// - Complexity: that of a search for capacity, and of a run of all instances for each seed.
  package func plan(
    _ experiment: Experiment, progress: (any RunProgress)? = nil, width: () -> Int
  ) throws -> Outcome {
    let capacity = try capacity(of: experiment, progress, width)
    guard let own = capacity.rate else { return .fails(capacity.limit ?? .attainment) }
    let least = max(1, (rate / own).rounded(.up))
    guard least <= Double(Self.mostInstances) else { return .fails(capacity.limit ?? .attainment) }
    let most = Int(least) + Self.patience
    // Fewer than one by one hold the rate may do together, but a run that ends before its queue grows does not show it.
    func steady(_ answer: RateCheck.Answer, _ instances: Int) -> RateCheck.Answer {
      guard instances < Int(least), answer.failure == nil, answer.figures.isBurst else { return answer }
      var answer = answer
      answer.failure = .attainment
      return answer
    }
    // Again roughly with the first seed, and from there with all.
    let rough = try fewest(from: Int(least), to: most) {
      steady(try first(experiment, rate: rate, instances: $0, progress: progress), $0)
    }
    let found = try fewest(from: rough.instances ?? Int(least), to: most) {
      steady(
        try check(experiment, rate: rate, instances: $0, width: width(), progress: progress), $0)
    }
    guard let instances = found.instances else { return .fails(found.answer.failure ?? .attainment) }
    let answer = found.answer
    guard !criterion.exceedsEnergy(answer.figures) else { return .fails(.energy) }
    return .serves(
      PlannedSystem(
        instances: instances, gpusPerInstance: experiment.system.gpus, rate: rate, capacity: capacity,
        figures: answer.figures, utilisation: answer.utilisation, tokensPerSecond: answer.tokensPerSecond))
  }

  /// The least number of instances that holds: from a number on down by ever larger steps or up, and then by bisection, until
  /// one fewer is known to fail, or of many a share fewer that is less than the tolerance.
  ///
  /// - Returns: the number and what was found of it; `nil`, and why the last one failed, if none up to `most` holds.
  private func fewest(
    from start: Int, to most: Int, holds: (Int) throws -> RateCheck.Answer
  ) rethrows -> (instances: Int?, answer: RateCheck.Answer) {
    var (next, step, failing) = (start, 1, 0)
    var holding: (instances: Int, answer: RateCheck.Answer)?
    while true {
      let answer = try holds(next)
      if answer.failure == nil { holding = (next, answer) } else { failing = next }
      if let holding {
        if holding.instances - failing <= max(1, Int(tolerance * Double(holding.instances))) {
          return (holding.instances, holding.answer)
        }
        next = failing > 0 ? (holding.instances + failing) / 2 : max(1, holding.instances - step)
      } else {
        guard failing < most else { return (nil, answer) }
        next = min(most, failing + step)
      }
      step *= 2
    }
  }

  private var first: RateCheck {
    RateCheck(library: check.library, criterion: criterion, seeds: [check.seeds[0]])
  }

  /// The capacity of one instance: roughly with the first seed, then from there with all.
  ///
  /// A rate that holds takes a whole run of each seed, so the search with all seeds is to ask for few of them.
  private func capacity(
    of experiment: Experiment, _ progress: (any RunProgress)?, _ width: () -> Int
  ) throws -> CapacityResult {
    var rough = RateBisection(guess: 1, tolerance: 2 * tolerance)
    var runs = 0
    while let rate = rough.next {
      let answer = try first(experiment, rate: rate, instances: 1, progress: progress)
      runs += answer.runs
      rough.answer(answer.failure == nil)
    }
    // A step that is a little shorter than the tolerance ends the search as soon as one rate holds and the next one fails.
    var search = RateBisection(
      guess: rough.holding ?? rough.failing ?? 1, tolerance: tolerance,
      growth: rough.holding == nil ? 2 : 1 + 0.95 * tolerance)
    var holding: CapacityFigures?
    var limit: CapacityCriterion.Limit?
    while let rate = search.next {
      let answer = try check(experiment, rate: rate, instances: 1, width: width(), progress: progress)
      runs += answer.runs
      if let failure = answer.failure { limit = failure } else { holding = answer.figures }
      search.answer(answer.failure == nil)
    }
    let missesEnergy = holding.map { criterion.exceedsEnergy($0) } ?? false
    return CapacityResult(
      rate: missesEnergy ? nil : search.holding, failing: search.failing, interval: nil,
      limit: missesEnergy ? .energy : limit, figures: holding, runs: runs)
  }
}
