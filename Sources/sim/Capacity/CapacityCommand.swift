import ArgumentParser
import CostModels
import Experiments
import Foundation
import Policies
import ResultStore
import Serving
import Systems
import Workloads

/// `sim capacity`: the largest rate that a policy sustains.
struct CapacityCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "capacity",
    abstract: "Find the largest request rate at which a policy meets its objective.",
    discussion: """
      The rate is doubled or halved from a guess, --request-rate, and then bisected. A rate holds if the share of \
      requests that meet --slo, as a mean over the seeds, is at least --attainment, and the mean power is at most \
      --max-watts. Each run has 600 s of traffic unless --num-prompts says otherwise; longer ones find the capacity \
      more sharply. The interval is 95 %, by Student's t over the capacities of the seeds taken one by one, and reaches up by \
      --tolerance, within which the rate that fails lies. \
      Energy per token falls as the rate rises, so --max-energy-per-token is checked at the capacity: where it is \
      missed there, there is no rate that keeps to it.

      --model, --hardware and --tp take lists; a combination on which the model does not fit is named, and the others \
      are searched.

      Every run is logged, and those that the database has already are not run again.

      Examples:
        sim capacity --policy chunked,layered --attainment 0.9 --slo ttft:10s tbt:125ms
        sim capacity --policy chunked --slo p99_ttft:1s mean_tpot:30ms --tp 1,2,4 --hardware h100-sxm,h200-sxm
        sim capacity --policy layered --seeds 0:9 --max-watts 700 --tolerance 0.005
      """)

  @OptionGroup(title: "Search") var search: SearchOptions
  @OptionGroup var options: RunOptions

  @Option(help: ArgumentHelp("The SQLite database to append runs and capacities to.", valueName: "file"))
  var db = RunWriter.defaultPath

  @Flag(name: .customLong("no-db"), help: "Log nothing.")
  var noDatabase = false

  @Option(help: ArgumentHelp("What to log: requests, iterations or kernels.", valueName: "level"))
  var log = LogLevel.requests

  @Option(help: "Runs at a time. Default: one for each core.")
  var jobs: Int?

  @Flag(help: "Print the table as JSON.")
  var json = false

  /// One search.
  private struct Job {
    var options: RunOptions
    var policy: String
    /// At the first guess; `nil` if the model does not fit.
    var experiment: LoadedExperiment?
  }

  func run() throws {
    let seeds = try search.checkedSeeds(options.traffic)
    let guess = try search.checkedGuess(options.traffic)
    let tolerance = try search.checkedTolerance(default: 0.01)
    let workers = try WorkerCount.checked(jobs)
    // Wrong options are reported before anything runs.
    var libraries = Libraries()
    let jobs = try jobs(guess: guess, seed: seeds[0], libraries: &libraries)
    let possible = jobs.filter { $0.experiment != nil }
    let objective = try options.objective.single() ?? possible.first?.experiment?.objective.asObjective
    let criterion = try search.criteria([objective ?? Objective([])])[0]
    let writer = noDatabase ? nil : try RunWriter(path: db, logLevel: log)
    var study = CapacitySearch(
      names: possible.map { name($0, among: jobs) },
      capacity: PolicyCapacity(seeds: seeds, criterion: criterion, guess: guess, tolerance: tolerance),
      runner: SweepRunner(
        database: noDatabase ? nil : db, logLevel: log,
        jobs: workers,
        statistics: criterion.objective.statistics),
      known: noDatabase
        ? KnownRuns()
        : try KnownRuns(database: db, logLevel: log, statistics: criterion.objective.statistics))
    let interrupts = InterruptHandler {
      warn("interrupted; what has run is in the database, and the same command goes on from there")
    }
    defer { interrupts.cancel() }
    var bar: Progress?
    try study.run(commandLine: Array(CommandLine.arguments.dropFirst())) { job, rate, seed in
      try experiment(
        possible[job].options, possible[job].policy, rate: rate, seed: seed, libraries: &libraries)
    } begin: { requests, state in
      bar = json ? nil : Progress(total: requests, unit: "requests, \(state)")
      return bar
    } end: {
      bar?.clear()
    }

    var results = study.capacities.map(\.result)
    for (job, result) in zip(possible, results) {
      if let experiment = job.experiment {
        _ = try writer?.append(
          capacity: CapacityRow(
            experiment: experiment, result: result, criterion: criterion, seeds: seeds, tolerance: tolerance,
            numPrompts: options.traffic.numPrompts
          ).values)
      }
    }
    for (place, job) in jobs.enumerated() where job.experiment == nil {
      results.insert(.doesNotFit, at: place)
    }
    let systems = Set(jobs.map { systemName($0.options) }).count > 1
    let rows = zip(jobs, results).map { job, result in
      CapacityTable.Row(
        system: systems ? job.options.system : nil,
        policy: job.experiment?.policy.description ?? job.policy, result: result)
    }
    if !json, let first = possible.first?.experiment {
      print(systems ? "\(first.loaded.system.engine.name) · \(first.workload.name)" : first.loadFreeSetting)
    }
    print(
      CapacityTable(rows: rows).table.formatted(as: json ? .json : .table, width: Terminal.width),
      terminator: "")
    for (job, result) in zip(jobs, results) {
      complain(result, name(job, among: jobs), criterion.objective)
    }
    if !json { print("\(study.runsMade) runs made, \(study.runsKnown) known already.") }
    let missing = jobs.count - possible.count
    if missing > 0 { throw CommandLineError.impossibleSystems(missing) }
  }

  /// The searches: each policy on each system.
  ///
  /// What is wrong with one system of several is told, and the others go on.
  private func jobs(guess: Double, seed: UInt64, libraries: inout Libraries) throws -> [Job] {
    let systems = try options.system.alternatives()
    let given = try options.schedule.policy ?? systems[0].ownPolicy(in: options.folders)
    let policies = SweepAxis.elements(given[...]).map { String($0) }
    var jobs: [Job] = []
    for system in systems {
      var options = options
      options.system = system
      for policy in policies {
        var job = Job(options: options, policy: policy)
        do {
          job.experiment = try experiment(options, policy, rate: guess, seed: seed, libraries: &libraries)
        } catch let error as DescriptionError where systems.count > 1 && error.isMismatch {
          warn("\(systemName(options)), \(policy): \(error)")
        }
        jobs.append(job)
      }
    }
    return jobs
  }

  private func systemName(_ options: RunOptions) -> String {
    options.system.title
  }

  private func name(_ job: Job, among jobs: [Job]) -> String {
    let policy = job.experiment?.policy.description ?? job.policy
    return Set(jobs.map { systemName($0.options) }).count > 1
      ? "\(systemName(job.options)), \(policy)" : policy
  }

  private func complain(_ result: CapacityResult, _ name: String, _ objective: Objective) {
    CapacityWarnings.warn(of: result, name, objective)
    if result.rate == nil, result.limit != .memory { warn("\(name): \(reason(result))") }
    if result.rate != nil, result.failing == nil {
      warn("\(name): no rate up to \(RateBisection.limits.upperBound) req/s fails")
    }
  }

  /// The experiment of a policy at a rate and with a seed.
  private func experiment(
    _ options: RunOptions, _ policy: String, rate: Double, seed: UInt64, libraries: inout Libraries
  ) throws -> LoadedExperiment {
    var options = options
    options.schedule.policy = policy
    options.traffic.requestRate = rate
    options.traffic.seed = seed
    return try options.load(from: &libraries)
  }

  /// The reason that a policy has no capacity.
  private func reason(_ result: CapacityResult) -> String {
    if result.limit == .energy, let figures = result.figures, let cap = search.maxEnergyPerToken {
      return String(
        format: "no capacity: %.2f mJ per token at the largest rate that holds otherwise, more than %g",
        figures.millijoulesPerToken, cap)
    }
    let what = result.limit?.description ?? "attainment"
    return "no capacity: it fails by \(what) even at \(result.failing ?? 0) req/s"
  }
}
