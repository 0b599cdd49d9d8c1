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
  ///   - maximumRows: How many rows to fetch; the table says if there were more.
  /// - Returns: The columns and rows.
  /// - Throws: `ResultStoreError`: `invalidQuery` if SQLite does not like it, `notASelect` if it would write.
  public func query(_ sql: String, maximumRows: Int = .max) throws(ResultStoreError) -> ResultTable {
    do {
      return try database.unsafeRead { db in
        let statement = try db.makeStatement(sql: sql)
        // Statements without columns are those that write, and those that begin and end transactions.
        guard statement.columnCount > 0, unsafe sqlite3_stmt_readonly(statement.sqliteStatement) != 0 else {
          throw ResultStoreError.notASelect
        }
        guard unsafe sqlite3_bind_parameter_count(statement.sqliteStatement) == 0 else {
          throw ResultStoreError.invalidQuery(reason: "it has parameters, which have no values here")
        }
        var table = ResultTable(columns: statement.columnNames, rows: [])
        let rows = try Row.fetchCursor(statement)
        while let row = try rows.next() {
          guard table.rows.count < maximumRows else {
            table.isTruncated = true
            break
          }
          table.rows.append(row.databaseValues.map { RunValue($0) })
        }
        return table
      }
    } catch let error as DatabaseError where error.resultCode == .SQLITE_ERROR {
      throw .invalidQuery(reason: error.message ?? "\(error.resultCode)")
    } catch let error as DatabaseError where [.SQLITE_MISUSE, .SQLITE_READONLY].contains(error.resultCode) {
      // GRDB's answer to several statements, and SQLite's to a pragma that sets something.
      throw .notASelect
    } catch {
      throw ResultStoreError(error, path: path, busyTimeout: busyTimeout)
    }
  }
}
