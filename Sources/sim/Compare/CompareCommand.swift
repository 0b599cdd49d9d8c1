import ArgumentParser
import Experiments
import Foundation
import ResultStore
import Serving
import Workloads

/// `sim compare`: the same requests under several policies.
struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Run policies on the same requests: paired differences, who wins where, and why.",
    discussion: """
      Arrivals, lengths and expert routing are the same under each policy; the others are compared with the first, \
      request by request. Intervals are 95 % and come from a bootstrap over blocks of successive requests: they say \
      how sure the difference is for traffic like this one, not for other seeds.

      Examples:
        sim compare chunked layered --request-rate 1.5
        sim compare chunked[budget=512] chunked[budget=1024] layered --trace sharegpt --request-rate 4 --json
      """)

  @Argument(help: "Policies, as 'sim run --policy' takes them; two at least.")
  var policies: [String]

  @OptionGroup var options: RunOptions

  @Option(
    help: ArgumentHelp("The SQLite database to append the runs to.", valueName: "file"))
  var db = RunWriter.defaultPath

  @Flag(name: .customLong("no-db"), help: "Log nothing.")
  var noDatabase = false

  @Option(help: ArgumentHelp("What to log: requests, iterations or kernels.", valueName: "level"))
  var log = LogLevel.iterations

  @Option(help: "Resamples of the bootstrap.")
  var resamples = 2000

  @Option(
    help: ArgumentHelp(
      "The figure whose mean decides who wins, for what would have to be different and for warnings of parameters "
        + "far from their best.", valueName: "figure"))
  var decideBy = CompareMetric.endToEnd

  @Flag(
    inversion: .prefixedNo,
    help:
      "Search for what would have to be different for the other policy to win, which takes some fifty runs.")
  var sensitivity = true

  @Flag(help: "Print one JSON object instead of the report.")
  var json = false

  func run() throws {
    guard policies.count >= 2 else {
      throw CommandLineError.contradiction("compare takes two policies at least, such as: chunked layered")
    }
    guard options.schedule.policy == nil else {
      throw CommandLineError.contradiction("--policy: compare takes its policies without the option")
    }
    guard (100...1_000_000).contains(resamples) else {
      throw CommandLineError.badValue(
        option: "--resamples", value: "\(resamples)", expected: "100 to 1000000")
    }
    try options.objective.refuseStatistics(for: "compare")
    var experiments = try experiments()
    var notes: [String] = []
    let interruption = Interruption()
    let interrupts = InterruptHandler(stopping: interruption)
    defer { interrupts.cancel() }
    var runs: [CompareRun] = []
    // The report comes first, whatever becomes of the log.
    var failure: (any Error)?
    for i in experiments.indices {
      if interruption.isRequested {
        notes.append("Interrupted before \(experiments[i].policy) ran.")
        continue
      }
      experiments[i].interruption = interruption
      runs.append(try run(experiments[i], interruption, notes: &notes, failure: &failure))
    }
    let comparison = Comparison(runs, resamples: resamples, seed: options.traffic.seed)
    if experiments[0].specification.system.drawsRouting {
      notes.append("Experts are drawn call by call: policies share the law of routing, not the draws.")
    }
    notes += experiments[0].sparsityNotes
    var reports: [SensitivityReport] = []
    if sensitivity, !comparison.differences.allSatisfy(\.isTelling) {
      notes.append(
        "What would have to be different for the other to win is not searched for: so few requests tell no winner."
      )
    } else if sensitivity, !interruption.isRequested {
      let found = try sensitivities(of: comparison, experiments)
      if !interruption.isRequested {
        reports = found
      } else {
        notes.append("Interrupted while what would have to be different was searched for.")
      }
    }
    if json {
      print(
        CompareJSON(
          comparison: comparison, sensitivities: reports, isInterrupted: interruption.isRequested
        ).text)
    } else {
      let title = experiments[0].setting
      print(
        CompareReport(title: title, comparison: comparison, notes: notes, sensitivities: reports).text)
    }
    if let failure { throw failure }
    if interruption.isRequested { throw ExitCode(128 + SIGINT) }
  }

  /// What would change the winner, for each policy but the first; and warnings of parameters far from their best.
  private func sensitivities(
    of comparison: Comparison, _ experiments: [LoadedExperiment]
  ) throws -> [SensitivityReport] {
    var libraries = Libraries()
    // The number of runs is not known beforehand; this many are usual.
    let progress = json ? nil : Progress(total: 35 * comparison.differences.count, unit: "runs, sensitivity")
    let runs = VariantRuns(library: try libraries.library(in: options.folders), progress: progress)
    let names = comparison.runs.map { comparison.name(of: $0) }
    let layered = comparison.runs.map { ($0.iterations[.partialDepth]?.count ?? 0) > 0 }
    let reports = try (1..<experiments.count).map { other in
      SensitivityReport(
        names: [names[0], names[other]], metric: decideBy,
        sensitivities: try Sensitivity.all(
          of: Sensitivity.Pair(
            experiments[0], experiments[other], partialDepth: [layered[0], layered[other]], metric: decideBy),
          runs: runs))
    }
    let advice = try experiments.map { try ParameterAdvice.find(for: $0, metric: decideBy, runs: runs) }
    progress?.clear()
    // Runs that were cut short say nothing of parameters.
    if experiments[0].interruption?.isRequested == true { return [] }
    for (experiment, advice) in zip(experiments, advice) {
      if let advice { warn("\(experiment.policy): \(text(of: advice))") }
    }
    return reports
  }

  private func text(of advice: ParameterAdvice) -> String {
    String(
      format:
        "far from its best: with %@=%d mean %@ is %.4g instead of %.4g, and %.1f %% of requests meet the "
        + "objective instead of %.1f %%; 'sim tune' finds the best parameters",
      advice.parameter, advice.value, decideBy.title.replacing(", mean", with: ""), advice.betterMean,
      advice.mean, advice.betterAttainment * 100, advice.attainment * 100)
  }

  private func experiments() throws -> [LoadedExperiment] {
    var libraries = Libraries()
    return try policies.map { policy in
      var options = options
      options.schedule.policy = policy
      return try options.load(from: &libraries)
    }
  }

  private func run(
    _ experiment: LoadedExperiment, _ interruption: Interruption, notes: inout [String],
    failure: inout (any Error)?
  ) throws -> CompareRun {
    let writer = noDatabase ? nil : try RunWriter(path: db, logLevel: log)
    let progress = json ? nil : Progress(total: experiment.workload.count)
    let run = try CompareRun(experiment, writer: writer, progress: progress)
    progress?.clear()
    guard !interruption.hasCut else {
      writer?.abandon()
      notes.append(
        "\(run.policy) was interrupted after \(run.summary.metrics.requests) of "
          + "\(experiment.workload.count) requests; not logged.")
      return run
    }
    guard let writer else { return run }
    // A run that is there already has the same content.
    if let known = try KnownRuns(database: db, logLevel: log)[experiment.configurationHash] {
      writer.abandon()
      notes.append("\(run.policy) is in \(db) already, as run \(known.id).")
    } else {
      let row = experiment.row(
        run.result, argv: Array(CommandLine.arguments.dropFirst()))
      do {
        let id = try writer.finish(row, kernels: run.summary.totals.kernels)
        notes.append("\(run.policy) is logged as run \(id) in \(db).")
      } catch {
        failure = failure ?? error
        notes.append("\(run.policy) is not logged: \(error).")
      }
    }
    return run
  }
}
