import ArgumentParser
import Foundation
import ResultStore
import Testing

@testable import sim

@Suite struct CapacityCommandTests {
  static let arguments =
    ["--policy", "chunked,layered", "--seeds", "0:1", "--num-prompts", "300", "--tolerance", "0.1"]
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

  /// A burst has no capacity: none is named, and a limit on the wait is advised only where there is none.
  @Test(arguments: [("tbt:1000s", true), ("ttft:100s", false)]) func aBurstHasNone(
    limit: String, lacksLimit: Bool
  ) throws {
    let outcome = try Binary.run([
      "capacity", "--slo", limit, "--policy", "chunked", "--seeds", "0:1", "--num-prompts", "40", "--no-db",
      "--json",
    ])
    #expect(outcome.status == 0)
    #expect(outcome.errors.contains("this is a burst"), "\(outcome.errors)")
    #expect(outcome.errors.contains("or a limit on the wait") == lacksLimit, "\(outcome.errors)")
    let rows = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [[String: Any]]
    let row = try #require(rows?.first)
    #expect(row["limited_by"] as? String == "burst" && row["slo_attainment"] is Double)
    for name in ["request_rate", "request_rate_failing", "request_rate_low", "request_rate_high"] {
      #expect(row[name] is NSNull, "\(name)")
    }
  }

  @Test(arguments: [
    (["--arrivals", "trace"], "--arrivals trace: a search sets the rate"),
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
