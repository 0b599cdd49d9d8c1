import Dispatch
import GRDB
import GRDBSQLite

/// Reads a results database, and cannot change it.
public struct ResultReader: Sendable {
  /// The database's path.
  public let path: String
  private let database: DatabaseQueue
  private let busyTimeout: Double

  /// Opens a database.
  ///
  /// - Parameters:
  ///   - path: The database's path.
  ///   - busyTimeout: How long to wait if the database is locked, in seconds; it hardly ever is for readers.
  /// - Throws: `ResultStoreError`, if there is no database of results.
  public init(path: String = RunWriter.defaultPath, busyTimeout: Double = 60) throws(ResultStoreError) {
    self.path = path
    self.busyTimeout = busyTimeout
    database = try ResultDatabase.openForReading(path: path, busyTimeout: busyTimeout)
  }

  /// All runs, the oldest first, with every column.
  ///
  /// - Throws: `ResultStoreError`.
  /// - Complexity: O(n) for n runs.
  public func runs() throws(ResultStoreError) -> ResultTable {
    try query("SELECT * FROM runs ORDER BY run_id")
  }

  /// Runs one SELECT statement.
  ///
  /// - Parameters:
  ///   - sql: The statement; a semicolon may end it.
  ///   - run: What `:run` stands for, if the statement has it.
  ///   - maximumRows: How many rows to fetch; the table says if there were more.
  ///   - timeLimit: When the statement is stopped, in seconds.
  /// - Returns: The columns and rows.
  /// - Throws: `ResultStoreError`: `invalidQuery` if SQLite does not like it, `notASelect` if it would write.
  public func query(
    _ sql: String, run: Int64? = nil, maximumRows: Int = .max, timeLimit: Double = .infinity
  ) throws(ResultStoreError) -> ResultTable {
    var table = ResultTable(columns: [], rows: [])
    try read(sql, run: run, timeLimit: timeLimit) {
      table.columns = $0
    } row: { row in
      guard table.rows.count < maximumRows else {
        table.isTruncated = true
        return false
      }
      table.rows.append(row)
      return true
    }
    return table
  }

  /// Runs one SELECT statement and hands out its rows one after another, in constant memory.
  ///
  /// - Parameters:
  ///   - sql: The statement; a semicolon may end it.
  ///   - run: What `:run` stands for, if the statement has it.
  ///   - timeLimit: When the statement is stopped, in seconds; a view of a received database may have no end.
  ///   - columns: Called once, before the first row, with the names of the columns.
  ///   - row: Called with each row; says whether to go on.
  /// - Throws: `ResultStoreError`; `tooLong` for a statement that was stopped.
  public func read(
    _ sql: String, run: Int64? = nil, timeLimit: Double = .infinity, columns: ([String]) -> Void = { _ in },
    row: ([RunValue]) -> Bool
  ) throws(ResultStoreError) {
    let clock = timeLimit < .infinity ? DispatchWorkItem { [weak database] in database?.interrupt() } : nil
    if let clock { DispatchQueue.global().asyncAfter(deadline: .now() + timeLimit, execute: clock) }
    defer { clock?.cancel() }
    do {
      try database.unsafeRead { db in
        let statement = try db.makeStatement(sql: sql)
        // Statements without columns are those that write, and those that begin and end transactions.
        guard statement.columnCount > 0, unsafe sqlite3_stmt_readonly(statement.sqliteStatement) != 0 else {
          throw ResultStoreError.notASelect
        }
        columns(statement.columnNames)
        let cursor = try Row.fetchCursor(statement, arguments: Self.arguments(of: statement, run: run))
        while let next = try cursor.next() {
          guard row(next.databaseValues.map { RunValue($0) }) else { break }
        }
      }
    } catch let error as DatabaseError where error.resultCode == .SQLITE_INTERRUPT {
      throw .tooLong(limit: timeLimit)
    } catch let error as DatabaseError where error.resultCode == .SQLITE_TOOBIG {
      throw .invalidQuery(reason: "a value is larger than 64 MiB")
    } catch let error as DatabaseError where error.resultCode == .SQLITE_ERROR {
      throw .invalidQuery(reason: (error.message ?? "\(error.resultCode)") + hint(on: error))
    } catch let error as DatabaseError where [.SQLITE_MISUSE, .SQLITE_READONLY].contains(error.resultCode) {
      // GRDB's answer to several statements, and SQLite's to a pragma that sets something.
      throw .notASelect
    } catch {
      throw ResultStoreError(error, path: path, busyTimeout: busyTimeout)
    }
  }

  /// The number of the run that was added last and asked for by itself: a probe of `capacity`, `tune` or `plan` only where
  /// there is no other.
  ///
  /// - Throws: `ResultStoreError.missingRun` if there is none.
  public func latestRun() throws(ResultStoreError) -> Int64 {
    let sql = """
      SELECT coalesce(max(CASE WHEN argv LIKE 'capacity%' OR argv LIKE 'tune%' OR argv LIKE 'plan%' THEN NULL ELSE run_id END),
        max(run_id)) FROM runs
      """
    guard case .integer(let run)? = try query(sql).rows.first?.first else {
      throw .missingRun(path: path, run: nil)
    }
    return run
  }

  /// The columns of a run's row in `runs`, and the members of its `extra`, by name.
  ///
  /// - Throws: `ResultStoreError.missingRun` if there is no such run.
  public func run(_ run: Int64) throws(ResultStoreError) -> [String: RunValue] {
    let table = try query("SELECT * FROM runs WHERE run_id = :run", run: run)
    guard let row = table.rows.first else { throw .missingRun(path: path, run: run) }
    var values = Dictionary(zip(table.columns, row)) { first, _ in first }
    let extra = try query(
      "SELECT key, atom FROM runs, json_each(coalesce(extra, '{}')) WHERE run_id = :run", run: run)
    for case .text(let key) in extra.rows.map({ $0[0] }) where values[key] == nil {
      values[key] = extra.rows.first { $0[0] == .text(key) }?[1]
    }
    return values
  }

  /// What to do about a table or a column that is not there because the database is of an older version; else nothing.
  private func hint(on error: DatabaseError) -> String {
    guard error.message?.hasPrefix("no such ") ?? false,
      let version = try? database.unsafeRead({ try Int.fetchOne($0, sql: "PRAGMA user_version") }),
      version < Schema.version
    else { return "" }
    return
      "; the database has version \(version) of \(Schema.version), and the next run that is logged to it brings it up to date"
  }

  /// The value of `:run`; no other parameter has one.
  private static func arguments(of statement: Statement, run: Int64?) throws -> StatementArguments {
    let handle = unsafe statement.sqliteStatement
    let count = unsafe sqlite3_bind_parameter_count(handle)
    guard count > 0 else { return [] }
    guard count == 1, unsafe sqlite3_bind_parameter_index(handle, ":run") == 1 else {
      throw ResultStoreError.invalidQuery(
        reason: "it has a parameter other than :run, which has no value here")
    }
    guard let run else {
      throw ResultStoreError.invalidQuery(reason: "it has the parameter :run; say which run it is about")
    }
    return ["run": run]
  }
}
