import ArgumentParser
import CostModels
import Experiments
import Foundation
import Policies
import ResultStore
import Serving
import Systems
import Workloads

/// `sim tune`: policies at their best parameters.
struct TuneCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tune",
    abstract: "Find the best parameters of each policy, and compare the policies at their best.",
    discussion: """
      The best parameters are those that hold the largest rate under the objective. Every combination of values is \
      tried roughly, with one seed; the best ones again, more exactly and with more seeds; the last two with all. \
      Parameters that are given, as in layered[groups=paper], stay as they are. Policies see the same requests at \
      the same rate and seed.

      A limit may have several values, tbt:20ms,30ms,50ms: then there is a line for each. Intervals are 95 %, by \
      Student's t over the seeds; that of a lead is over the seeds' own ratios. Both are widened by --tolerance, since \
      a capacity is only known to lie between a rate that holds and one that fails: a lead within it is not shown. \
      Without --policy, chunked and layered are compared, whatever the engine. The capacities go to the table \
      capacities; single runs are not logged.

      Examples:
        sim tune --policy chunked,layered --slo tbt:30ms ttft:10s
        sim tune --policy chunked,layered,deadline --slo tbt:20ms,30ms,50ms,125ms ttft:10s --seeds 0:4
      """)

  @OptionGroup(title: "Search") var search: SearchOptions
  @OptionGroup var options: RunOptions

  @Option(help: ArgumentHelp("The SQLite database to append capacities to.", valueName: "file"))
  var db = RunWriter.defaultPath

  @Flag(name: .customLong("no-db"), help: "Log nothing.")
  var noDatabase = false

  @Flag(help: "Print one JSON object.")
  var json = false

  func run() throws {
    let started = ContinuousClock.now
    let seeds = try search.checkedSeeds(options.traffic)
    let guess = try search.checkedGuess(options.traffic)
    let tolerance = try search.checkedTolerance(default: 0.02)
    var libraries = Libraries()
    let library = try libraries.library(in: options.folders)
    let base = try base()
    let names = SweepAxis.elements((options.schedule.policy ?? "chunked,layered")[...]).map { String($0) }
    guard Set(names).count == names.count else {
      throw CommandLineError.contradiction("--policy: the same policy is given twice")
    }
    var first: LoadedExperiment?
    let given = try options.objective.alternatives()
    var criteria: [CapacityCriterion] = []
    var families: [Tuner.Family] = []
    for name in names {
      let experiment = try library.load(Self.change(base, policy: name, rate: guess, seed: seeds[0]))
      libraries.warn(of: experiment)
      if first == nil {
        first = experiment
        criteria = try search.criteria(given.isEmpty ? [experiment.objective.asObjective] : given)
      }
      let gaps = criteria.compactMap(\.objective.requests.timeBetweenTokens)
      var candidates: [String] = []
      // A policy that keeps to a gap is tried with each of them.
      for gap in gaps.isEmpty ? [nil] : gaps.map(Optional.some) {
        for candidate in try PolicySpace.candidates(
          of: name, layers: experiment.loaded.system.shard.model.layers,
          maxModelLength: experiment.maxModelLength,
          batchedTokens: experiment.loaded.system.engine.scheduling.batchedTokens, longestGap: gap)
        where !candidates.contains(candidate) {
          candidates.append(candidate)
        }
      }
      // Candidates for which there is no memory are none.
      let possible = candidates.enumerated().filter {
        $0.offset == 0
          || (try? library.load(Self.change(base, policy: $0.element, rate: guess, seed: seeds[0]))) != nil
      }
      families.append(Tuner.Family(name: name, candidates: possible.map(\.element)))
    }
    let writer = noDatabase ? nil : try RunWriter(path: db, logLevel: .requests)
    var tuner = Tuner(
      families: families, criteria: criteria, seeds: seeds, guess: guess, tolerance: tolerance
    ) { policy, rate, seed in
      try library.load(Self.change(base, policy: policy, rate: rate, seed: seed))
    }
    // The number of runs is not known beforehand; this many are usual.
    let progress = json ? nil : Progress(total: 150 * names.count * criteria.count, unit: "runs")
    try tuner.run(progress: progress)
    progress?.clear()

    let results = criteria.indices.map { tuner.result(of: $0) }
    if let writer {
      for result in results {
        for tuned in result.policies {
          var specification = Self.change(base, policy: tuned.best, rate: guess, seed: seeds[0])
          specification.objective = result.criterion.objective.requests
          _ = try writer.append(
            capacity: CapacityRow(
              experiment: try library.load(specification), result: tuned.capacity,
              criterion: result.criterion, seeds: seeds, tolerance: tolerance,
              numPrompts: options.traffic.numPrompts
            ).values)
        }
      }
    }
    let report = TuneReport(
      setting: first?.loadFreeSetting ?? "", results: results, seeds: seeds.count,
      tried: families.map { ($0.name, $0.candidates.count) }, runs: tuner.runs,
      seconds: (ContinuousClock.now - started).seconds)
    print(json ? report.json : report.text)
    for result in results {
      for tuned in result.policies {
        let objective = result.criterion.objective
        CapacityWarnings.warn(of: tuned.capacity, "\(objective), \(tuned.best)", objective)
      }
    }
  }

  /// What all runs share; policy, rate and seed are set for each.
  private func base() throws -> Experiment {
    var options = options
    options.schedule.policy = nil
    guard options.schedule.maxNumBatchedTokens == nil, options.schedule.longPrefillTokenThreshold == nil,
      options.schedule.numStages == nil
    else {
      throw CommandLineError.contradiction(
        "--max-num-batched-tokens, --long-prefill-token-threshold and --num-stages are parameters of one policy, "
          + "which tune looks for; fix one as in chunked[budget=512] or vllm[long=256]")
    }
    // The objectives are held against each run by the search.
    options.objective.slo = []
    return try options.specification()
  }

  private static func change(_ base: Experiment, policy: String, rate: Double, seed: UInt64) -> Experiment {
    var experiment = base
    experiment.policy = PolicySpecification(parsing: policy)
    experiment.workload.requestRate = rate
    experiment.workload.seed = seed
    return experiment
  }
}
