import ArgumentParser
import Experiments
import Exports
import Foundation
import Policies
import ResultStore
import Serving
import Statistics
import Support
import Systems
import Workloads

/// Simulates one run, and appends it to a result database.
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Simulate one run: print its latencies, energy and expert traffic, and log it to SQLite.",
    discussion: """
      Times are in milliseconds where an option's name ends in ms, in seconds otherwise. ITL is the time between two \
      successive tokens of a request; TPOT is a request's mean ITL, and TBT its longest one, as a limit.

      Examples:
        sim --trace arxiv --policy layered --request-rate 1.5
        sim --trace sharegpt --policy chunked[budget=1024] --request-rate 4 --json
        sim --trace mooncake.jsonl --max-model-len 131072 --policy layered --draw 20
        sim --policy layered --dry-run > run.json
        sim --from run.json
        sim --again 12 --db Results/sim.sqlite
      """)

  @OptionGroup var options: RunOptions

  @Option(
    help: ArgumentHelp(
      "Run the experiment of a JSON file, as --dry-run prints it, instead of one from options.",
      valueName: "file"))
  var from: String?

  @Option(help: ArgumentHelp("Run the experiment of a run of the database again.", valueName: "run"))
  var again: Int64?

  @Flag(help: "Print the experiment as JSON, with every default spelt out, and run nothing.")
  var dryRun = false

  @Option(
    help: ArgumentHelp(
      "Threads that replicas run on, where the router does not look at what they do (round-robin, random) or learns late "
        + "of it (its delay). The results are the same. Default: one for each core.",
      valueName: "n"))
  var jobs: Int?

  @OptionGroup(title: "Results") var output: OutputOptions
  @OptionGroup(title: "Exports") var exports: ExportOptions

  func run() throws {
    try output.validateValues()
    try exports.validateValues(log: output.noDatabase ? nil : output.log)
    let threads = try WorkerCount.checked(jobs)
    var experiment = try load()
    let interruption = Interruption()
    experiment.interruption = interruption
    let statistics = try options.objective.single()?.statistics ?? []
    if dryRun {
      print(output.json ? experiment.specification.json : experiment.specification.prettyJSON)
      return
    }
    guard output.stepsCsv == nil || experiment.specification.cluster.instanceCount == 1 else {
      throw CommandLineError.contradiction(
        "--steps-csv: its steps are those of one instance; use --replicas 1")
    }
    guard output.uncertainty == nil || experiment.decoders == nil else {
      throw CommandLineError.contradiction(
        "--uncertainty: draws are made for one pool only; leave out --disaggregation")
    }
    let writer = try output.makeWriter()
    let steps = try output.stepsCsv.map { try StepsFile(path: $0) }
    // A log that cannot be kept is no reason to go on for an hour.
    writer?.onFailure { interruption.request() }
    let interrupts = InterruptHandler(stopping: interruption)
    let progress = output.json ? nil : Progress(total: experiment.workload.count)
    let result = try experiment.run(
      RunRecorder(
        metrics: RunMetrics(objective: experiment.objective), writer: writer,
        drawing: output.draw.map { experiment.drawing(rows: 16, columns: $0) }, progress: progress,
        steps: steps),
      percentiles: output.percentiles + Self.further(statistics, beside: output.percentiles),
      threads: threads)
    progress?.clear()
    interrupts.cancel()
    try steps?.finish()
    guard result.metrics.meanIteration < 1e5 else {
      writer?.abandon()
      throw CommandLineError.unbelievable(result.metrics.meanIteration)
    }
    let isCut = interruption.hasCut
    experiment.interruption = nil

    let uncertainty =
      interruption.isRequested
      ? nil
      : try output.uncertainty.map {
        try Uncertainty(of: experiment, summary: result.summary, draws: $0)
      }
    var notes = statistics.compactMap { Self.verdict($0, result.summary) }
    let evidence = experiment.evidence(result.totals)
    notes += experiment.notes(totals: result.totals, evidence: evidence)
    var logged: Int64?
    var failure: (any Error)? = writer?.failure
    if let failure {
      notes.append(
        "Stopped after \(result.metrics.requests) of \(experiment.workload.count) requests: \(failure)")
    } else if isCut {
      notes.append(
        "Interrupted after \(result.metrics.requests) of \(experiment.workload.count) requests; not logged.")
    } else if let writer {
      let row = experiment.row(
        result, more: uncertainty?.values ?? [], argv: Array(CommandLine.arguments.dropFirst()))
      do {
        let id = try writer.finish(row, kernels: result.totals.kernels)
        notes.append("Logged as run \(id) in \(writer.path).")
        logged = id
      } catch {
        failure = error
        notes.append("Not logged.")
      }
    }
    warnOfLosses(result, experiment)
    if output.json {
      var json = JSONWriter()
      json.object { json in
        for (key, value) in experiment.vLLMHeader + experiment.parameters + result.summary.values
          + result.transfers.values + experiment.tierValues(result) + experiment.quality
        {
          json.member(key, value)
        }
        json.member("interrupted", isCut)
        json.object("kernel_time_by_evidence") { json in
          for (key, share) in evidence.values { json.member(key, share) }
        }
        if result.instances.count > 1 {
          json.member("router", RunValue(experiment.router.label))
          json.array("instances") { json in
            for row in experiment.instanceRows(result) {
              json.object { json in for (key, value) in row { json.member(key, value) } }
            }
          }
        }
        if !result.classes.isEmpty {
          json.array("classes") { json in
            for share in result.classes {
              json.object { json in for (key, value) in share.values { json.member(key, value) } }
            }
          }
        }
        uncertainty?.write(to: &json)
      }
      print(json.text)
    } else {
      if !isCut, result.metrics.requests > 0, let next = nextStep(after: result, of: experiment) {
        notes.append(next)
      }
      printReport(result, of: experiment, evidence: evidence, notes: notes)
      if let uncertainty { print("\n" + uncertainty.text) }
    }
    // Last, so that a file that cannot be written does not cost the report.
    if let logged {
      for note in try exports.write(run: logged, of: output.db) where !output.json { print(note) }
    }
    if let failure { throw failure }
    if isCut { throw ExitCode(128 + SIGINT) }
  }

  /// Percentiles that are limited and not reported anyway.
  private static func further(_ statistics: [LatencyLimit], beside known: [Double]) -> [Double] {
    Set(statistics.compactMap(\.percentile)).subtracting(known + [50]).sorted()
  }

  /// Whether the run keeps to a limit on a statistic.
  private static func verdict(_ limit: LatencyLimit, _ summary: RunSummary) -> String? {
    guard let figure = limit.figure else { return nil }
    let value = summary[figure]
    let word = value.isNaN ? "no request has one" : value <= limit.seconds * 1000 ? "met" : "missed"
    return String(format: "Limit %@: %@ (%@ %.4g).", limit.description, word, figure.name, value)
  }

  /// The command that answers what one asks next, with the options of this run that are not the usual ones.
  private func nextStep(after result: RunResult, of experiment: LoadedExperiment) -> String? {
    guard let asked = try? stored() ?? options.specification(),
      let usual = try? ExperimentOptions(Experiment(), from: "").options,
      let given = try? ExperimentOptions(asked, from: "").options
    else { return nil }
    let isGood = result.metrics.attainment >= 0.9
    // A rate that holds is looked for from the usual one where this run has none.
    let hasRate = experiment.workload.arrivals.rate?.isFinite ?? false
    let decided =
      ["--policy", "--seed", "--max-duration"]
      + (isGood || hasRate ? [] : ["--request-rate", "--arrivals", "--time-scale"])
    let words = given.filter { option in
      !decided.contains(option.name)
        && !usual.contains { $0.name == option.name && $0.words == option.words }
    }.flatMap { [$0.name] + $0.words.map(Self.quoted) }
    let own = experiment.policy.entry.name
    // Pruning needs prompts that are computed whole.
    let whole = asked.system.tokenPruning == nil ? "chunked" : "orca"
    let other = own == "layered" ? whole : "layered"
    let command = isGood ? "compare \(own) \(other)" : "tune --policy \(own),\(other)"
    // Who runs the program by a script has no 'sim' to call.
    let name = ProcessInfo.processInfo.environment["SIM_COMMAND"] ?? "sim"
    return "Next: \(([name, command] + words).joined(separator: " "))  "
      + (isGood ? "(would another policy do better?)" : "(the best parameters, and the rate that they hold)")
  }

  /// A word as a shell takes it.
  private static func quoted(_ word: String) -> String {
    let isPlain = word.allSatisfy { $0.isLetter || $0.isNumber || "_-./:=,+%".contains($0) }
    return isPlain ? word : "'\(word.replacing("'", with: "'\\''"))'"
  }

  /// The experiment of the options, of a file, or of a run of the database.
  private func load() throws -> LoadedExperiment {
    var libraries = Libraries()
    guard let stored = try stored() else {
      let experiment = try options.load(from: &libraries)
      if let router = options.cluster.router, experiment.specification.cluster.router == nil {
        warn("--router \(router): one instance has nothing to decide; --replicas says how many there are")
      }
      return experiment
    }
    if try options.specification() != RunOptions.parse([]).specification() {
      throw CommandLineError.contradiction(
        "\(from != nil ? "--from" : "--again"): the experiment is given; leave out options that describe one")
    }
    var experiment = try libraries.library(in: options.folders).load(stored)
    experiment.exactSteps = options.schedule.exactSteps
    if let again { try warnOfChanges(since: again, experiment) }
    return experiment
  }

  /// Says what has changed since a run was stored: its figures are then not to be expected again.
  private func warnOfChanges(since run: Int64, _ experiment: LoadedExperiment) throws {
    let row = try ResultReader(path: output.db).run(run)
    var changed: [String] = []
    for (column, digest, what) in [
      ("profile_sha256", experiment.loaded.digest, "profiles"),
      ("trace_sha256", experiment.workload.digest, "trace"),
    ] {
      if case .text(let known)? = row[column], known != digest { changed.append("its \(what)") }
    }
    if case .integer(let revision)? = row["results_revision"], revision != Int64(Revision.results) {
      changed.append("the program (revision \(revision) of the figures, now \(Revision.results))")
    }
    if !changed.isEmpty {
      warn("run \(run) was stored before \(changed.joined(separator: " and ")) changed: figures may differ")
    }
  }

  private func stored() throws -> Experiment? {
    switch (from, again) {
    case (nil, nil): return nil
    case (let path?, nil): return try Experiment(contentsOf: path)
    case (nil, let run?): return try ResultReader(path: output.db).experiment(ofRun: run)
    case (_?, _?): throw CommandLineError.contradiction("--from and --again exclude each other")
    }
  }

  private func printReport(
    _ result: RunResult, of experiment: LoadedExperiment, evidence: EvidenceShares, notes: [String]
  ) {
    if let drawing = result.drawing { print(drawing.picture, terminator: "\n\n") }
    let notes = notes + ["Simulated in \(String(format: "%.2f", result.summary.wall)) s."]
    let report = RunReport(
      title: experiment.title, head: experiment.head(evidence: evidence), summary: result.summary,
      objective: experiment.objective, instances: result.instances, roles: experiment.roles,
      classes: result.classes, transfers: result.transfers, notes: notes)
    print(report.text)
  }

  private func warnOfLosses(_ result: RunResult, _ experiment: LoadedExperiment) {
    let longestPrompt = experiment.longestPrompt
    for request in result.rejected {
      if request.promptTokens > longestPrompt {
        warn(
          "rejected request \(request.id): its prompt of \(request.promptTokens) tokens exceeds \(longestPrompt), "
            + experiment.reasonOfLongestPrompt)
        continue
      }
      warn(
        "rejected request \(request.id): \(request.promptTokens) + \(request.outputTokens) tokens exceed "
          + "\(experiment.longestSequence), the least of --max-model-len, KV memory and the policy's budget")
    }
    if result.metrics.rejected > result.rejected.count {
      warn("rejected \(result.metrics.rejected) of \(result.metrics.requests) requests in all")
    }
    if result.metrics.requests == 0, let window = experiment.specification.limits.window {
      warn("no request arrives in the measured part, from \(window.begin) to \(window.end) s")
    }
    if result.metrics.unfinished > 0 {
      let end = experiment.specification.limits.maxDuration
      warn(
        (end.map { "cut at \($0) s" } ?? "nothing goes on any more,")
          + " with \(result.metrics.unfinished) requests unfinished, which count as "
          + "failing the objective")
    }
  }
}
