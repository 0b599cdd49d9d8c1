import CostModels
import Foundation
import ResultStore
import Systems
import TestSupport
import Testing

@testable import sim

/// The simulator against what was published of layered prefill (arXiv 2510.08055).
///
/// Figures come from `Results/published`; margins are those of reading a figure, plus what the models are known to
/// be off by.
@Suite struct ReproductionTests {
  /// One prompt of 8,192 tokens in chunks: expert load, and run time under the engine preset that was fitted to it.
  @Test func chunkSizesCostWhatWasPublished() throws {
    let folder = try TemporaryFolder()
    let prompt = try folder.file(
      "prompt.csv", "arrived_at,num_prefill_tokens,num_decode_tokens\n0.0,8192,1\n")
    let rows = try published("chunk_size")
    #expect(rows.count == 5)
    for row in rows {
      let chunk = try #require(row["chunk"])
      let run = try simulate(["--trace", prompt, "--policy", "chunked[budget=\(chunk)]", "--engine", "paper"])
      let load = try #require(run["expert_bytes"]) / 1e9
      let milliseconds = try #require(run["duration"]) * 1000
      let publishedLoad = try #require(row["expert_load_gb"].flatMap(Double.init))
      let publishedTime = try #require(row["total_ms"].flatMap(Double.init))
      #expect(abs(load / publishedLoad - 1) < 0.04, "chunk \(chunk): \(load) GB, published \(publishedLoad)")
      #expect(
        abs(milliseconds / publishedTime - 1) < 0.05,
        "chunk \(chunk): \(milliseconds) ms, published \(publishedTime)")
    }
  }

  /// Layered prefill moves about 39 % less expert weights on arXiv, and about 12 % less on ShareGPT.
  @Test(
    arguments: [("arxiv", "1.3", 0.34...0.48), ("sharegpt", "4.0", 0.03...0.16)], ["nano-vllm", "paper"])
  func layeredCutsExpertTraffic(set: (trace: String, rate: String, cut: ClosedRange<Double>), engine: String)
    throws
  {
    let traffic = ["--trace", set.trace, "--request-rate", set.rate, "--engine", engine]
    let chunked = try #require(simulate(traffic + ["--policy", "chunked[budget=512]"])["expert_bytes"])
    let layered = try #require(simulate(traffic + ["--policy", "layered"])["expert_bytes"])
    let cut = 1 - layered / chunked
    #expect(set.cut.contains(cut), "\(set.trace): \(cut)")
  }

  /// Chunked prefill sustains 1.4 arXiv requests a second at 90 % attainment, and layered prefill more.
  @Test func theKneeOfChunkedPrefillIsWhereItWas() throws {
    func attainment(_ policy: String, _ rate: String) throws -> Double {
      let traffic = ["--trace", "arxiv", "--engine", "paper", "--slo", "ttft:10000", "tbt:125"]
      return try #require(simulate(traffic + ["--policy", policy, "--request-rate", rate])["slo_attainment"])
    }
    let below = try attainment("chunked", "1.25")
    let above = try attainment("chunked", "1.55")
    let layered = try attainment("layered", "1.55")
    #expect(below >= 0.9)
    #expect(above < 0.9)
    #expect(layered >= 0.9)
  }

  /// Distinct experts of a decode batch, in percent of 128: within 5 points of second-hand figures.
  @Test(arguments: [(32, 55.0), (64, 70.0), (128, 86.3)])
  func decodeBatchesTouchAsManyExperts(batch: Int, percent: Double) throws {
    let profiles = ProfileFolder(Binary.root.appending(path: "Profiles"))
    let routing = try ExpertRouting(for: profiles.model("qwen3-30b-a3b"))
    let simulated = 100 * routing.distinct(layers: 0..<1, decodes: batch) / 128
    #expect(abs(simulated - percent) < 5, "\(simulated)")
  }

  /// A prompt alone takes the time of its kernels and of the host's preparation, and nothing else: closed form.
  @Test(arguments: [("orca", 1.0, 0.0), ("layered", 16.0, 0.23 + 0.2e-3 * 8192)])
  func onePromptAloneTakesItsKernelsAndTheHost(policy: String, iterations: Double, partialDepth: Double)
    throws
  {
    let folder = try TemporaryFolder()
    let trace = try folder.file("prompt.csv", "arrived_at,num_prefill_tokens,num_decode_tokens\n0.0,8192,1\n")
    let outcome = try Binary.run([
      "--trace", trace, "--policy", policy, "--json", "--db", folder.file("runs"),
    ])
    try #require(outcome.status == 0, "\(outcome.errors)")
    let reader = try ResultReader(path: folder.file("runs"))
    let table = try reader.query(
      """
      SELECT duration, mean_ttft_ms / 1e3, (SELECT sum(kernel_s) FROM kernels), iterations,
        (SELECT sum(experts_touched) FROM iterations), expert_bytes FROM runs
      """)
    let row = table.rows[0].compactMap(\.number)
    try #require(row.count == 6)
    #expect(row[3] == iterations)
    #expect(abs(row[0] - row[1]) < 1e-12)
    #expect(abs(row[0] - row[2] - iterations * (1.0 + partialDepth) / 1000) < 1e-9, "\(row)")
    // Each expert is read once by layered and whole-prompt prefill alike: 3 matrices of 2,048 x 768 at 2 bytes.
    #expect(abs(row[4] * 3 * 2048 * 768 * 2 / row[5] - 1) < 1e-12)
  }

  /// The same seed gives every policy the same traffic, and the same policy the same result to the last bit.
  @Test func runsRepeatExactly() throws {
    let arguments = [
      "--trace", "sharegpt", "--request-rate", "5", "--num-prompts", "500", "--policy", "layered",
    ]
    var first = try simulate(arguments)
    var second = try simulate(arguments)
    let other = try simulate(arguments.dropLast() + ["orca"])
    first["wall_s"] = nil
    second["wall_s"] = nil
    #expect(first == second)
    #expect(other["total_input_tokens"] == first["total_input_tokens"])
    #expect(other["total_output_tokens"] == first["total_output_tokens"])
  }

  /// The numbers that `--json` prints.
  private func simulate(_ arguments: [String]) throws -> [String: Double] {
    let outcome = try Binary.run(arguments + ["--json", "--no-db"])
    try #require(outcome.status == 0, "\(outcome.errors)")
    let object = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
    let fields = try #require(object as? [String: Any])
    return fields.compactMapValues { $0 as? Double }
  }

  private func published(_ name: String) throws -> [[String: String]] {
    let file = Binary.root.appending(path: "Results/published/\(name).csv")
    let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").filter {
      !$0.hasPrefix("#")
    }
    let columns = lines[0].split(separator: ",").map(String.init)
    return lines.dropFirst().map { line in
      let fields = line.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      return Dictionary(uniqueKeysWithValues: zip(columns, fields))
    }
  }
}
