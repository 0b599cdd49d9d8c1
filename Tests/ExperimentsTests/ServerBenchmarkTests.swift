import Foundation
import Serving
import Support
import Testing

@testable import Experiments

/// Result files of vLLM, whole and broken.
struct ServerBenchmarkTests {
  private static let good = """
    {"model_id": "Qwen/Qwen3-30B-A3B", "request_throughput": 1.0, "input_lens": [10, 20, 30, 40],
    "output_lens": [3, 1, 0, 2], "ttfts": [0.5, 0.25, 0.0, 0.125], "itls": [[0.5, 1.0], [], [], [0.25]],
    "start_times": [1000.5, 1000.0, 1001.0, 1002.0], "errors": ["", "", "", "timeout"]}
    """

  @Test func requestsAreReadInOrderOfTheirStart() throws {
    let benchmark = try read(Self.good)
    #expect(benchmark.requests.map(\.promptTokens) == [20, 10])
    #expect(benchmark.requests.map(\.endToEnd) == [0.25, 2])
    #expect(benchmark.requests.map(\.perOutputToken) == [nil, 0.75])
    #expect(benchmark.failures == 2)
    let workload = Array(benchmark.workload(seed: 0))
    #expect(workload.map(\.arrival) == [0, 0.5])
    #expect(workload.map(\.outputTokens) == [1, 3])
  }

  @Test(arguments: [
    ("", "not valid JSON"), ("[1]", "not an object"), ("{\"a\": 1}", "not a result of vllm bench serve"),
    ("{\"request_throughput\": 1}", "--save-detailed"),
    (good.replacing("start_times", with: "x"), "'start_times'"),
    (good.replacing("[10, 20", with: "[0, 20"), "input_lens[0] is '0'"),
    (good.replacing("[10, 20,", with: "["), "output_lens is 4 entries long"),
    (good.replacing("[3, 1", with: "[3.5, 1"), "output_lens[0] is '3.5'"),
    (good.replacing("[0.5, 0.25", with: "[\"x\", 0.25"), "ttfts[0] is 'x'"),
    (good.replacing("[0.5, 1.0]", with: "[0.5, -1.0]"), "itls[0][1] is '-1.0'"),
    (good.replacing("[0.5, 1.0]", with: "7"), "itls[0] is '7'"),
    (good.replacing("[3, 1, 0, 2]", with: "[0, 0, 0, 2]"), "all 4 failed"),
    (good + "\n" + good, "not valid JSON"), (String(good.dropLast(9)), "not valid JSON"),
  ])
  func whatIsWrongIsNamedInALine(text: String, reason: String) throws {
    let error = #expect(throws: ServerBenchmarkError.self) { try read(text) }
    let line = error?.description ?? ""
    #expect(line.contains(reason) && line.hasPrefix("f.json: ") && !line.contains("\n"), "\(line)")
    #expect(error?.exitStatus == .dataError)
  }

  @Test func aFileThatIsNotThereIsNamed() {
    let error = #expect(throws: ServerBenchmarkError.self) { try ServerBenchmark(path: "no/such.json") }
    #expect(error?.exitStatus == .noInput)
  }

  private func read(_ text: String) throws -> ServerBenchmark {
    try ServerBenchmark(bytes: Array(text.utf8), file: "f.json")
  }
}
