import ArgumentParser
import Experiments
import Foundation
import Policies
import ResultStore
import Serving
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
      more sharply. The interval is 95 %, by Student's t over the capacities of the seeds taken one by one. \
      Energy per token falls as the rate rises, so --max-energy-per-token is checked at the capacity: where it is \
      missed there, there is no rate that keeps to it.

      Every run is logged, and those that the database has already are not run again.

      Examples:
        sim capacity --policy chunked,layered --attainment 0.9 --slo ttft:10000 tbt:125
        sim capacity --policy layered --seeds 0:9 --max-watts 700 --tolerance 0.005
      """)

  @Option(help: ArgumentHelp("Share of requests that must meet the objective.", valueName: "0...1"))
  var attainment = 0.9

  @Option(help: ArgumentHelp("Seeds, as a list or a range first:last.", valueName: "list"))
  var seeds = "0:4"

  @Option(
    help: ArgumentHelp("How far the rates that hold and fail may be apart in the end.", valueName: "share"))
  var tolerance = 0.01

  @Option(help: ArgumentHelp("Most mean power of all GPUs.", valueName: "W"))
  var maxWatts: Double?

  @Option(help: ArgumentHelp("Most energy per token, input and output.", valueName: "mJ"))
  var maxEnergyPerToken: Double?

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

  func run() throws {
    let seeds = try checkedSeeds()
    let guess = try checkedGuess()
    let criterion = CapacityCriterion(
      attainment: attainment, maxWatts: maxWatts, maxEnergyPerToken: maxEnergyPerToken)
    let policies = SweepAxis.elements((options.schedule.policy ?? "chunked")[...]).map { String($0) }
    let writer = noDatabase ? nil : try RunWriter(path: db, logLevel: log)
    var search = CapacitySearch(
      policies: policies,
      capacity: PolicyCapacity(seeds: seeds, criterion: criterion, guess: guess, tolerance: tolerance),
      runner: SweepRunner(
        database: noDatabase ? nil : db, logLevel: log,
        jobs: jobs ?? ProcessInfo.processInfo.activeProcessorCount),
      known: noDatabase ? KnownRuns() : try KnownRuns(database: db, logLevel: log))
    // Wrong options are reported before anything runs.
    var libraries = Libraries()
    let experiments = try policies.map {
      try experiment($0, rate: guess, seed: seeds[0], libraries: &libraries)
    }
    let interrupts = InterruptHandler {
      warn("interrupted; what has run is in the database, and the same command goes on from there")
    }
    defer { interrupts.cancel() }
    var bar: Progress?
    try search.run(commandLine: Array(CommandLine.arguments.dropFirst())) { policy, rate, seed in
      try experiment(policy, rate: rate, seed: seed, libraries: &libraries)
    } begin: { requests, state in
      bar = json ? nil : Progress(total: requests, unit: "requests, \(state)")
      return bar
    } end: {
      bar?.clear()
    }

    let results = search.capacities.map(\.result)
    for (experiment, result) in zip(experiments, results) {
      _ = try writer?.append(capacity: row(experiment, result, seeds: seeds))
    }
    let rows = zip(experiments, results).map { (policy: $0.policy.description, result: $1) }
    if !json { print(experiments[0].loadFreeSetting) }
    print(CapacityTable(rows: rows).table.formatted(as: json ? .json : .table), terminator: "")
    for row in rows where row.result.rate == nil { warn("\(row.policy): \(reason(row.result))") }
    for row in rows where row.result.rate != nil && row.result.failing == nil {
      warn("\(row.policy): no rate up to \(RateBisection.limits.upperBound) req/s fails")
    }
    if !json { print("\(search.runsMade) runs made, \(search.runsKnown) known already.") }
  }

  /// The experiment of a policy at a rate and with a seed.
  private func experiment(
    _ policy: String, rate: Double, seed: UInt64, libraries: inout Libraries
  ) throws -> LoadedExperiment {
    var options = options
    options.schedule.policy = policy
    options.traffic.requestRate = rate
    options.traffic.seed = seed
    return try options.load(from: &libraries)
  }

  private func checkedSeeds() throws(CommandLineError) -> [UInt64] {
    guard options.traffic.seed == 0 else { throw .contradiction("--seed: a capacity takes --seeds") }
    let axis = try SweepAxis(option: "--seeds", words: [seeds[...]])
    let numbers = axis.alternatives.compactMap { UInt64($0.joined()) }
    guard numbers.count == axis.alternatives.count, Set(numbers).count == numbers.count else {
      throw .badValue(
        option: "--seeds", value: seeds, expected: "different whole numbers, such as 0:4 or 1,2,3")
    }
    return numbers
  }

  /// Checks the numbers, and returns the rate to begin with.
  private func checkedGuess() throws(CommandLineError) -> Double {
    guard attainment > 0, attainment <= 1 else {
      throw .badValue(option: "--attainment", value: "\(attainment)", expected: "more than 0, at most 1")
    }
    guard (1e-6...1).contains(tolerance) else {
      throw .badValue(option: "--tolerance", value: "\(tolerance)", expected: "from 0.000001 to 1")
    }
    for (option, value) in [("--max-watts", maxWatts), ("--max-energy-per-token", maxEnergyPerToken)] {
      if let value, !(value > 0) {
        throw .badValue(option: option, value: "\(value)", expected: "more than 0")
      }
    }
    if let jobs, !(1...1024).contains(jobs) {
      throw .badValue(option: "--jobs", value: "\(jobs)", expected: "1 to 1024")
    }
    let guess = options.traffic.requestRate ?? 1
    guard RateBisection.limits.contains(guess) else {
      throw .badValue(
        option: "--request-rate", value: "\(guess)", expected: "a first guess from 0.001 to 100000")
    }
    return guess
  }

  /// The row of the table `capacities`.
  private func row(_ experiment: LoadedExperiment, _ result: CapacityResult, seeds: [UInt64]) -> [(
    String, RunValue
  )] {
    let shared = ["version", "policy", "model", "hardware", "engine", "trace", "tensor_parallel_size"]
    // The configuration is that of all runs: what varies between them is left out.
    var specification = experiment.specification
    specification.workload.requestRate = nil
    specification.workload.seed = 0
    specification.workload.numPrompts = options.traffic.numPrompts
    return experiment.parameters.filter { shared.contains($0.0) } + [
      ("argv", RunValue(CommandLine.arguments.dropFirst().joined(separator: " "))),
      ("config", RunValue(specification.json)),
      ("seeds", RunValue(seeds.map { "\($0)" }.joined(separator: ","))),
      ("attainment_target", RunValue(attainment)), ("max_watts", maxWatts.map { RunValue($0) } ?? .null),
      ("max_energy_per_token_mj", maxEnergyPerToken.map { RunValue($0) } ?? .null),
      ("tolerance", RunValue(tolerance)),
    ] + CapacityTable.values(result)
  }

  /// The reason that a policy has no capacity.
  private func reason(_ result: CapacityResult) -> String {
    if result.limit == .energy, let figures = result.figures, let cap = maxEnergyPerToken {
      return String(
        format: "no capacity: %.2f mJ per token at the largest rate that holds otherwise, more than %g",
        figures.millijoulesPerToken, cap)
    }
    let what = result.limit?.rawValue ?? "attainment"
    return "no capacity: it fails by \(what) even at \(result.failing ?? 0) req/s"
  }
}
