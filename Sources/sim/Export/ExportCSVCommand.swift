import ArgumentParser
import Exports
import ResultStore
import Support

/// `sim export csv`: a table or view as it is.
struct ExportCSVCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "csv",
    abstract: "Write a table or view of a database as CSV, numbers with all their digits.",
    discussion: "Tables, views and their columns are described in Results/README.md.")

  @Option(
    help: ArgumentHelp("A table or view, such as requests, iterations or token_gaps.", valueName: "name"))
  var table = "requests"

  @Option(name: .customLong("run"), help: ArgumentHelp("The run. Default: all of them.", valueName: "id"))
  var runID: Int64?

  @OptionGroup var source: ExportSource

  func run() throws {
    let reader = try ResultReader(path: source.db)
    let names = try reader.query(
      "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite%' ORDER BY type, name"
    )
    let known = names.rows.compactMap { row in if case .text(let name) = row[0] { name } else { nil } }
    guard known.contains(table) else { throw ExportError.unknownTable(table, known: known) }
    let run = try runID.map { try reader.existingRun($0) }
    let file = try WholeFile(path: source.output)
    // A name that the schema has needs no quoting.
    try reader.read("SELECT * FROM \(table)" + (run == nil ? "" : " WHERE run_id = :run"), run: run) {
      columns in
      file.write(Self.line(columns.map { .text($0) }))
    } row: { row in
      file.write(Self.line(row))
      return file.failure == nil
    }
    try file.finish()
  }

  private static func line(_ values: [RunValue]) -> String {
    values.map(\.csv).joined(separator: ",") + "\n"
  }
}
