import ArgumentParser
import Foundation
import ResultStore
import Testing

@testable import sim

@Suite struct ClusterCommandTests {
  static let short = ["--trace", "sharegpt", "--request-rate", "12", "--num-prompts", "60"]

  @Test func replicasAreReportedAndStored() throws {
    try TestProject.withDatabase { database in
      let outcome = try Binary.run(
        ["--replicas", "3", "--router", "least-loaded", "--db", database, "--json"] + Self.short)
      #expect(outcome.status == 0, "\(outcome.errors)")
      let run = try #require(
        try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
      let instances = try #require(run["instances"] as? [[String: Any]])
      #expect(instances.count == 3)
      #expect(instances.compactMap { $0["completed"] as? Int }.reduce(0, +) == 60)
      let reader = try ResultReader(path: database)
      let sums = try reader.query(
        """
        SELECT count(*), sum(completed), sum(total_input_tokens) = (SELECT total_input_tokens FROM runs),
          abs(sum(energy_j) / (SELECT energy_j - idle_energy_j FROM runs) - 1) < 1e-9, min(busy_s) > 0 FROM instances
        """)
      #expect(sums.rows == [[3, 60, 1, 1, 1]])
      let each = try reader.query(
        """
        SELECT i.completed = (SELECT count(*) FROM requests AS r WHERE r.instance = i.instance AND status = 'completed')
        FROM instances AS i
        """)
      #expect(each.rows == [[1], [1], [1]])
      #expect(
        try reader.query("SELECT config ->> '$.cluster.router.name' FROM runs").rows == [["least-loaded"]])
      // The run can be run again from what is stored.
      let again = try Binary.run(["--again", "1", "--db", database, "--json"])
      #expect(again.status == 0, "\(again.errors)")
      #expect(
        try reader.query("SELECT count(DISTINCT config_hash), count(DISTINCT mean_ttft_ms) FROM runs").rows
          == [[1, 1]])
    }
  }

  @Test func routersAreSwept() throws {
    try TestProject.withDatabase { database in
      let outcome = try Binary.run(
        [
          "sweep", "--db", database, "--replicas", "1,2", "--router", "random,kv[temperature=0.5],prefix",
        ] + Self.short)
      #expect(outcome.status == 0, "\(outcome.errors)")
      // A single replica has no router to tell apart.
      let runs = try ResultReader(path: database).query("SELECT count(*) FROM runs").rows
      #expect(runs == [[4]])
    }
  }

  @Test func twiceTheReplicasHoldMore() throws {
    let outcome = try Binary.run(
      [
        "capacity", "--policy", "chunked", "--trace", "sharegpt", "--seeds", "0", "--num-prompts", "60",
        "--tolerance", "0.2", "--no-db", "--json", "--replicas", "2", "--router", "power-of-two",
      ])
    #expect(outcome.status == 0, "\(outcome.errors)")
    let rows = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [[String: Any]]
    #expect(rows?.first?["request_rate"] as? Double ?? 0 > 5)
  }

  @Test(arguments: [
    (["--replicas", "0"], "--replicas 0: expected 1 to 10000"),
    (["--router", "nosuch"], "unknown router 'nosuch' (see 'sim list routers')"),
    (["--router", "kv[temp=1]"], "router 'kv' has no parameter 'temp'"),
    (["--replicas", "2", "--steps-csv", "/tmp/never.csv"], "--steps-csv"),
  ])
  func badInputIsRefused(arguments: [String], message: String) throws {
    let outcome = try Binary.run(arguments + ["--no-db"] + Self.short)
    #expect(outcome.status == 64 && outcome.errors.contains(message), "\(outcome.errors)")
  }

  @Test func routersAreListed() throws {
    let outcome = try Binary.run(["list", "routers"])
    for name in ["round-robin", "least-loaded", "power-of-two", "prefix", "kv", "  temperature"] {
      #expect(outcome.output.contains("\n\(name)") || outcome.output.hasPrefix(name), "\(name)")
    }
  }
}
