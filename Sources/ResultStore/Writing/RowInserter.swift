import GRDB
import GRDBSQLite

/// Inserts rows into one table, as fast as SQLite takes them.
///
/// Several rows share a statement, because starting and ending a statement costs as much as inserting a row.
///
/// They are inserted `OR FAIL`: by default SQLite keeps a journal of each such statement, to undo its first rows if
/// a later one fails, and that costs many times the writes. The caller rolls the whole transaction back
/// if anything fails.
struct RowInserter {
  private static let rowsPerStatement = 32

  private let single: Statement
  private let grouped: Statement

  /// Prepares to insert into columns of a table.
  init(_ db: Database, table: String, columns: [String]) throws {
    let row = "(" + columns.map { _ in "?" }.joined(separator: ",") + ")"
    func statement(rows: Int) throws -> Statement {
      try db.makeStatement(
        sql: """
          INSERT OR FAIL INTO \(table) (\(columns.joined(separator: ","))) VALUES
          \(Array(repeating: row, count: rows).joined(separator: ","))
          """)
    }
    single = try statement(rows: 1)
    grouped = try statement(rows: Self.rowsPerStatement)
  }

  /// Inserts rows 0..<`count`; `bind` is called for each in turn, and binds a value for each column.
  func insert(_ count: Int, bind: (Int, inout RowBinder) -> Void) throws {
    var next = 0
    while next < count {
      let rows = count - next < Self.rowsPerStatement ? 1 : Self.rowsPerStatement
      try run(rows == 1 ? single : grouped) { binder in
        for row in next..<next + rows { bind(row, &binder) }
      }
      next += rows
    }
  }

  private func run(_ statement: Statement, bind: (inout RowBinder) -> Void) throws {
    try withExtendedLifetime(statement) {
      let handle = unsafe statement.sqliteStatement
      var binder = unsafe RowBinder(handle)
      bind(&binder)
      var status = binder.status
      if status == SQLITE_OK {
        status = unsafe sqlite3_step(handle)
        if status == SQLITE_DONE { status = unsafe sqlite3_reset(handle) }
      }
      guard status == SQLITE_OK else {
        let message = unsafe String(cString: sqlite3_errmsg(sqlite3_db_handle(handle)))
        unsafe sqlite3_reset(handle)
        throw DatabaseError(resultCode: ResultCode(rawValue: status), message: message)
      }
    }
  }
}
