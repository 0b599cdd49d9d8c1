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

  private(set) var table: ResultTable
  /// Means over seeds, and which policy is best.
  let verdict: SweepVerdict
  /// Points whose run was cut with requests unfinished.
  let cut: [(point: SweepPoint, unfinished: Int)]

  /// Reads the points that are there.
  init(
    _ points: [SweepPoint], varying: [String], figures: [RunFigure] = usual, database: String,
    logLevel: LogLevel
  ) throws {
    let known = try KnownRuns(database: database, logLevel: logLevel)
    let columns = figures.map(\.name)
    let all = (figures + Self.telling).map(\.name)
    let found = try ResultReader(path: database).query(
      "SELECT run_id, \(all.joined(separator: ", ")) FROM runs")
    var byID: [RunValue: [RunValue]] = [:]
    for row in found.rows { byID[row[0]] = Array(row.dropFirst()) }
    var table = ResultTable(columns: varying + columns + [RunFigure.unfinished.name, "run_id"], rows: [])
    var cut: [(point: SweepPoint, unfinished: Int)] = []
    var ran: [SweepVerdict.Point] = []
    for point in points {
      guard let run = known[point.hash], let row = byID[.integer(run.id)] else { continue }
      let unfinished = run.figures.unfinished
      table.rows.append(
        point.values.map { RunValue(word: $0) } + row.prefix(columns.count)
          + [RunValue(unfinished), .integer(run.id)])
      let figures = zip(all, row).compactMap { name, value in value.number.map { (name, $0) } }
      ran.append(
        SweepVerdict.Point(values: point.values, figures: Dictionary(figures) { first, _ in first }))
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
