import Foundation
import Serving
import Workloads

/// Runs what the studies of several policies want, all of them at a time.
package struct CapacityLab {
  package let policies: [String]
  package let runner: SweepRunner
  package let known: KnownRuns
  package private(set) var studies: [CapacityStudy]
  /// Runs that were made, and that the database had.
  package private(set) var runsMade = 0
  package private(set) var runsKnown = 0

  /// Gives each policy a study of its own.
  package init(
    policies: [String], study: CapacityStudy, runner: SweepRunner, known: KnownRuns
  ) {
    self.policies = policies
    self.runner = runner
    self.known = known
    studies = policies.map { _ in study }
  }

  /// Goes on until no study wants anything.
  ///
  /// - Parameters:
  ///   - commandLine: The words that each run records as its origin.
  ///   - makeExperiment: The experiment of a policy, a rate and a seed.
  ///   - begin: Called before each round with its number of requests; what it returns is told of their end.
  ///   - end: Called after each round.
  /// - Throws: What an experiment throws as it is made or run, or the database.
  package mutating func run(
    commandLine: [String],
    makeExperiment: (_ policy: String, _ rate: Double, _ seed: UInt64) throws -> LoadedExperiment,
    begin: (_ requests: Int, _ state: String) -> (any RunProgress)? = { _, _ in nil },
    end: () -> Void = {}
  ) throws {
    while true {
      let wanted = studies.enumerated().flatMap { study in study.element.wanted.map { (study.offset, $0) } }
      guard !wanted.isEmpty else { return }
      var points: [SweepPoint] = []
      var open: [(study: Int, trial: CapacityStudy.Trial)] = []
      for (study, trial) in wanted {
        let experiment = try makeExperiment(policies[study], trial.rate, trial.seed)
        let hash = experiment.configurationHash
        if let run = known[hash] {
          studies[study].add(trial, run.figures)
          runsKnown += 1
        } else {
          points.append(SweepPoint(experiment, hash: hash, commandLine: commandLine))
          open.append((study, trial))
        }
      }
      let requests = points.reduce(0) { $0 + $1.experiment.workload.count }
      let outcomes = try runner.run(points, progress: begin(requests, state))
      end()
      for (job, outcome) in zip(open, outcomes) {
        switch outcome {
        case .finished(let figures): studies[job.study].add(job.trial, figures)
        case .failed(let error): throw error
        }
      }
      runsMade += points.count
    }
  }

  /// How far the searches are.
  private var state: String {
    zip(policies, studies).map { policy, study in
      let edges = [study.pooled.holding, study.pooled.failing].map {
        $0.map { String(format: "%.4g", $0) } ?? "?"
      }
      return "\(policy) \(edges.joined(separator: "..."))"
    }.joined(separator: ", ")
  }
}
