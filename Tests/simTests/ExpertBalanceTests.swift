import Foundation
import TestSupport
import Testing

/// vLLM's `--enable-eplb` and `--eplb-config`.
@Suite struct ExpertBalanceTests {
  private static let system = [
    "--model", "deepseek-r1", "--hardware", "h200", "--engine", "vllm", "--tp", "1", "--data-parallel-size",
    "8",
    "--trace", "sharegpt", "--num-prompts", "60", "--request-rate", "inf", "--no-db", "--json",
  ]
  private static let shared = system + ["--enable-expert-parallel"]

  private func figure(_ name: String, _ arguments: [String]) throws -> Double {
    let outcome = try Binary.run(arguments)
    try #require(outcome.status == 0, "\(outcome.errors)")
    let object = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
    return try #require((object?[name] as? NSNumber)?.doubleValue)
  }

  /// Balanced ranks are quicker, and copies take the memory of KV blocks; among eight ranks there is nothing left for copies to gain.
  @Test func balancedRanksAreQuicker() throws {
    let runs = [
      Self.shared, Self.shared + ["--enable-eplb"],
      Self.shared + ["--enable-eplb", "--eplb-config", #"{"num_redundant_experts": 32}"#],
    ]
    let times = try runs.map { try figure("mean_ttft_ms", $0) }
    #expect(times[1] < 0.95 * times[0] && times[2] != times[1] && times[2] < times[0], "\(times)")
    let blocks = try runs.map { try figure("kv_blocks", $0) }
    #expect(blocks[0] == blocks[1] && blocks[2] < blocks[1], "\(blocks)")
  }

  @Test(arguments: [
    (system + ["--enable-eplb"], "--enable-expert-parallel"),
    (
      shared + ["--eplb-config", #"{"num_redundant_experts": 32}"#],
      "--enable-eplb (experts.balanced=true) beside it"
    ),
    (shared + ["--enable-eplb", "--eplb-config", #"{"num_redundant_experts": 3}"#], "a multiple of 8 ranks"),
    (shared + ["--enable-eplb", "--eplb-config", #"{"window_size": 3}"#], "num_redundant_experts"),
    (shared + ["--enable-eplb", "--eplb-config", "32"], "not a JSON object"),
  ])
  func whatCannotBeIsSaidInOneLine(arguments: [String], expected: String) throws {
    let outcome = try Binary.run(arguments)
    #expect(outcome.status != 0 && outcome.errors.contains(expected), "\(outcome.errors)")
    #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
  }
}
