import ArgumentParser
import ResultStore
import Testing

@testable import sim

@Suite struct TuneCommandTests {
  @Test func theBestOfEachPolicyIsPrintedAndStored() throws {
    let outcome = try Binary.run([
      "tune", "--policy", "chunked,layered[groups=tiers,stages=16]", "--slo", "tbt:20ms,60ms", "ttft:10s",
      "--num-prompts", "60", "--seeds", "0:2", "--tolerance", "0.1", "--no-db",
    ])
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.contains("tbt:20ms ttft:10s"))
    #expect(outcome.output.contains("layered[stages=16,cohort="))
    #expect(outcome.output.contains("3 seeds"))
    try TestProject.withDatabase { database in
      try TuneCommand.parse(
        [
          "--policy", "chunked", "--slo", "tbt:60ms", "ttft:10s", "--num-prompts", "300", "--seeds", "0,1",
          "--tolerance",
          "0.2", "--json", "--db", database,
        ] + TestProject.folders
      ).run()
      let rows = try ResultReader(path: database).query(
        "SELECT policy LIKE 'chunked[budget=%', seeds, request_rate > 0, limited_by FROM capacities")
      #expect(rows.rows.count == 1 && rows.rows[0].prefix(3) == [1, "0,1", 1])
    }
  }

  /// Forty requests that come within a moment say nothing of a rate.
  @Test(arguments: [("40", true), ("900", false)]) func aBurstIsCalledOne(count: String, isBurst: Bool) throws
  {
    let arguments = [
      "tune", "--policy", "layered[stages=16,cohort=8192,groups=tiers]", "--slo", "tbt:60ms", "ttft:10s",
      "--num-prompts", count, "--seeds", "0,1", "--tolerance", "0.2", "--no-db",
    ]
    let outcome = try Binary.run(arguments)
    #expect(outcome.status == 0)
    #expect(outcome.errors.contains("so that this is a burst") == isBurst, "\(outcome.errors)")
    #expect(!outcome.errors.contains("or a limit on the wait"), "\(outcome.errors)")
    #expect(outcome.output.contains("runs at these rates are bursts") == isBurst, "\(outcome.output)")
    let json = try Binary.run(arguments + ["--json"])
    #expect(json.output.contains("\"winner\": null") == isBurst, "\(json.output)")
  }

  @Test(arguments: [
    (["--policy", "chunked,chunked"], "the same policy is given twice"), (["--slo", "ttft"], "--slo ttft"),
    (["--arrivals", "all-at-once"], "--arrivals all-at-once: a search sets the rate"),
    (["--ramp-up-start-rps", "1"], "--ramp-up-start-rps: a search sets the rate"),
    (["--seed", "1"], "--seed"), (["--max-num-batched-tokens", "512"], "fix one as in chunked[budget=512]"),
    (["--long-prefill-token-threshold", "256"], "vllm[long=256]"), (["--percentile", "0"], "--percentile 0"),
    (["--percentile", "99", "--attainment", "0.9"], "--percentile"), (["--policy", "nosuch"], "nosuch"),
    (["--slo", "ttft:1s", "ttft:2s"], "ttft:1s limits the same latency already"),
  ])
  func badInputIsRefused(_ arguments: [String], message: String) throws {
    let command = try TuneCommand.parse(["--no-db"] + arguments + TestProject.folders)
    let complaint = try #require(TestProject.complaint(of: command))
    #expect(complaint.contains(message))
  }
}
