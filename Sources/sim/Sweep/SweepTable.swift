import Experiments
import ResultStore

/// The results of a sweep's points, from the database.
struct SweepTable {
  /// Columns of `runs` that are shown.
  static let columns = [
    "mean_ttft_ms", "p99_ttft_ms", "mean_itl_ms", "p99_itl_ms", "slo_attainment", "request_throughput",
    "energy_per_token_mj",
  ]

  let table: ResultTable
  /// Points whose run was cut with requests unfinished.
  let cut: [(point: SweepPoint, unfinished: Int)]

  /// Reads the points that are there.
  init(_ points: [SweepPoint], varying: [String], database: String, logLevel: LogLevel) throws {
    let known = try KnownRuns(database: database, logLevel: logLevel)
    let figures = try ResultReader(path: database).query(
      "SELECT run_id, \(Self.columns.joined(separator: ", ")) FROM runs")
    var byID: [RunValue: [RunValue]] = [:]
    for row in figures.rows { byID[row[0]] = Array(row.dropFirst()) }
    var table = ResultTable(columns: varying + Self.columns + ["unfinished", "run_id"], rows: [])
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
}
