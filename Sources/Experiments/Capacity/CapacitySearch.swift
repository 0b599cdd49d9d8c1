import Foundation
import Serving
import Workloads

/// Searches for the capacities of several policies, all of them at a time.
package struct CapacitySearch {
  package let policies: [String]
  package let runner: SweepRunner
  package let known: KnownRuns
  package private(set) var capacities: [PolicyCapacity]
  /// Runs that were made, and that the database had.
  package private(set) var runsMade = 0
  package private(set) var runsKnown = 0

  /// Gives each policy a search of its own.
  package init(
    policies: [String], capacity: PolicyCapacity, runner: SweepRunner, known: KnownRuns
  ) {
    self.policies = policies
    self.runner = runner
    self.known = known
    capacities = policies.map { _ in capacity }
  }

  /// Goes on until no policy needs another run.
  ///
  /// - Parameters:
  ///   - commandLine: The words that each run records as its origin.
  ///   - makeExperiment: The experiment of a policy, a rate and a seed.
  ///   - begin: Called before each round with its number of requests; returns an observer of their ends.
  ///   - end: Called after each round.
  /// - Throws: What an experiment throws as it is made or run, or the database.
  package mutating func run(
    commandLine: [String],
    makeExperiment: (_ policy: String, _ rate: Double, _ seed: UInt64) throws -> LoadedExperiment,
    begin: (_ requests: Int, _ state: String) -> (any RunProgress)? = { _, _ in nil },
    end: () -> Void = {}
  ) throws {
    while true {
      let wanted = capacities.enumerated().flatMap { capacity in
        capacity.element.wanted.map { (capacity.offset, $0) }
      }
      guard !wanted.isEmpty else { return }
      var points: [SweepPoint] = []
      var open: [(policy: Int, trial: PolicyCapacity.Trial)] = []
      for (policy, trial) in wanted {
        let experiment = try makeExperiment(policies[policy], trial.rate, trial.seed)
        let hash = experiment.configurationHash
        if let run = known[hash] {
          capacities[policy].add(trial, run.figures)
          runsKnown += 1
        } else {
          points.append(SweepPoint(experiment, hash: hash, commandLine: commandLine))
          open.append((policy, trial))
        }
      }
      let requests = points.reduce(0) { $0 + $1.experiment.workload.count }
      let outcomes = try runner.run(points, progress: begin(requests, state))
      end()
      for (job, outcome) in zip(open, outcomes) {
        switch outcome {
        case .finished(let figures): capacities[job.policy].add(job.trial, figures)
        case .failed(let error): throw error
        }
      }
      runsMade += points.count
    }
  }

  /// How far the searches are.
  private var state: String {
    zip(policies, capacities).map { policy, capacity in
      let edges = [capacity.pooled.holding, capacity.pooled.failing].map {
        $0.map { String(format: "%.4g", $0) } ?? "?"
      }
      return "\(policy) \(edges.joined(separator: "..."))"
    }.joined(separator: ", ")
  }
}
