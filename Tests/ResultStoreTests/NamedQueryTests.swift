import Foundation
import ResultStore
import Serving
import Support
import Testing

/// Every named query runs on a small database, and is described where people look.
struct NamedQueryTests {
  @Test(arguments: NamedQuery.all.map(\.name)) func queryRuns(name: String) throws {
    let query = try #require(NamedQuery.named(name))
    let directory = try TemporaryDirectory()
    let run = try SampleRun.write(to: directory.database, logLevel: .kernels)
    try SampleRun.write(to: directory.database, logLevel: .requests)
    try RunWriter(path: directory.database).append(capacity: [("policy", "layered"), ("request_rate", 2.5)])
    try RunWriter(path: directory.database).append(plans: [[("policy", "layered"), ("request_rate", 2.5)]])
    let reader = try ResultReader(path: directory.database)
    let table = try reader.query(query.sql, run: query.isAboutOneRun ? run : nil)
    // Nothing is wrong with what was written.
    #expect(table.rows.isEmpty == (name == "check"))
    #expect(Set(table.columns).count == table.columns.count)
  }

  @Test func everyNameIsDescribedOnce() throws {
    let names = NamedQuery.all.map(\.name)
    #expect(Set(names).count == names.count)
    #expect(names.allSatisfy { name in name.allSatisfy { $0.isLowercase || $0 == "-" } && name != "list" })
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let readme = try String(contentsOf: root.appendingPathComponent("Results/README.md"), encoding: .utf8)
    for query in NamedQuery.all {
      #expect(
        readme.contains("| `\(query.name)` | \(query.summary) |"), "Results/README.md lacks \(query.name)")
    }
  }

  @Test func sharesAddUp() throws {
    let directory = try TemporaryDirectory()
    let run = try SampleRun.write(to: directory.database)
    let reader = try ResultReader(path: directory.database)
    for name in ["kernels", "energy"] {
      let query = try #require(NamedQuery.named(name))
      let total = try reader.query("SELECT sum(share) FROM (\(query.sql))", run: run)
      guard case .real(let sum) = total.rows[0][0] else {
        Issue.record("\(name) has no shares")
        continue
      }
      #expect(abs(sum - 1) < 1e-12)
    }
  }

  @Test func theRunIsAParameter() throws {
    let directory = try TemporaryDirectory()
    let run = try SampleRun.write(to: directory.database)
    let reader = try ResultReader(path: directory.database)
    #expect(try reader.query("SELECT :run, :run + 1", run: run).rows == [[.integer(run), .integer(run + 1)]])
    #expect(try reader.query("SELECT 1", run: run).rows == [[1]])
    for sql in ["SELECT :run", "SELECT :other", "SELECT ?"] {
      let error = #expect(throws: ResultStoreError.self) { try reader.query(sql) }
      #expect(error?.exitStatus == .usage)
    }
  }

  @Test func rowsAreReadOneByOneUntilEnough() throws {
    let directory = try TemporaryDirectory()
    try SampleRun.write(to: directory.database)
    var columns: [String] = []
    var rows = 0
    try ResultReader(path: directory.database).read("SELECT iter FROM iterations") {
      columns = $0
    } row: { _ in
      rows += 1
      return rows < 3
    }
    #expect(columns == ["iter"])
    #expect(rows == 3)
  }

  @Test func aRunIsFoundByItsNumber() throws {
    let directory = try TemporaryDirectory()
    _ = try RunWriter(path: directory.database)
    let reader = try ResultReader(path: directory.database)
    #expect(throws: ResultStoreError.missingRun(path: directory.database, run: nil)) {
      try reader.latestRun()
    }
    let run = try SampleRun.write(to: directory.database)
    #expect(try reader.latestRun() == run)
    let values = try reader.run(run)
    #expect(values["policy"] == "layered[stages=16]")
    #expect(values["other"] == 1.5)
    #expect(throws: ResultStoreError.missingRun(path: directory.database, run: 9)) { try reader.run(9) }
  }
}
