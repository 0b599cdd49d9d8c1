import GRDB

extension RunWriter {
  /// Appends what a search for capacity found to the table `capacities`.
  ///
  /// - Parameter values: columns of the table, and what goes into them.
  /// - Returns: its number.
  /// - Throws: `ResultStoreError`.
  @discardableResult
  public func append(capacity values: [(String, RunValue)]) throws(ResultStoreError) -> Int64 {
    try append([values], to: "capacities")
  }

  /// Appends the systems of a plan to the table `plans`, all of them or none.
  ///
  /// - Parameter rows: for each system columns of the table, and what goes into them.
  /// - Returns: the number of the last.
  /// - Throws: `ResultStoreError`.
  @discardableResult
  public func append(plans rows: [[(String, RunValue)]]) throws(ResultStoreError) -> Int64 {
    try append(rows, to: "plans")
  }

  private func append(
    _ rows: [[(String, RunValue)]], to table: String
  ) throws(ResultStoreError) -> Int64 {
    do {
      return try database.write { db in
        for values in rows {
          try db.execute(
            sql: """
              INSERT INTO \(table) (\(values.map(\.0).joined(separator: ",")))
              VALUES (\(values.map { _ in "?" }.joined(separator: ",")))
              """,
            arguments: StatementArguments(values.map(\.1.databaseValue)))
        }
        return db.lastInsertedRowID
      }
    } catch {
      throw ResultStoreError(error, path: path, busyTimeout: busyTimeout)
    }
  }
}
