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
      #expect(instances.count == 3 && run["router"] as? String == "least-loaded")
      #expect(instances.compactMap { $0["instance"] as? Int } == [0, 1, 2])
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
        "capacity", "--policy", "chunked", "--trace", "sharegpt", "--seeds", "0", "--num-prompts", "1000",
        "--tolerance", "0.2", "--no-db", "--json", "--replicas", "2", "--router", "power-of-two",
      ])
    #expect(outcome.status == 0, "\(outcome.errors)")
    let rows = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [[String: Any]]
    #expect(rows?.first?["request_rate"] as? Double ?? 0 > 5)
  }

  @Test func aLatencyOfMinutesIsTaken() throws {
    let outcome = try Binary.run(
      ["--disaggregation", "prefill=1,decode=1", "--kv-latency", "600e6", "--no-db"] + Self.short)
    #expect(outcome.status == 0, "\(outcome.errors)")
  }

  @Test(arguments: [
    (["--replicas", "0"], "--replicas 0: expected 1 to 10000"),
    (["--router", "nosuch"], "unknown router 'nosuch' (see 'sim list routers')"),
    (["--router", "kv[temp=1]"], "router 'kv' has no parameter 'temp'"),
    (["--router", "kv[delay=-1]"], "router parameter delay=-1: expected a number from 0 to "),
    (["--router", "random[delay=1]"], "router 'random' has no parameter 'delay'"),
    (
      ["--disaggregation", "prefill=2,decode=1", "--router", "least-loaded[delay=0.05]"],
      "--router least-loaded[delay=0.05]: expected no delay where prefill and decode are apart, so far"
    ),
    (["--replicas", "2", "--steps-csv", "/tmp/never.csv"], "--steps-csv"),
    (["--disaggregation", "prefill=2xTP2"], "--disaggregation prefill=2xTP2: expected both roles"),
    (["--disaggregation", "prefill=0,decode=1"], "expected both roles"),
    (["--disaggregation", "prefill=1,decode=1", "--replicas", "2"], "--replicas"),
    (["--kv-link", "ndr400"], "--kv-link: KV entries move with --disaggregation only"),
    (
      ["--disaggregation", "prefill=1,decode=1", "--kv-bandwidth=-3"],
      "--kv-bandwidth -3.0: expected more than 0"
    ),
    (
      ["--disaggregation", "prefill=1,decode=1", "--kv-latency", "1e9"],
      "--kv-latency 1000000000.0: expected 0 us or more, and less than 1000 s"
    ),
    (["--disaggregation", "prefill=1,decode=1", "--kv-link", "ndr40"], "--kv-link ndr40: expected 'ndr400'"),
    (
      ["--disaggregation", "prefill=1,decode=1", "--kv-transfer", "half"],
      "--kv-transfer half: expected whole, chunk"
    ),
    (["--disaggregation", "prefill=1xTP3,decode=1"], "3"),
    (["--disaggregation", "prefill=1xTP2QP2,decode=1"], "expected both roles"),
    (["--disaggregation", "prefill=1xTP2TP2,decode=1"], "expected both roles"),
    (["--disaggregation", "prefill=1xEP3,decode=1"], "expert parallelism"),
    (
      ["--disaggregation", "prefill=1,decode=1", "--first-token", "proxy"],
      "--first-token proxy: expected prefill, decode"
    ),
    (["--data-parallel-size", "0"], "--data-parallel-size 0: expected 1 to 1024 ranks"),
    (
      [
        "--data-parallel-size", "2", "--speculative-config",
        #"{"method": "ngram", "num_speculative_tokens": 2, "synthetic_acceptance_length": 2}"#,
      ], "--data-parallel-size, so far"
    ),
  ])
  func badInputIsRefused(arguments: [String], message: String) throws {
    let outcome = try Binary.run(arguments + ["--no-db"] + Self.short)
    #expect(outcome.status == 64 && outcome.errors.contains(message), "\(outcome.errors)")
  }

  private func figures(_ arguments: [String]) throws -> [String: Any] {
    let outcome = try Binary.run(arguments + ["--no-db", "--json"] + Self.short)
    #expect(outcome.status == 0, "\(outcome.errors)")
    return try #require(
      try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
  }

  /// Ranks are instances of a server: each has a row, and what they draw and find adds up to the run's.
  @Test func ranksAreReportedAndStored() throws {
    try TestProject.withDatabase { database in
      let outcome = try Binary.run(
        [
          "--tp", "1", "--data-parallel-size", "4", "--enable-expert-parallel", "--engine", "vllm", "--db",
          database, "--json",
        ] + Self.short)
      #expect(outcome.status == 0, "\(outcome.errors)")
      let reader = try ResultReader(path: database)
      let sums = try reader.query(
        """
        SELECT count(*), sum(completed), min(completed) > 10,
          abs(sum(energy_j) / (SELECT energy_j - idle_energy_j FROM runs) - 1) < 1e-9 FROM instances
        """)
      #expect(sums.rows == [[4, 60, 1, 1]])
      #expect(
        try reader.query("SELECT config ->> '$.cluster.pools[0].system.data_parallel_size' FROM runs").rows
          == [[4]])
      let again = try Binary.run(["--again", "1", "--db", database, "--json"])
      #expect(again.status == 0, "\(again.errors)")
      #expect(
        try reader.query("SELECT count(DISTINCT config_hash), count(DISTINCT mean_ttft_ms) FROM runs").rows
          == [[1, 1]])
    }
  }

  @Test func oneRankIsNoRanks() throws {
    for figure in ["mean_ttft_ms", "mean_tpot_ms", "energy_j", "expert_bytes"] {
      let one = try #require(try figures(["--data-parallel-size", "1"])[figure] as? Double)
      let none = try #require(try figures([])[figure] as? Double)
      #expect(one == none, "\(figure)")
    }
  }

  /// Ranks of a dense model have nothing in common: one that is alone at work serves as an instance does.
  @Test func ranksOfADenseModelAreCopies() throws {
    let alone = ["--model", "qwen3-8b", "--tp", "1", "--max-concurrency", "1"]
    let ranks = try figures(alone + ["--data-parallel-size", "2"])
    let one = try figures(alone)
    for figure in ["mean_ttft_ms", "mean_tpot_ms"] {
      let (first, second) = (ranks[figure] as? Double, one[figure] as? Double)
      #expect(first != nil && first == second, "\(figure)")
    }
  }

  @Test func poolsHaveLayoutsOfTheirOwn() throws {
    let outcome = try Binary.run(
      ["--disaggregation", "prefill=1xTP2EP2,decode=1xDP4EP4", "--dry-run"] + Self.short)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let run = try #require(
      try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
    let pools = try #require((run["cluster"] as? [String: Any])?["pools"] as? [[String: Any]])
    let degrees = pools.compactMap { $0["system"] as? [String: Any] }.map { system in
      ["tensor_parallel_size", "data_parallel_size", "expert_parallel_size"].map { system[$0] as? Int }
    }
    #expect(degrees == [[2, nil, 2], [1, 4, 4]])
    let run2 = try figures(["--disaggregation", "prefill=1xTP2EP2,decode=1xDP4EP4"])
    #expect(run2["completed"] as? Int == 60)
  }

  @Test func poolsAreReportedAndStored() throws {
    try TestProject.withDatabase { database in
      let outcome = try Binary.run(
        [
          "--disaggregation", "prefill=2xTP1,decode=1xTP2", "--kv-link", "eth25", "--model", "qwen3-8b",
          "--db",
          database, "--json",
        ] + Self.short)
      #expect(outcome.status == 0, "\(outcome.errors)")
      let run = try #require(
        try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
      #expect(run["completed"] as? Int == 60)
      let instances = run["instances"] as? [[String: Any]]
      #expect(instances?.compactMap { $0["role"] as? String } == ["prefill", "prefill", "decode"])
      let reader = try ResultReader(path: database)
      #expect(
        try reader.query("SELECT role, tensor_parallel_size FROM instances ORDER BY instance").rows == [
          ["prefill", 1], ["prefill", 1], ["decode", 2],
        ])
      // 36 layers of 8 heads of 128 in 16 bits, K and V: 147,456 bytes a token.
      let moved = try reader.query(
        """
        SELECT count(*) = sum(num_decode_tokens > 1), sum(bytes = 147456 * num_prefill_tokens) = count(*),
          min(ended_at - started_at >= bytes / 2.9e9) AND min(started_at >= ready_at),
          (SELECT extra ->> '$.kv_bytes_moved' FROM runs) = sum(bytes)
        FROM transfers JOIN requests USING (run_id, request_id)
        """)
      #expect(moved.rows == [[1, 1, 1, 1]])
      let again = try Binary.run(["--again", "1", "--db", database, "--json"])
      #expect(again.status == 0, "\(again.errors)")
      #expect(
        try reader.query("SELECT count(DISTINCT config_hash), count(DISTINCT mean_e2el_ms) FROM runs").rows
          == [[1, 1]])
    }
  }

  /// A law takes the place of kernels: prompts of 512 tokens take 75.2 ms each, alone.
  @Test func aLawSaysHowLongIterationsTake() throws {
    let outcome = try Binary.run([
      "--cost-model", "law[opt-13b-tp1]", "--engine", "ideal", "--tp", "2", "--policy", "chunked",
      "--input-len", "512",
      "--output-len", "2", "--request-rate", "0.01", "--num-prompts", "20", "--no-db", "--json",
    ])
    #expect(outcome.status == 0, "\(outcome.errors)")
    let run = try #require(
      try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
    let first = try #require(run["median_ttft_ms"] as? Double)
    #expect(abs(first - 75.2) < 0.05)
    for (law, message) in [
      ("law[nosuch]", "one of opt-13b-tp1"), ("law[a+b+c]", "law[prefill+decode]"), ("laws", "laws"),
    ] {
      let refused = try Binary.run(["--cost-model", law, "--no-db"] + Self.short)
      #expect(refused.status == 64 && refused.errors.contains(message), "\(refused.errors)")
    }
  }

  @Test func studiesAreListed() throws {
    let outcome = try Binary.run(["list", "studies"])
    #expect(outcome.output.contains("Scripts/studies/distserve") && outcome.output.contains("OSDI 2024"))
  }

  @Test func routersAreListed() throws {
    let outcome = try Binary.run(["list", "routers"])
    for name in ["round-robin", "least-loaded", "power-of-two", "prefix", "kv", "  temperature", "  delay"] {
      #expect(outcome.output.contains("\n\(name)") || outcome.output.hasPrefix(name), "\(name)")
    }
  }
}
