import Experiments
import ResultStore

/// The results of a sweep's points, from the database.
struct SweepTable {
  /// Figures that are shown.
  static let figures: [RunFigure] = [
    .meanTimeToFirstToken, .p99TimeToFirstToken, .meanInterTokenLatency, .p99InterTokenLatency, .attainment,
    .requestThroughput, .energyPerToken,
  ]

  private(set) var table: ResultTable
  /// Points whose run was cut with requests unfinished.
  let cut: [(point: SweepPoint, unfinished: Int)]

  /// Reads the points that are there.
  init(_ points: [SweepPoint], varying: [String], database: String, logLevel: LogLevel) throws {
    let known = try KnownRuns(database: database, logLevel: logLevel)
    let columns = Self.figures.map(\.name)
    let figures = try ResultReader(path: database).query(
      "SELECT run_id, \(columns.joined(separator: ", ")) FROM runs")
    var byID: [RunValue: [RunValue]] = [:]
    for row in figures.rows { byID[row[0]] = Array(row.dropFirst()) }
    var table = ResultTable(columns: varying + columns + [RunFigure.unfinished.name, "run_id"], rows: [])
    var cut: [(point: SweepPoint, unfinished: Int)] = []
    for point in points {
      guard let run = known[point.hash], let row = byID[.integer(run.id)] else { continue }
      let unfinished = run.figures.unfinished
      let values = point.values.map { text in Double(text).map { RunValue($0) } ?? .text(text) }
      table.rows.append(values + row + [RunValue(unfinished), .integer(run.id)])
      if unfinished > 0 { cut.append((point, unfinished)) }
    }
    self.table = table
    self.cut = cut
  }

  /// Adds rows of points that could not run, which have no figures.
  mutating func add(impossible: [[String]]) {
    for values in impossible {
      let cells = values.map { text in Double(text).map { RunValue($0) } ?? RunValue.text(text) }
      table.rows.append(cells + Array(repeating: .null, count: table.columns.count - cells.count))
    }
  }
}
