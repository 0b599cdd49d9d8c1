import Experiments
import ResultStore

/// The results of a sweep's points, from the database.
struct SweepTable {
  /// Figures that are shown unless others are asked for, the most telling ones first.
  static let usual: [RunFigure] = [
    .meanTimeToFirstToken, .p99TimeToFirstToken, .meanInterTokenLatency, .p99InterTokenLatency, .attainment,
    .requestThroughput, .energyPerToken,
  ]
  /// Figures that verdicts rest on.
  private static let telling: [RunFigure] = [.attainment, .meanEndToEnd]

  /// A point's run.
  struct Run {
    /// Its number in the database; `nil` where it is in none.
    var id: Int64?
    /// Its figures by their names.
    var values: [String: RunValue]
  }

  private(set) var table: ResultTable
  /// Means over seeds, and which policy is best.
  let verdict: SweepVerdict
  /// Points whose run was cut with requests unfinished.
  let cut: [(point: SweepPoint, unfinished: Int)]

  /// The runs of a database, by the points that they are of.
  ///
  /// - Parameters:
  ///   - database: its path.
  ///   - points: the points.
  ///   - figures: those that are shown.
  ///   - logLevel: the least that a run must keep.
  /// - Returns: a run for each hash of a point that the database has.
  /// - Throws: if the database cannot be read.
  static func runs(
    of database: String, for points: [SweepPoint], figures: [RunFigure], logLevel: LogLevel
  ) throws -> [String: Run] {
    let known = try KnownRuns(database: database, logLevel: logLevel)
    let names = (figures + telling + [.unfinished]).map(\.name)
    let found = try ResultReader(path: database).query(
      "SELECT run_id, \(names.joined(separator: ", ")) FROM runs")
    var byID: [RunValue: ArraySlice<RunValue>] = [:]
    for row in found.rows { byID[row[0]] = row.dropFirst() }
    var runs: [String: Run] = [:]
    for point in points {
      guard let id = known[point.hash]?.id, let row = byID[.integer(id)] else { continue }
      runs[point.hash] = Run(id: id, values: Dictionary(zip(names, row)) { first, _ in first })
    }
    return runs
  }

  /// The runs that were just made and are in no database, by the points that they are of.
  static func runs(_ outcomes: [SweepOutcome], of points: [SweepPoint]) -> [String: Run] {
    var runs: [String: Run] = [:]
    for case (.finished(_, let values), let point) in zip(outcomes, points) {
      runs[point.hash] = Run(id: nil, values: values)
    }
    return runs
  }

  /// Puts down the points that have run.
  init(_ points: [SweepPoint], varying: [String], figures: [RunFigure] = usual, runs: [String: Run]) {
    let columns = figures.map(\.name)
    var table = ResultTable(columns: varying + columns + [RunFigure.unfinished.name, "run_id"], rows: [])
    var cut: [(point: SweepPoint, unfinished: Int)] = []
    var ran: [SweepVerdict.Point] = []
    for point in points {
      guard let run = runs[point.hash] else { continue }
      let unfinished = Int(run.values[RunFigure.unfinished.name]?.integer ?? 0)
      table.rows.append(
        point.values.map { RunValue(word: $0) } + columns.map { run.values[$0] ?? .null }
          + [RunValue(unfinished), run.id.map { .integer($0) } ?? .null])
      ran.append(SweepVerdict.Point(values: point.values, figures: run.values.compactMapValues(\.number)))
      if unfinished > 0 { cut.append((point, unfinished)) }
    }
    self.table = table
    self.cut = cut
    verdict = SweepVerdict(varying: varying, points: ran)
  }

  /// Adds rows of points that could not run, which have no figures.
  mutating func add(impossible: [[String]]) {
    for values in impossible {
      let cells = values.map { RunValue(word: $0) }
      table.rows.append(cells + Array(repeating: .null, count: table.columns.count - cells.count))
    }
  }
}
