import ArgumentParser
import ResultStore
import Serving
import Support

/// `sim query`: asks a result database something, and cannot change it.
struct QueryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "query",
    abstract: "Ask a result database something: a named query, or any SELECT.",
    discussion: """
      The tables and views are described in Results/README.md. The database is opened read-only.

      Examples:
        sim query list
        sim query policies
        sim query latency --run 3 --format csv
        sim query "SELECT policy, avg(ttft_ms) FROM requests JOIN runs USING (run_id) GROUP BY policy"
      """)

  @Argument(
    help: ArgumentHelp("'list', the name of a query, or one SELECT statement.", valueName: "name|sql"))
  var query = "list"

  @Option(
    name: .customLong("run"),
    help: ArgumentHelp("The run that it is about, ':run' in SQL. Default: the latest.", valueName: "id"))
  var runID: Int64?

  @Option(help: ArgumentHelp("The SQLite database.", valueName: "file"))
  var db = RunWriter.defaultPath

  @Option(help: ArgumentHelp("When a query is stopped.", valueName: "seconds"))
  var timeLimit = 60.0

  @Option(help: "table (six digits), csv or json (all digits).")
  var format = ResultTable.Format.table

  func run() throws {
    if query == "list" {
      let rows = NamedQuery.all.map { named in
        [
          RunValue(named.name), RunValue(named.isAboutOneRun ? "one run" : "all runs"),
          RunValue(named.summary),
        ]
      }
      print(
        ResultTable(columns: ["name", "about", "tells"], rows: rows).formatted(as: format), terminator: "")
      return
    }
    guard timeLimit > 0 else {
      throw CommandLineError.badValue(
        option: "--time-limit", value: "\(timeLimit)", expected: "more than 0 seconds")
    }
    let sql = try statement()
    let reader = try ResultReader(path: db)
    // `:run` in a statement without --run means the latest one; a text that merely contains it loses nothing.
    let subject = sql.contains(":run") ? try reader.existingRun(runID) : nil
    if let subject { try warnOfDamage(subject, in: reader) }
    let table = try reader.query(sql, run: subject, timeLimit: timeLimit)
    print(table.formatted(as: format, width: Terminal.width), terminator: "")
  }

  /// The statement that was typed, or the one behind the name that was.
  private func statement() throws(CommandLineError) -> String {
    if let named = NamedQuery.named(query) { return named.sql }
    guard !query.contains(where: \.isWhitespace) else { return query }
    throw .unknownQuery(query, nearest: nearestName(to: query, among: NamedQuery.all.map(\.name)))
  }
}

extension ResultTable.Format: ExpressibleByArgument {}
