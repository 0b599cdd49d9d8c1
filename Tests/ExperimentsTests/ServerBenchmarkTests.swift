import Foundation
import Serving
import Support
import Testing
import Workloads

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
    (good.replacing("[0.5, 1.0]", with: "[0.5, 1e308]"), "request 1 is longer than 1000000000.0 s"),
    (good.replacing("[0.5, 1.0]", with: "7"), "itls[0] is '7'"),
    (good.replacing("[3, 1, 0, 2]", with: "[0, 0, 0, 2]"), "all 4 failed"),
    (good.replacing("\n", with: " ") + "\n" + good.replacing("\n", with: " "), "one result a line"),
    (String(good.dropLast(9)), "not valid JSON"),
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

  // MARK: - Other tools

  /// SGLang marks failures by `successes`, and saves no start times: arrivals are drawn at its rate.
  @Test func sglangsResultsAreRead() throws {
    let benchmark = try read(
      """
      {"backend": "sglang", "request_rate": 2.0, "burstiness": 0.5, "max_concurrency": 7, "mean_e2e_latency_ms": 1.0,
      "input_lens": [10, 20], "output_lens": [3, 2], "ttfts": [0.5, 0.25], "itls": [[0.5, 1.0], [1.0]],
      "errors": ["", ""], "successes": [true, false]}
      """)
    #expect(benchmark.tool == .sglang && benchmark.failures == 1)
    #expect(benchmark.requests.map(\.start) == [nil])
    #expect(benchmark.arrivals == .gamma(rate: 2, burstiness: 0.5) && benchmark.limits.maxConcurrency == 7)
    #expect(
      ReplayComparison([pair(benchmark.requests[0])]).errors(draws: 10, seed: 0).allSatisfy {
        $0.unit == "ms"
      })
  }

  /// vLLM's benchmark writes the rate of a burst as a word, others as a number that JSON does not have.
  @Test(arguments: ["\"inf\"", "Infinity"]) func anInfiniteRateIsABurst(rate: String) throws {
    let benchmark = try read(
      "{\"backend\": \"sglang\", \"request_rate\": \(rate), \"mean_e2e_latency_ms\": 1.0, "
        + "\"input_lens\": [10, 20], \"output_lens\": [3, 2], \"ttfts\": [0.5, 0.25], "
        + "\"itls\": [[0.5, 1.0], [1.0]], \"errors\": [\"\", \"\"]}")
    #expect(benchmark.arrivals == .allAtOnce)
  }

  /// Of 47 tokens after the first ones 16 chunks came: their gaps are not those between tokens.
  @Test func chunksOfSeveralTokensAreNoInterTokenLatencies() throws {
    let bundled = try read(Self.good.replacing("[3, 1, 0, 2]", with: "[48, 1, 0, 2]"))
    #expect(!bundled.chunksAreTokens)
    #expect(try read(Self.good).chunksAreTokens)
    let rows = ReplayComparison([pair(bundled.requests[1])], comparesGaps: false).errors(draws: 10, seed: 0)
    #expect(!rows.contains { $0.metric == "itl" } && rows.contains { $0.metric == "tpot" })
  }

  @Test func aiperfsRecordsAreRead() throws {
    let record = """
      {"metadata": {"request_start_ns": 2500000000, "benchmark_phase": "profiling", "was_cancelled": false}, "metrics": \
      {"input_sequence_length": {"value": 10, "unit": "tokens"}, "output_sequence_length": {"value": 3, "unit": "tokens"}, \
      "time_to_first_token": {"value": 500.0, "unit": "ms"}, "request_latency": {"value": 2.0, "unit": "s"}, \
      "inter_chunk_latency": {"value": [500.0, 1000.0], "unit": "ms"}}, "error": null}
      """
    let benchmark = try read(
      [
        record, record.replacing("2500000000", with: "1500000000"),
        record.replacing("profiling", with: "warmup"),
        record.replacing("\"was_cancelled\": false", with: "\"was_cancelled\": true"),
        record.replacing("\"error\": null", with: "\"error\": {\"code\": 500}"),
      ].joined(separator: "\n"))
    #expect(benchmark.tool == .aiperf && benchmark.failures == 2)
    let request = ServerRequest(
      start: 1.5, promptTokens: 10, outputTokens: 3, firstToken: 0.5, gaps: [0.5, 1], endToEnd: 2)
    var later = request
    later.start = 2.5
    #expect(benchmark.requests == [request, later])
    let error = #expect(throws: ServerBenchmarkError.self) {
      try read(record.replacing("\"unit\": \"s\"", with: "\"unit\": \"min\""))
    }
    #expect(
      error?.description.contains("metrics.request_latency.unit") == true, "\(error?.description ?? "")")
  }

  /// Tokens of one chunk have the same time; both places of the numbers of tokens are known.
  @Test func inferencePerfsRecordsAreRead() throws {
    let benchmark = try read(
      """
      [{"start_time": 5.0, "end_time": 9.0, "error": null, "info": {"input_tokens": 10, "output_tokens": 3,
      "output_token_times": [5.5, 6.0, 7.0]}},
      {"start_time": 4.0, "end_time": 9.0, "error": null, "info": {"request_metrics": {"text": {"input_tokens": 20}},
      "response_metrics": {"output_tokens": 3, "output_token_times": [4.5, 4.5, 6.5]}}},
      {"start_time": 6.0, "end_time": 9.0, "error": {"error_type": "x"}, "info": {"input_tokens": 10}},
      {"start_time": 6.0, "end_time": 9.0, "error": null, "info": {"input_tokens": 10, "output_tokens": 0,
      "output_token_times": [7.0]}}]
      """)
    #expect(benchmark.tool == .inferencePerf && benchmark.failures == 2)
    #expect(benchmark.requests.map(\.promptTokens) == [20, 10])
    #expect(benchmark.requests.map(\.gaps) == [[2], [0.5, 1]])
    #expect(benchmark.requests.map(\.endToEnd) == [2.5, 2])
  }

  @Test func guideLLMsRequestsAreRead() throws {
    let one = """
      {"requests": {"successful": [{"request_start_time": 5.0, "prompt_tokens": 10, "output_tokens": 3,
      "time_to_first_token_ms": 500.0, "inter_token_latency_ms": 250.0, "request_latency": 1.2}],
      "errored": [{}], "incomplete": [{}, {}]}}
      """
    let benchmark = try read("{\"benchmarks\": [\(one)]}")
    #expect(benchmark.tool == .guidellm && benchmark.failures == 3)
    #expect(benchmark.requests.map(\.endToEnd) == [1] && !benchmark.chunksAreTokens)
    let several = "{\"benchmarks\": [\(one), \(one.replacing("500.0", with: "750.0"))]}"
    let error = #expect(throws: ServerBenchmarkError.self) { try read(several) }
    #expect(error?.description.contains("--part 1 to 2") == true)
    let second = try ServerBenchmark(bytes: Array(several.utf8), file: "f.json", part: 2)
    #expect(second.requests.map(\.firstToken) == [0.75])
  }

  @Test func llmServingSimsTableIsRead() throws {
    let benchmark = try read(
      """
      instance id,request id,model,input,output,arrival,end_time,latency,queuing_delay,TTFT,TPOT,ITL
      0,1,m,10,3,2000000000,0,2000000000,0,500000000,0,"[500000000, 1000000000]"
      0,0,m,20,1,1000000000,0,250000000,0,250000000,0,[]
      """)
    #expect(benchmark.tool == .llmServingSim && benchmark.model == "m")
    #expect(benchmark.requests.map(\.start) == [1, 2])
    #expect(benchmark.requests.map(\.gaps) == [[], [0.5, 1]])
    let error = #expect(throws: ServerBenchmarkError.self) { try read("input,output,TTFT\n1,2,3\n") }
    #expect(error?.description.contains("arrival") == true)
  }

  private func pair(_ request: ServerRequest) -> ReplayComparison.Pair {
    ReplayComparison.Pair(measured: request, simulated: request)
  }
}
