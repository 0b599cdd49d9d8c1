/// A query that people ask often enough for it to have a name.
///
/// It is plain SQL on the documented schema: to ask something a little different, start from ``sql``.
public struct NamedQuery: Sendable {
  /// What it is called: lower-case letters and hyphens.
  public let name: String
  /// What it tells, in one line.
  public let summary: String
  /// The statement; `:run` is the run that it is about.
  public let sql: String

  /// Whether it is about one run, rather than about all of a database.
  public var isAboutOneRun: Bool { sql.contains(":run") }

  /// The query of a name.
  public static func named(_ name: String) -> NamedQuery? { all.first { $0.name == name } }

  /// All of them, in the order in which they are listed.
  public static let all = acrossRuns + aboutARun
}
