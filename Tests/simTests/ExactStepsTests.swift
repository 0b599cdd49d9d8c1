import ResultStore
import TestSupport
import Testing

/// Taking decode steps a stretch at a time, without asking the policy, changes nothing: every row of the log is the same to the last bit.
@Suite struct ExactStepsTests {
  @Test(arguments: [
    ["--trace", "arxiv", "--policy", "layered", "--request-rate", "1.5"],
    ["--trace", "arxiv", "--policy", "chunked", "--request-rate", "2", "--engine", "paper"],
    ["--trace", "sharegpt", "--policy", "orca", "--request-rate", "6", "--max-num-seqs", "16"],
    ["--trace", "sharegpt", "--policy", "static", "--request-rate", "6"],
    [
      "--trace", "sharegpt", "--policy", "hybrid", "--request-rate", "20", "--gpu-memory-utilization", "0.41",
    ],
    ["--trace", "azure-conv", "--policy", "layered", "--model", "gpt-oss-20b", "--max-concurrency", "20"],
    ["--trace", "sharegpt", "--policy", "layered", "--request-rate", "5", "--draw-routing"],
    ["--trace", "sharegpt", "--policy", "layered", "--model", "llama-3.1-8b", "--request-rate", "8"],
    ["--trace", "arxiv", "--policy", "chunked", "--request-rate", "inf", "--max-concurrency", "4"],
    ["--trace", "arxiv", "--policy", "layered", "--request-rate", "0.5", "--max-duration", "100"],
  ])
  func giveTheSameLog(arguments: [String]) throws {
    let folder = try TemporaryFolder()
    let common = arguments + ["--num-prompts", "150", "--json", "--db"]
    for (file, flags) in [("leaping", []), ("exact", ["--exact-steps"])] {
      let outcome = try Binary.run(common + [folder.file(file)] + flags)
      try #require(outcome.status == 0, "\(outcome.errors)")
    }
    let leaping = try ResultReader(path: folder.file("leaping"))
    let exact = try ResultReader(path: folder.file("exact"))
    for table in ["requests", "iterations", "spans", "kernels"] {
      let query = "SELECT * FROM \(table)"
      let (a, b) = (try leaping.query(query), try exact.query(query))
      #expect(!a.rows.isEmpty)
      #expect(a == b, "\(table)")
    }
    let columns =
      "config_hash, mean_ttft_ms, p99_itl_ms, energy_j, idle_energy_j, expert_bytes, mean_in_system"
    let (a, b) = (
      try leaping.query("SELECT \(columns) FROM runs"), try exact.query("SELECT \(columns) FROM runs")
    )
    #expect(a == b)
  }
}
