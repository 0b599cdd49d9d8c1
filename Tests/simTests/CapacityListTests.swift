import ArgumentParser
import Foundation
import ResultStore
import Testing

@testable import sim

@Suite struct CapacityListTests {
  static let short = ["--seeds", "0", "--num-prompts", "300", "--tolerance", "0.3", "--json"]

  @Test func systemsAreLists() throws {
    let outcome = try Binary.run(
      ["capacity", "--tp", "1,2", "--hardware", "h100-sxm,h200-sxm", "--no-db"] + Self.short)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let rows = try #require(
      try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [[String: Any]])
    #expect(rows.map { $0["tensor_parallel_size"] as? Int } == [1, 2, 1, 2])
    #expect(
      rows.map { $0["hardware"] as? String } == ["h100-sxm", "h100-sxm", "h200-sxm", "h200-sxm"])
    let rates = rows.compactMap { $0["request_rate"] as? Double }
    #expect(rates.count == 4 && rates[1] > rates[0])
  }

  /// One system without memory is named, and the other searched.
  @Test func anImpossibleSystemStopsNoOther() throws {
    let outcome = try Binary.run(
      ["capacity", "--tp", "1,2", "--gpu-memory-utilization", "0.6", "--no-db"] + Self.short)
    #expect(outcome.status != 0)
    #expect(outcome.errors.contains("no memory is left"), "\(outcome.errors)")
    let rows = try #require(
      try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [[String: Any]])
    #expect(rows.map { $0["limited_by"] as? String }.first == "memory")
    #expect(rows.last?["request_rate"] is Double)
  }

  @Test func listsAreForSearches() throws {
    let outcome = try Binary.run(["--tp", "1,2", "--no-db"])
    #expect(outcome.status == 64 && outcome.errors.contains("lists are for sweep, capacity"))
  }

  /// A second search finds the runs of the first one, and a percentile that they lack is worked out anew.
  @Test func percentilesAreStoredAndFound() throws {
    try TestProject.withDatabase { database in
      let arguments =
        ["--policy", "chunked", "--slo", "p95_ttft:2s", "--db", database] + Self.short + TestProject.folders
      try CapacityCommand.parse(arguments).run()
      let reader = try ResultReader(path: database)
      let runs = try reader.runs().rows.count
      try CapacityCommand.parse(arguments).run()
      #expect(try reader.runs().rows.count == runs)
      let found = try reader.query("SELECT DISTINCT limited_by FROM capacities")
      #expect(found.rows == [["p95_ttft"]])
      func having(_ key: String) throws -> [[RunValue]] {
        try reader.query("SELECT count(json_extract(extra, '$.\(key)')), count(*) FROM runs").rows
      }
      #expect(try having("p95_ttft_ms") == [[.integer(Int64(runs)), .integer(Int64(runs))]])
      #expect(try having("p90_ttft_ms")[0][0] == 0)
      // The same objective but for its percentile: the runs of that search carry it, those of the first one do not.
      try CapacityCommand.parse(arguments.map { $0.replacing("p95", with: "p90") }).run()
      #expect(try having("p90_ttft_ms")[0][0] != 0)
      let twice = try reader.query("SELECT max(n) FROM (SELECT count(*) AS n FROM runs GROUP BY config_hash)")
      #expect(twice.rows == [[2]])
      #expect(try reader.query("SELECT DISTINCT limited_by FROM capacities").rows.contains([["p90_ttft"]]))
    }
  }
}
