import Foundation
import ResultStore
import Testing

/// Every query that the documentation of the schema shows runs, and returns something.
struct ReadmeTests {
  @Test(arguments: try ReadmeTests.queries()) func queryRuns(sql: String) throws {
    let directory = try TemporaryDirectory()
    try SampleRun.write(to: directory.database, logLevel: .kernels)
    try SampleRun.write(to: directory.database, logLevel: .kernels)
    let table = try ResultReader(path: directory.database).query(sql)
    #expect(!table.rows.isEmpty)
  }

  @Test func everyTableAndColumnIsDescribed() throws {
    let text = try Self.readme()
    let directory = try TemporaryDirectory()
    _ = try RunWriter(path: directory.database)
    let names = try ResultReader(path: directory.database).query(
      """
      SELECT m.name FROM sqlite_master m WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite%'
      UNION SELECT c.name FROM sqlite_master m, pragma_table_xinfo(m.name) c
      WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%'
        -- Of numbered columns the first and the last are named.
        AND c.name NOT GLOB '*_[1-9]' AND c.name NOT GLOB '*_1[0-4]'
      """)
    for case .text(let name) in names.rows.map({ $0[0] }) {
      #expect(text.contains("`\(name)`"), "Results/README.md does not mention \(name)")
    }
  }

  private static func readme() throws -> String {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    return try String(contentsOf: root.appendingPathComponent("Results/README.md"), encoding: .utf8)
  }

  private static func queries() throws -> [String] {
    let parts = try readme().components(separatedBy: "```sql\n").dropFirst()
    return parts.compactMap { $0.components(separatedBy: "```").first }
  }
}
