/// The shape of a results database, and its history.
package enum Schema {
  /// Marks a database as ours: "LSIM", in `PRAGMA application_id`.
  static let applicationID: Int32 = 0x4c53_494d

  /// The triggers that it has.
  static let triggers = ["forget_run", "forget_transfers"]

  /// Step i takes a database from `user_version` i to i + 1.
  ///
  /// Steps that have been released never change.
  static let migrations: [String] = [
    tables1 + views1, tables2, tables3 + views3, tables4 + views4, tables5, tables6, tables7 + views7,
    tables8,
  ]

  /// What queries of today find missing in a database of an older version, as views that last as long as a
  /// connection: a reader cannot bring it up to date.
  static func standIns(forVersion version: Int) -> String {
    (version < 4 ? temporaryViews(version: version) : "")
      + (version < 7 ? "CREATE TEMP VIEW log_percentiles AS SELECT * FROM main.percentiles;" : "")
      + (version < 8 ? noPlans : "")
  }

  /// The newest version, which is the one that this program writes.
  package static var version: Int { migrations.count }
}
