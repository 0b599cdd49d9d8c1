import ArgumentParser
import Experiments
import Foundation
import ResultStore
import Serving
import Support
import Systems
import Workloads

/// `sim sweep`: the product of lists and ranges of run options.
struct SweepCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sweep",
    abstract: "Simulate the product of lists and ranges of run options, on all cores.",
    usage: "sim sweep [--db <file>] [--jobs <n>] [--dry-run] <run options with lists and ranges>",
    discussion: """
      Every option of 'sim run' that describes a run takes a list, a,b,c, or a range, first:last:step, whose end is \
      included; the step of whole numbers is 1 by default. Results go to the database as points finish. A point that \
      is there already, recognised by the hash of its configuration, is not run again: the same command goes on \
      where it was interrupted.

      Past the knee queues grow without end; --max-duration cuts such runs, and the table says which.

      Examples:
        sim sweep --request-rate 1.0:2.0:0.1 --policy chunked,layered --seed 0:4
        sim sweep --policy chunked --max-num-batched-tokens 256,512,1024 --max-duration 900
        sim sweep --policy layered[stages=8],layered[stages=16] --engine-set host.per_iteration_ms=0.5,1
      """)

  @Option(help: ArgumentHelp("The SQLite database to append the points to.", valueName: "file"))
  var db = RunWriter.defaultPath

  @Flag(name: .customLong("no-db"), help: "Log nothing: every point runs, and an interruption loses all.")
  var noDatabase = false

  @Option(help: ArgumentHelp("What to log: requests, iterations or kernels.", valueName: "level"))
  var log = LogLevel.requests

  @Option(help: "Points at a time. Default: one for each core.")
  var jobs: Int?

  @Flag(inversion: .prefixedNo, help: "Skip the points that the database has.")
  var resume = true

  @Flag(help: "List the points, and which of them the database has, and run nothing.")
  var dryRun = false

  @Option(
    help: ArgumentHelp(
      "Figures to show, as 'sim list figures' names them. Default: the usual ones, as many as the terminal has room for.",
      valueName: "list"))
  var columns: String?

  @Flag(help: "Print the results as JSON.")
  var json = false

  @Argument(
    parsing: .allUnrecognized,
    help: ArgumentHelp("Options of 'sim run', with lists and ranges.", valueName: "run options"))
  var parameters: [String] = []

  func run() throws {
    let started = ContinuousClock.now
    _ = try WorkerCount.checked(jobs)
    let figures = try figures()
    let grid = try SweepGrid(parameters)
    let (points, same, impossible) = try points(of: grid)
    let known =
      !noDatabase && (resume || dryRun) ? try KnownRuns(database: db, logLevel: log) : KnownRuns()
    let open = points.filter { known[$0.hash] == nil }
    if dryRun {
      if json {
        printJSON(points, known: known, varying: grid.varying)
      } else {
        list(points, known: known, varying: grid.varying)
        print(
          "\(points.count) points"
            + (noDatabase ? "." : ", \(points.count - open.count) of them in \(db) already."))
      }
      return
    }

    let outcomes = try run(open, done: points.count - open.count)
    let failures = report(outcomes, of: open)
    let runs =
      noDatabase
      ? SweepTable.runs(outcomes, of: open)
      : try SweepTable.runs(of: db, for: points, figures: figures, logLevel: log)
    var results = SweepTable(points, varying: grid.varying, figures: figures, runs: runs)
    results.add(impossible: impossible)
    show(results.table)
    for (point, unfinished) in results.cut {
      warn(
        "cut at \(point.experiment.specification.limits.maxDuration ?? 0) s with \(unfinished) requests unfinished: "
          + label(point, varying: grid.varying))
    }
    if !json {
      if let means = results.verdict.means(of: figures.map(\.name)) {
        print("\nMeans over seeds")
        show(means)
      }
      let lines = results.verdict.lines
      if !lines.isEmpty { print("\n" + lines.joined(separator: "\n")) }
    }
    if same > 0 { warn("\(same) points are the same as others, and ran once") }
    if !json {
      let wall = String(format: "%.1f", (ContinuousClock.now - started).seconds)
      let place =
        noDatabase
        ? "not logged"
        : "in \(db): \(open.count - failures) new, \(points.count - open.count) there already"
      print("\(points.count) points \(place); \(wall) s.")
    }
    if failures > 0 { throw CommandLineError.failedPoints(failures) }
    if !impossible.isEmpty { throw CommandLineError.impossibleSystems(impossible.count) }
  }

  /// Prints a table: four digits, and as many columns as there is room for.
  private func show(_ table: ResultTable) {
    print(
      table.formatted(as: json ? .json : .table, width: columns == nil ? Terminal.width : nil, digits: 4),
      terminator: "")
  }

  /// The figures that are shown.
  private func figures() throws(CommandLineError) -> [RunFigure] {
    guard let columns else { return SweepTable.usual }
    var figures: [RunFigure] = []
    for name in columns.split(separator: ",", omittingEmptySubsequences: false) {
      guard let figure = RunFigure.named(String(name)), figure.isColumn else {
        let near = nearestName(to: String(name), among: RunFigure.all.filter(\.isColumn).map(\.name))
        throw .badValue(
          option: "--columns", value: columns,
          expected: near.map { "'\($0)' in place of '\(name)'" } ?? "figures of 'sim list figures'")
      }
      figures.append(figure)
    }
    return figures
  }

  /// The points, each configuration once, how many are the same as others, and the values of those on whose system the
  /// model does not fit.
  ///
  /// A sweep of such points alone is refused.
  private func points(
    of grid: SweepGrid
  ) throws -> (points: [SweepPoint], same: Int, impossible: [[String]]) {
    var libraries = Libraries()
    var seen: Set<String> = []
    var all: [SweepPoint] = []
    var impossible: [(values: [String], error: DescriptionError)] = []
    for (arguments, values) in grid.points {
      do {
        all.append(try SweepPoint(arguments: arguments, values: values, libraries: &libraries))
      } catch let error as DescriptionError where error.isMismatch {
        impossible.append((values, error))
      }
    }
    if all.isEmpty, let first = impossible.first { throw first.error }
    for (values, error) in impossible {
      warn("\(zip(grid.varying, values).map { "\($0) \($1)" }.joined(separator: ", ")): \(error)")
    }
    let points = all.filter { seen.insert($0.hash).inserted }
    return (points, all.count - points.count, impossible.map(\.values))
  }

  private func run(_ points: [SweepPoint], done: Int) throws -> [SweepOutcome] {
    // Opened even if nothing is left to run: a database that cannot be written is known at once.
    if !noDatabase { _ = try RunWriter(path: db, logLevel: log) }
    let requests = points.reduce(0) { $0 + $1.experiment.workload.count }
    let progress = json ? nil : Progress(total: requests, unit: "requests of \(points.count) points")
    let interrupts = InterruptHandler { [db, noDatabase] in
      progress?.clear()
      warn(
        noDatabase
          ? "interrupted; nothing was logged"
          : "interrupted; finished points are in \(db), and the same command goes on with the rest")
    }
    defer { interrupts.cancel() }
    let runner = SweepRunner(
      database: noDatabase ? nil : db, logLevel: log, jobs: try WorkerCount.checked(jobs))
    let outcomes = try runner.run(points, progress: progress)
    progress?.clear()
    return outcomes
  }

  /// Says which points broke down, and returns how many did.
  private func report(_ outcomes: [SweepOutcome], of points: [SweepPoint]) -> Int {
    var failures = 0
    for (point, outcome) in zip(points, outcomes) {
      guard case .failed(let error) = outcome else { continue }
      failures += 1
      warn("\(point.commandLine.joined(separator: " ")): \(error)")
    }
    return failures
  }

  private func list(_ points: [SweepPoint], known: KnownRuns, varying: [String]) {
    var table = ResultTable(columns: varying + ["requests", "run_id"], rows: [])
    for point in points {
      let run = known[point.hash].map { RunValue.integer($0.id) } ?? .null
      table.rows.append(
        point.values.map { .text($0) } + [RunValue(point.experiment.workload.count), run])
    }
    print(table.formatted(as: .table), terminator: "")
  }

  /// Prints the points for programs: each with its values, and the arguments of 'sim run' that make it.
  private func printJSON(_ points: [SweepPoint], known: KnownRuns, varying: [String]) {
    var json = JSONWriter()
    json.array(layout: .lines) { json in
      for point in points {
        json.object { json in
          for (name, value) in zip(varying, point.values) { json.member(name, value) }
          json.member("requests", point.experiment.workload.count)
          json.member("run_id", known[point.hash]?.id)
          json.member("arguments", Array(point.commandLine.dropFirst()))
        }
      }
    }
    print(json.text)
  }

  private func label(_ point: SweepPoint, varying: [String]) -> String {
    guard !varying.isEmpty else { return point.experiment.title }
    return zip(varying, point.values).map { "\($0) \($1)" }.joined(separator: ", ")
  }
}
