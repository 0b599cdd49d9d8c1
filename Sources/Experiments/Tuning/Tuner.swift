import Dispatch
import Foundation
import Serving
import Synchronization
import Workloads

/// Searches for the best parameters of several policies under several criteria, all of them at a time.
///
/// A run serves every criterion that asks for its policy, rate and seed. Policies see the same requests.
package struct Tuner {
  /// A policy, and the parameters that are tried.
  package struct Family: Sendable {
    /// The policy as the user gave it.
    package let name: String
    package let candidates: [String]

    package init(name: String, candidates: [String]) {
      self.name = name
      self.candidates = candidates
    }
  }

  /// What tells a run from others.
  private struct Key: Hashable, Sendable {
    var policy: String
    var rate: Double
    var seed: UInt64
  }

  package let families: [Family]
  package let criteria: [CapacityCriterion]
  /// Of the capacities in the end.
  private let tolerance: Double
  /// Makes the experiment of a policy, a rate and a seed; several threads may call it at once.
  private let makeExperiment:
    @Sendable (_ policy: String, _ rate: Double, _ seed: UInt64) throws -> LoadedExperiment
  /// For each criterion, a search for each family.
  private var tunings: [[PolicyTuning]]
  private var known: [Key: [CapacityFigures]] = [:]

  /// Begins searches.
  ///
  /// - Parameters:
  ///   - families: one at least, each with a candidate at least.
  ///   - criteria: one at least.
  ///   - seeds: one at least.
  ///   - guess: the rate to begin with.
  ///   - tolerance: of the capacities in the end.
  ///   - makeExperiment: the experiment of a policy, a rate and a seed; several threads may call it at once.
  package init(
    families: [Family], criteria: [CapacityCriterion], seeds: [UInt64], guess: Double, tolerance: Double,
    makeExperiment:
      @escaping @Sendable (_ policy: String, _ rate: Double, _ seed: UInt64) throws -> LoadedExperiment
  ) {
    self.families = families
    self.criteria = criteria
    self.tolerance = tolerance
    self.makeExperiment = makeExperiment
    tunings = criteria.map { criterion in
      families.map {
        PolicyTuning(
          candidates: $0.candidates, criterion: criterion, seeds: seeds, guess: guess, tolerance: tolerance)
      }
    }
  }

  /// The number of runs that were made.
  package var runs: Int { known.count }

  /// Goes on until no search needs another run.
  ///
  /// - Parameter progress: advanced by each run.
  /// - Throws: what an experiment throws as it is made or run.
  /// - Complexity: some hundred runs for each policy and criterion, on all cores.
  package mutating func run(progress: (any RunProgress)? = nil) throws {
    while true {
      var wanted: Set<Key> = []
      for tuning in tunings.joined() {
        for trial in tuning.wanted { wanted.insert(key(of: trial, tuning)) }
      }
      guard !wanted.isEmpty else { return }
      // The longest runs first, so that no thread is left with one in the end.
      let open = wanted.filter { known[$0] == nil }
        .sorted { ($1.rate, $0.policy, $0.seed) < ($0.rate, $1.policy, $1.seed) }
      try make(open, progress: progress)
      for criterion in criteria.indices {
        for family in families.indices { answer(criterion, family) }
      }
    }
  }

  /// What was found under a criterion; final after ``run(progress:)``.
  package func result(of criterion: Int) -> TuningResult {
    TuningResult(
      criterion: criteria[criterion],
      policies: zip(families, tunings[criterion]).map { family, tuning in
        TuningResult.Tuned(family: family.name, best: tuning.best.policy, capacity: tuning.best.result)
      }, tolerance: tolerance)
  }

  private func key(of trial: PolicyTuning.Trial, _ tuning: PolicyTuning) -> Key {
    Key(policy: tuning.candidates[trial.candidate], rate: trial.rate, seed: trial.seed)
  }

  /// Gives a search what is known of what it wants.
  private mutating func answer(_ criterion: Int, _ family: Int) {
    while true {
      let tuning = tunings[criterion][family]
      var figures: [PolicyTuning.Trial: CapacityFigures] = [:]
      for trial in tuning.wanted {
        if let all = known[key(of: trial, tuning)] { figures[trial] = all[criterion] }
      }
      guard !figures.isEmpty else { return }
      tunings[criterion][family].add(figures)
    }
  }

  private mutating func make(_ keys: [Key], progress: (any RunProgress)?) throws {
    let outcomes = Mutex([Result<[CapacityFigures], any Error>?](repeating: nil, count: keys.count))
    let (criteria, makeExperiment) = (criteria, makeExperiment)
    DispatchQueue.concurrentPerform(iterations: keys.count) { i in
      let outcome = Result {
        try Self.figures(makeExperiment(keys[i].policy, keys[i].rate, keys[i].seed), criteria)
      }
      outcomes.withLock { $0[i] = outcome }
      progress?.advance(by: 1)
    }
    for (key, outcome) in zip(keys, outcomes.withLock({ $0 })) { known[key] = try outcome?.get() }
  }

  /// Runs an experiment, and holds it against all criteria.
  private static func figures(
    _ experiment: LoadedExperiment, _ criteria: [CapacityCriterion]
  ) throws -> [CapacityFigures] {
    let started = ContinuousClock.now
    var recorder = TuningRecorder(
      objectives: criteria.map(\.objective.requests), window: experiment.specification.limits.window)
    let totals = try experiment.run(recorder: &recorder)
    let result = RunResult(
      experiment, recorder: recorder.run, totals: totals, wall: ContinuousClock.now - started,
      percentiles: [99])
    return recorder.figures(result.summary, statistics: criteria.map(\.objective.statistics))
  }
}
