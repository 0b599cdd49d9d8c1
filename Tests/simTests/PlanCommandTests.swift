import ArgumentParser
import Foundation
import ResultStore
import Testing

@testable import sim

@Suite struct PlanCommandTests {
  /// A run of 30 s ends before the queues of too few replicas grow: those count only if one by one they hold the rate.
  @Test func aShortRunDoesNotSaveReplicas() throws {
    let outcome = try Binary.run([
      "plan", "--request-rate", "100", "--trace", "sharegpt", "--slo", "tbt:60ms", "ttft:1s", "--model",
      "llama-3.1-8b",
      "--tp", "1", "--num-prompts", "3000", "--policy", "chunked[budget=1024]", "--seeds", "0:0", "--no-db",
      "--json",
    ])
    try #require(outcome.status == 0, "\(outcome.errors)")
    let rows = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [[String: Any]]
    let row = try #require(rows?.first)
    let (replicas, capacity) = (row["replicas"] as? NSNumber, row["capacity"] as? NSNumber)
    #expect(try #require(replicas).doubleValue * #require(capacity).doubleValue >= 100, "\(row)")
  }

  /// At a limit that a few requests never reach, runs are bursts: no capacity is named, and no head-room.
  @Test func aBurstIsNoCapacity() throws {
    let arguments = [
      "plan", "--request-rate", "1", "--trace", "sharegpt", "--slo", "ttft:100s", "--num-prompts", "40",
      "--policy", "chunked", "--seeds", "0:0", "--no-db",
    ]
    let outcome = try Binary.run(arguments + ["--json"])
    try #require(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.errors.contains("this is a burst"), "\(outcome.errors)")
    let rows = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [[String: Any]]
    let row = try #require(rows?.first)
    #expect(row["replicas"] as? Int == 1 && row["limited_by"] as? String == "burst")
    #expect(row["capacity"] is NSNull && row["headroom"] is NSNull)
    #expect(try Binary.run(arguments).output.contains("No plan can be called the best"))
  }

  @Test func plansAreSortedByPrice() throws {
    let outcome = try Binary.run([
      "plan", "--request-rate", "12", "--trace", "sharegpt", "--slo", "ttft:1s", "tpot:30ms", "--percentile",
      "95",
      "--tp", "1,2", "--policy", "chunked,layered", "--num-prompts", "150", "--seeds", "0,1", "--gpu-price",
      "2.5",
      "--gpu-memory-utilization", "0.6", "--no-db", "--json",
    ])
    #expect(outcome.status == 0, "\(outcome.errors)")
    let rows = try #require(
      try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [[String: Any]])
    #expect(rows.count == 4)
    let gpus = rows.compactMap { $0["gpus"] as? Int }
    #expect(gpus == gpus.sorted() && gpus.count == 2)
    // On one GPU the model does not fit: named last.
    #expect(rows.suffix(2).allSatisfy { $0["limited_by"] as? String == "memory" })
    #expect(rows[0]["cost_per_hour"] as? Double == Double(gpus[0]) * 2.5)
  }

  /// Every line is stored, also what does not fit, with the experiment that it is of.
  @Test func plansAreStored() throws {
    try TestProject.withDatabase { database in
      let outcome = try Binary.run([
        "plan", "--request-rate", "12", "--trace", "sharegpt", "--slo", "ttft:1s", "tpot:30ms", "--tp", "1,2",
        "--policy", "chunked", "--num-prompts", "150", "--seeds", "0,1", "--gpu-price", "2.5",
        "--gpu-memory-utilization", "0.6", "--db", database,
      ])
      #expect(outcome.status == 0, "\(outcome.errors)")
      let reader = try ResultReader(path: database)
      let rows = try reader.query(
        """
        SELECT tensor_parallel_size, request_rate, instances > 0, gpus = 2 * instances, cost_per_hour = 2.5 * gpus,
          limited_by = 'memory', policy LIKE 'chunked%', seeds, json_extract(config, '$.objective.tpot_s'),
          json_extract(config, '$.workload.trace')
        FROM plans ORDER BY plan_id
        """
      ).rows
      #expect(rows.count == 2)
      #expect(rows[0].prefix(8) == [1, 12.0, .null, .null, .null, 1, 1, "0,1"])
      #expect(rows[1] == [2, 12.0, 1, 1, 1, 0, 1, "0,1", 0.03, "sharegpt"])
      let listed = try reader.query(try #require(NamedQuery.named("plans")).sql)
      #expect(listed.rows.count == 2 && listed.columns.contains("cost_per_million_tokens"))
      // Runs are not kept.
      #expect(try reader.query("SELECT count(*) FROM runs").rows == [[0]])
    }
  }

  @Test(arguments: [
    ([], "--request-rate"), (["--request-rate", "inf"], "--request-rate inf"),
    (["--request-rate", "1", "--gpu-price", "dear"], "--gpu-price dear"),
    (["--request-rate", "1", "--gpu-price", "h100-sxn:2"], "for no other: h100-sxm"),
    (["--request-rate", "1", "--gpu-price", "h100-sxm:2,h100-sxm:3"], "one price for a GPU"),
    (
      ["--request-rate", "1", "--hardware", "h100-sxm,h200-sxm", "--gpu-price", "h100-sxm:2"],
      "a price for each GPU of --hardware"
    ),
    (["--request-rate", "1", "--seed", "4"], "--seed"),
    (["--request-rate", "1", "--slo", "tbt:1,2"], "--slo"),
  ])
  func badInputIsRefused(_ arguments: [String], message: String) throws {
    let command = try PlanCommand.parse(["--no-db"] + arguments + TestProject.folders)
    let complaint = try #require(TestProject.complaint(of: command))
    #expect(complaint.contains(message))
  }
}
