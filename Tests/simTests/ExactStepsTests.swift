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
    ["--trace", "sharegpt", "--policy", "layered", "--request-rate", "15", "--replicas", "3"],
    [
      "--trace", "sharegpt", "--policy", "vllm", "--engine", "vllm", "--request-rate", "15", "--replicas",
      "3",
      "--router", "power-of-two",
    ],
    [
      "--trace", "azure-conv", "--policy", "chunked", "--request-rate", "4", "--disaggregation",
      "prefill=1xTP2,decode=2xTP2",
    ],
    ["--trace", "sharegpt", "--policy", "chunked", "--request-rate", "8", "--data-parallel-size", "2"],
  ])
  func giveTheSameLog(arguments: [String]) throws {
    let folder = try TemporaryFolder()
    let common = arguments + ["--num-prompts", "150", "--json", "--db"]
    var summaries: [[Substring]] = []
    for (file, flags) in [("leaping", []), ("exact", ["--exact-steps"])] {
      let outcome = try Binary.run(common + [folder.file(file)] + flags)
      try #require(outcome.status == 0, "\(outcome.errors)")
      // When and how fast it ran is all that may differ.
      summaries.append(
        outcome.output.split(separator: ", ").filter {
          !$0.hasPrefix("{\"date\"") && !$0.hasPrefix("\"wall_s\"")
        })
    }
    let leaping = try ResultReader(path: folder.file("leaping"))
    let exact = try ResultReader(path: folder.file("exact"))
    for table in ["requests", "iterations", "spans", "kernels"] {
      let query = "SELECT * FROM \(table)"
      let (a, b) = (try leaping.query(query), try exact.query(query))
      #expect(!a.rows.isEmpty)
      // Instances report in another order where they leap.
      #expect(a.rows.map { "\($0)" }.sorted() == b.rows.map { "\($0)" }.sorted(), "\(table)")
    }
    #expect(summaries[0].contains { $0.hasPrefix("\"mean_itl_ms\"") })
    #expect(summaries[0] == summaries[1])
  }
}
