import Foundation
import Serving
import Workloads

/// Searches for the capacities of several policies or systems, all of them at a time.
package struct CapacitySearch {
  /// What each search is of, for the eye.
  package let names: [String]
  package let runner: SweepRunner
  package let known: KnownRuns
  package private(set) var capacities: [PolicyCapacity]
  /// Runs that were made, and that the database had.
  package private(set) var runsMade = 0
  package private(set) var runsKnown = 0

  /// Gives each name a search of its own.
  package init(
    names: [String], capacity: PolicyCapacity, runner: SweepRunner, known: KnownRuns
  ) {
    self.names = names
    self.runner = runner
    self.known = known
    capacities = names.map { _ in capacity }
  }

  /// Goes on until none needs another run.
  ///
  /// - Parameters:
  ///   - commandLine: The words that each run records as its origin.
  ///   - makeExperiment: The experiment of a search, by its place, a rate and a seed.
  ///   - begin: Called before each round with its number of requests; returns an observer of their ends.
  ///   - end: Called after each round.
  /// - Throws: What an experiment throws as it is made or run, or the database.
  package mutating func run(
    commandLine: [String],
    makeExperiment: (_ search: Int, _ rate: Double, _ seed: UInt64) throws -> LoadedExperiment,
    begin: (_ requests: Int, _ state: String) -> (any RunProgress)? = { _, _ in nil },
    end: () -> Void = {}
  ) throws {
    while true {
      let wanted = capacities.enumerated().flatMap { capacity in
        capacity.element.wanted.map { (capacity.offset, $0) }
      }
      guard !wanted.isEmpty else { return }
      var points: [SweepPoint] = []
      var open: [(search: Int, trial: PolicyCapacity.Trial)] = []
      for (search, trial) in wanted {
        let experiment = try makeExperiment(search, trial.rate, trial.seed)
        let hash = experiment.configurationHash
        if let run = known[hash] {
          capacities[search].add(trial, run.figures)
          runsKnown += 1
        } else {
          points.append(SweepPoint(experiment, hash: hash, commandLine: commandLine))
          open.append((search, trial))
        }
      }
      let requests = points.reduce(0) { $0 + $1.experiment.workload.count }
      let outcomes = try runner.run(points, progress: begin(requests, state))
      end()
      for (job, outcome) in zip(open, outcomes) {
        switch outcome {
        case .finished(let figures, _): capacities[job.search].add(job.trial, figures)
        case .failed(let error): throw error
        }
      }
      runsMade += points.count
    }
  }

  /// How far the searches are.
  private var state: String {
    zip(names, capacities).map { name, capacity in
      let edges = [capacity.pooled.holding, capacity.pooled.failing].map {
        $0.map { String(format: "%.4g", $0) } ?? "?"
      }
      return "\(name) \(edges.joined(separator: "..."))"
    }.joined(separator: ", ")
  }
}
