import ArgumentParser
import Foundation
import ResultStore
import Testing

@testable import sim

@Suite struct PipelineCommandTests {
  static let short = [
    "--model", "llama-3.1-8b", "--trace", "sharegpt", "--request-rate", "8", "--num-prompts", "60",
  ]

  @Test func pipelinesAreReportedStoredAndRunAgain() throws {
    try TestProject.withDatabase { database in
      let arguments = ["--tp", "1", "--pp", "4", "--pipeline-link", "ndr400", "--db", database] + Self.short
      let outcome = try Binary.run(arguments + ["--json"])
      #expect(outcome.status == 0, "\(outcome.errors)")
      let run = try #require(
        try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
      let bubble = try #require(run["pipeline_bubble"] as? Double)
      #expect(bubble > 0 && bubble < 1)
      let again = try Binary.run(["--again", "1", "--db", database, "--json"])
      #expect(again.status == 0, "\(again.errors)")
      let reader = try ResultReader(path: database)
      let rows = try reader.query(
        """
        SELECT count(DISTINCT config_hash), count(DISTINCT mean_itl_ms), min(extra ->> '$.pipeline_bubble') > 0,
          min(config ->> '$.cluster.pools[0].system.pipeline_parallel_size') FROM runs
        """)
      #expect(rows.rows == [[1, 1, 1, 4]])
      // The moments of tokens follow from spans and iterations, which overlap.
      let tokens = try reader.query(
        """
        SELECT count(*) = (SELECT sum(num_decode_tokens) FROM requests WHERE run_id = 1), count(DISTINCT request_id)
        FROM token_times WHERE run_id = 1
        """)
      #expect(tokens.rows == [[1, 60]])
      let report = try Binary.run(arguments)
      #expect(report.output.contains("Stages idle while a step is in flight:"))
      #expect(
        report.output.contains("Stages of 8, 8, 8, 8 layers, 4 steps in flight; link ndr400: estimate."))
    }
  }

  /// An instance that asks before every step gives the same, since it never repeats any.
  @Test func exactStepsAreTheSame() throws {
    let arguments = ["--tp", "1", "--pp", "2", "--no-db", "--json"] + Self.short
    func figures(_ more: [String]) throws -> [String: Double] {
      let outcome = try Binary.run(arguments + more)
      #expect(outcome.status == 0, "\(outcome.errors)")
      let run = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
      return (run ?? [:]).compactMapValues { $0 as? Double }.filter { $0.key != "wall_s" }
    }
    #expect(try figures([]) == figures(["--exact-steps"]))
  }

  @Test func planAndCapacityTakeStages() throws {
    let plan = try Binary.run(
      [
        "plan", "--request-rate", "12", "--trace", "sharegpt", "--model", "llama-3.1-8b", "--slo", "ttft:1s",
        "tpot:40ms", "--tp", "1", "--pp", "1,2", "--policy", "chunked", "--num-prompts", "150", "--seeds",
        "0", "--no-db", "--json",
      ])
    #expect(plan.status == 0, "\(plan.errors)")
    let plans = try #require(
      try JSONSerialization.jsonObject(with: Data(plan.output.utf8)) as? [[String: Any]])
    #expect(Set(plans.compactMap { $0["pp"] as? Int }) == [1, 2])
    for row in plans {
      guard let gpus = row["gpus"] as? Int, let replicas = row["replicas"] as? Int else { continue }
      #expect(gpus == replicas * (row["pp"] as? Int ?? 0))
    }
    let capacity = try Binary.run(
      [
        "capacity", "--trace", "sharegpt", "--model", "llama-3.1-8b", "--tp", "1", "--pp", "1,2", "--policy",
        "chunked", "--num-prompts", "60", "--seeds", "0", "--tolerance", "0.2", "--no-db", "--json",
      ])
    #expect(capacity.status == 0, "\(capacity.errors)")
    let rows = try #require(
      try JSONSerialization.jsonObject(with: Data(capacity.output.utf8)) as? [[String: Any]])
    #expect(rows.compactMap { $0["pipeline_parallel_size"] as? Int } == [1, 2])
  }

  @Test func poolsHaveStages() throws {
    let outcome = try Binary.run(
      ["--disaggregation", "prefill=2xTP1PP2,decode=1xTP2PP2", "--no-db", "--json"] + Self.short)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let run = try #require(
      try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
    #expect(run["completed"] as? Int == 60)
    #expect(run["pipeline_bubble"] as? Double ?? 0 > 0)
  }

  @Test(arguments: [
    (["--pp", "0"], "--pipeline-parallel-size 0: expected 1 to 1024 stages"),
    (["--pp", "two"], "--pipeline-parallel-size two: expected a whole number"),
    (["--pp", "1,2"], "lists are for sweep, capacity and plan"),
    (["--pp", "33"], "--pipeline-parallel-size 33: expected 2 to 32: llama-3.1-8b has 32 layers"),
    (["--pp", "2", "--pipeline-link", "ndr40"], "--pipeline-link ndr40: expected 'ndr400'"),
    (
      ["--pipeline-link", "ndr400"], "--pipeline-link ndr400: expected --pipeline-parallel-size of 2 or more"
    ),
    (
      ["--pp", "2", "--engine", "sglang"],
      "--pipeline-parallel-size 2: expected 1 with --policy sglang, so far"
    ),
    (["--pp", "2", "--engine", "trtllm"], "expected 1 with --policy trtllm, so far"),
    (["--pp", "2", "--cost-model", "law[opt-13b-tp1]"], "expected 1 with --cost-model law, so far"),
    (["--pp", "2", "--kv-policy", "arkv[budget=2048]"], "expected 1 with --kv-policy, so far"),
    (["--pp", "2", "--kv-tiers", "host-pcie5:64"], "expected 1 with --kv-tiers, so far"),
    (
      ["--pp", "2", "--prefill-sparsity", "uniprefill[kept=0.8,layers=7:27:4]"],
      "expected 1 with --prefill-sparsity, so far"
    ),
    (
      [
        "--pp", "2", "--speculative-config",
        #"{"method": "ngram", "num_speculative_tokens": 3, "synthetic_acceptance_length": 2.1}"#,
      ], "expected 1 with --speculative-config, so far"
    ),
    (
      ["--pp", "2", "--model", "deepseek-r1", "--dp", "2", "--hardware", "h200-sxm", "--tp", "8"],
      "expected 1 with --data-parallel-size and experts"
    ),
    (["--pp", "2", "--model", "mamba2-2.7b"], "layers that keep states are not cut into stages"),
    (["--disaggregation", "prefill=1xPP2PP2,decode=1"], "expected both roles"),
    (["--disaggregation", "prefill=1xPP64,decode=1"], "--pipeline-parallel-size 64: expected 2 to 32"),
  ])
  func badInputIsRefused(_ arguments: [String], message: String) throws {
    let model = arguments.contains("--model") ? [] : ["--model", "llama-3.1-8b", "--tp", "1"]
    let outcome = try Binary.run(arguments + model + ["--no-db", "--num-prompts", "5"])
    #expect(outcome.status != 0)
    #expect(outcome.errors.contains(message), "\(outcome.errors)")
    #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
  }
}
