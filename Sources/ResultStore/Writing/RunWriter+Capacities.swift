import GRDB

extension RunWriter {
  /// Appends what a search for capacity found to the table `capacities`.
  ///
  /// - Parameter values: columns of the table, and what goes into them.
  /// - Returns: its number.
  /// - Throws: `ResultStoreError`.
  @discardableResult
  public func append(capacity values: [(String, RunValue)]) throws(ResultStoreError) -> Int64 {
    do {
      return try database.write { db in
        try db.execute(
          sql: """
            INSERT INTO capacities (\(values.map(\.0).joined(separator: ",")))
            VALUES (\(values.map { _ in "?" }.joined(separator: ",")))
            """,
          arguments: StatementArguments(values.map(\.1.databaseValue)))
        return db.lastInsertedRowID
      }
    } catch {
      throw ResultStoreError(error, path: path, busyTimeout: busyTimeout)
    }
  }
}
