extension ResultReader {
  /// The run of a number, which must exist; the latest if there is none.
  package func existingRun(_ run: Int64?) throws(ResultStoreError) -> Int64 {
    guard let run else { return try latestRun() }
    _ = try self.run(run)
    return run
  }
}
