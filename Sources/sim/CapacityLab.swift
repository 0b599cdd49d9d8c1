import Foundation
import Serving
import Workloads

/// Runs what the studies of several policies want, all of them at a time.
struct CapacityLab {
  let options: RunOptions
  let policies: [String]
  let runner: SweepRunner
  let known: KnownRuns
  private(set) var studies: [CapacityStudy]
  /// Runs that were made, and that the database had.
  private(set) var runsMade = 0
  private(set) var runsKnown = 0
  private var cache = ExperimentCache()

  /// Gives each policy a study of its own.
  init(
    options: RunOptions, policies: [String], study: CapacityStudy, runner: SweepRunner, known: KnownRuns
  ) {
    self.options = options
    self.policies = policies
    self.runner = runner
    self.known = known
    studies = policies.map { _ in study }
  }

  /// Goes on until no study wants anything.
  mutating func run(showsProgress: Bool) throws {
    let interrupts = InterruptHandler {
      warn("interrupted; what has run is in the database, and the same command goes on from there")
    }
    defer { interrupts.cancel() }
    while true {
      let wanted = studies.enumerated().flatMap { study in study.element.wanted.map { (study.offset, $0) } }
      guard !wanted.isEmpty else { return }
      var points: [SweepPoint] = []
      var open: [(study: Int, trial: CapacityStudy.Trial)] = []
      for (study, trial) in wanted {
        let experiment = try experiment(policies[study], rate: trial.rate, seed: trial.seed)
        let hash = experiment.configurationHash
        if let run = known[hash] {
          studies[study].add(trial, run.figures)
          runsKnown += 1
        } else {
          points.append(
            SweepPoint(experiment, hash: hash, commandLine: Array(CommandLine.arguments.dropFirst())))
          open.append((study, trial))
        }
      }
      let requests = points.reduce(0) { $0 + $1.experiment.workload.count }
      let progress = showsProgress ? Progress(total: requests, unit: "requests, \(state)") : nil
      let outcomes = try runner.run(points, progress: progress)
      progress?.clear()
      for (job, outcome) in zip(open, outcomes) {
        switch outcome {
        case .finished(let figures): studies[job.study].add(job.trial, figures)
        case .failed(let error): throw error
        }
      }
      runsMade += points.count
    }
  }

  /// The experiment of one trial.
  mutating func experiment(_ policy: String, rate: Double, seed: UInt64) throws -> Experiment {
    var options = options
    options.schedule.policy = policy
    options.traffic.requestRate = rate
    options.traffic.seed = seed
    return try options.makeExperiment(cache: &cache)
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
