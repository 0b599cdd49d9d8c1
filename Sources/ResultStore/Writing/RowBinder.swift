import GRDBSQLite

/// Binds values to the parameters of a prepared statement, from the first to the last.
///
/// Goes around GRDB's arguments, which box each value: five to ten times slower.
@safe struct RowBinder {
  private let statement: OpaquePointer
  private var position: Int32 = 0
  /// SQLite's answer to the first value that it did not take.
  private(set) var status: Int32 = SQLITE_OK

  init(_ statement: OpaquePointer) { unsafe self.statement = statement }

  mutating func bind(_ value: Int64) {
    position += 1
    note(unsafe sqlite3_bind_int64(statement, position, value))
  }

  mutating func bind(_ value: Int32) { bind(Int64(value)) }

  mutating func bind(_ value: Int) { bind(Int64(value)) }

  /// Binds a number; one that is not a number becomes null.
  mutating func bind(_ value: Double) {
    position += 1
    note(unsafe sqlite3_bind_double(statement, position, value))
  }

  /// Binds a number rounded to a whole one, which takes fewer bytes.
  mutating func bind(rounded value: Double) {
    if let whole = Int64(exactly: value.rounded()) { bind(whole) } else { bind(value) }
  }

  mutating func bind(_ value: String) {
    position += 1
    note(unsafe sqlite3_bind_text(statement, position, value, -1, Self.copied))
  }

  /// Leaves out the values of some columns.
  mutating func bindNulls(_ count: Int) {
    for _ in 0..<count {
      position += 1
      note(unsafe sqlite3_bind_null(statement, position))
    }
  }

  private mutating func note(_ result: Int32) {
    if result != SQLITE_OK && status == SQLITE_OK { status = result }
  }

  /// `SQLITE_TRANSIENT`: SQLite copies the text before the call returns.
  private static var copied: sqlite3_destructor_type {
    unsafe unsafeBitCast(-1, to: sqlite3_destructor_type.self)
  }
}
