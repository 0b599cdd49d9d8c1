import Foundation
import GRDB
import Testing

@testable import ResultStore

/// Databases that earlier versions left.
struct MigrationTests {
  private static let views = [
    "iterations", "token_times", "token_gaps", "request_itl", "latencies", "log_percentiles", "vllm_metrics",
    "vidur_requests", "vidur_batches",
  ]

  let directory: TemporaryDirectory
  let path: String

  /// A database of version 2 with two runs, the second of which has odd bytes.
  init() throws {
    directory = try TemporaryDirectory()
    path = directory.file("old.sqlite")
    try SampleRun.write(to: directory.database, logLevel: .kernels)
    try SampleRun.write(to: directory.database, logLevel: .kernels)
    let old = try DatabaseQueue(path: path)
    try old.writeWithoutTransaction { [directory] db in
      for step in Schema.migrations[..<2] { try db.execute(sql: step) }
      try db.execute(
        sql: "PRAGMA user_version = 2; PRAGMA application_id = \(Schema.applicationID); ATTACH ? AS new",
        arguments: [directory.database])
      for table in ["runs", "requests", "iterations", "spans", "kernels", "iteration_kernels"] {
        let columns = try String.fetchAll(
          db, sql: "SELECT name FROM main.pragma_table_xinfo(?) WHERE hidden = 0", arguments: [table])
        let renamed = columns.map { $0 == "replica" ? "instance" : $0 }
        try db.execute(
          sql: """
            INSERT INTO main.\(table) (\(columns.joined(separator: ", ")))
            SELECT \(renamed.joined(separator: ", ")) FROM new.\(table)
            """)
      }
      try db.execute(
        sql: """
          UPDATE iterations SET kv_bytes = 9e999, weight_bytes = 1e300, t_end = t_end + 0.1,
            t_start = nullif(t_start, 0) + 0.1, layer_begin = 3, layer_end = 7
          WHERE run_id = 2 AND iter > 0
          """)
    }
  }

  @Test func iterationsAndViewsStayAsTheyWere() throws {
    let before = try contents()
    #expect(before["iterations"]?.rows.count == 14)
    #expect(before["iterations"]?.rows[13][13] == .real(.infinity))

    #expect(try SampleRun.write(to: path) == 3)
    let reader = try ResultReader(path: path)
    #expect(try contents() == before)
    #expect(try reader.query("PRAGMA user_version").rows == [[.integer(Int64(Schema.version))]])
    #expect(try reader.query("PRAGMA integrity_check").rows == [["ok"]])
    #expect(
      try reader.query("SELECT run_id, count(*), max(steps) FROM iteration_strips GROUP BY 1").rows.map {
        $0[1]
      } == [
        7, 7, 2,
      ])
  }

  @Test func aMigratedDatabaseHasTheSchemaOfANewOne() throws {
    try SampleRun.write(to: path)
    let schema = "SELECT type, name, sql FROM sqlite_master ORDER BY type, name"
    #expect(
      try ResultReader(path: path).query(schema) == ResultReader(path: directory.database).query(schema))
  }

  @Test func runsOfEarlierVersionsCanBeForgotten() throws {
    try SampleRun.write(to: path)
    try DatabaseQueue(path: path).write { try $0.execute(sql: "DELETE FROM runs WHERE run_id = 1") }
    #expect(try ResultReader(path: path).query("SELECT DISTINCT run_id FROM iterations").rows == [[2], [3]])
  }

  /// Who asks for a column that came later is told when it comes.
  @Test func aColumnThatCameLaterIsExplained() throws {
    let query = "SELECT cached_tokens FROM requests"
    let error = #expect(throws: ResultStoreError.self) { try ResultReader(path: path).query(query) }
    #expect(
      error?.description.contains("no such column: cached_tokens; the database has version 2 of") ?? false,
      "\(error?.description ?? "")")
    try SampleRun.write(to: path)
    #expect(try ResultReader(path: path).query(query).rows.count > 0)
    let wrong = #expect(throws: ResultStoreError.self) {
      try ResultReader(path: path).query("SELECT x FROM runs")
    }
    #expect(wrong?.description.hasSuffix("no such column: x") ?? false)
  }

  /// Who only reads cannot bring a database up to date, and need not.
  @Test(arguments: NamedQuery.all.map(\.name)) func anOldDatabaseCanBeAskedAsItIs(name: String) throws {
    let query = try #require(NamedQuery.named(name))
    let run: Int64? = query.isAboutOneRun ? 1 : nil
    let table = try ResultReader(path: path).query(query.sql, run: run)
    // No capacity was searched for, nothing was planned, and no figure differs from its log.
    #expect(table.rows.isEmpty == ["capacities", "plans", "check"].contains(name))
    if run != nil {
      let new = try ResultReader(path: directory.database).query(query.sql, run: run)
      // Columns that were generated had whole numbers where they could be.
      #expect(table.formatted(as: .table) == new.formatted(as: .table))
    }
  }

  /// All rows of the views for the runs that were there from the start.
  private func contents() throws -> [String: ResultTable] {
    let reader = try ResultReader(path: path)
    return try Dictionary(
      uniqueKeysWithValues: Self.views.map { view in
        (view, try reader.query("SELECT * FROM \(view) WHERE run_id < 3 ORDER BY 1, 2, 3"))
      })
  }
}
