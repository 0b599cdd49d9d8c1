import ArgumentParser
import ResultStore
import Testing

@testable import sim

@Suite struct CapacityCommandTests {
  static let arguments =
    ["--policy", "chunked,layered", "--seeds", "0:1", "--num-prompts", "60", "--tolerance", "0.1"]
    + TestProject.folders

  @Test func capacitiesAreStored() throws {
    try TestProject.withDatabase { database in
      try CapacityCommand.parse(["--db", database, "--json"] + Self.arguments).run()
      let reader = try ResultReader(path: database)
      let found = try reader.query(
        "SELECT policy LIKE 'chunked%', seeds, request_rate > 0, limited_by IN ('ttft', 'tbt'), slo_attainment >= 0.9 FROM capacities"
      )
      #expect(found.rows == [[1, "0,1", 1, 1, 1], [0, "0,1", 1, 1, 1]])
      // A second search makes no run, and finds the same.
      let runs = try reader.runs().rows.count
      try CapacityCommand.parse(["--db", database, "--json"] + Self.arguments).run()
      #expect(try reader.runs().rows.count == runs)
      let rates = try reader.query(
        "SELECT count(DISTINCT request_rate), count(*) FROM capacities GROUP BY policy")
      #expect(rates.rows == [[1, 2], [1, 2]])
    }
  }

  @Test(arguments: [
    (["--seeds", "0,0"], "--seeds 0,0"), (["--seeds", "x"], "--seeds x"),
    (["--attainment", "2"], "--attainment 2"), (["--request-rate", "inf"], "--request-rate inf"),
    (["--seed", "3"], "--seeds"), (["--tolerance", "0"], "--tolerance 0"),
    (["--max-watts", "0"], "--max-watts 0"),
    (["--jobs", "0"], "--jobs 0"), (["--policy", "chunked,"], "policy"),
  ])
  func badInputIsRefused(_ arguments: [String], message: String) throws {
    let command = try CapacityCommand.parse(["--no-db"] + arguments + TestProject.folders)
    let complaint = try #require(TestProject.complaint(of: command))
    #expect(complaint.contains(message))
  }
}
