import Foundation
import ResultStore
import Serving
import Support
import TestSupport
import Testing

@testable import Experiments
@testable import Exports

/// A run as vLLM's result file.
struct VLLMResultTests {
  private let folder: TemporaryFolder
  private let reader: ResultReader
  private let run: Int64

  init() throws {
    folder = try TemporaryFolder()
    run = try LoggedRun.write(to: folder.file("runs.sqlite"))
    reader = try ResultReader(path: folder.file("runs.sqlite"))
  }

  @Test func theKeysAreThoseOfVLLM() throws {
    var format = VLLMResult.Format(isDetailed: true)
    format.metadata = [("version", "1"), ("backend", "mine")]
    #expect(
      try keys(format) == [
        "date", "endpoint_type", "backend", "label", "model_id", "tokenizer_id", "num_prompts", "version",
        "request_rate", "burstiness", "max_concurrency", "duration", "completed", "failed",
        "total_input_tokens",
        "total_output_tokens", "request_throughput", "request_goodput", "output_throughput",
        "total_token_throughput", "input_lens", "output_lens", "ttfts", "itls", "latencies", "start_times",
        "queue_times", "generated_texts", "errors", "max_output_tokens_per_s", "max_concurrent_requests",
        "rtfx",
        "mean_ttft_ms", "median_ttft_ms", "std_ttft_ms", "p90_ttft_ms", "p99_ttft_ms", "p99.9_ttft_ms",
        "mean_tpot_ms", "median_tpot_ms", "std_tpot_ms", "mean_itl_ms", "median_itl_ms", "std_itl_ms",
      ])
  }

  /// What vLLM and this program both have goes by the same name.
  @Test func theKeysOfFiguresAreTheirNames() throws {
    let others: Set = [
      "date", "endpoint_type", "backend", "label", "model_id", "tokenizer_id", "num_prompts", "request_rate",
      "burstiness", "max_concurrency", "latencies", "queue_times", "rtfx",
    ]
    let figures = RunFigure.all(percentiles: [90, 99, 99.9]).map(\.name)
    for key in try keys(VLLMResult.Format(metrics: VLLMResult.metrics)) where !others.contains(key) {
      #expect(figures.contains(key), "\(key)")
    }
  }

  @Test func withoutDetailsLatenciesAndQueueTimesStay() throws {
    let keys = try keys(VLLMResult.Format(metrics: ["e2el"]))
    #expect(!keys.contains("itls") && !keys.contains("start_times") && !keys.contains("errors"))
    #expect(keys.contains("latencies") && keys.contains("queue_times"))
    #expect(keys.suffix(3) == ["mean_e2el_ms", "median_e2el_ms", "std_e2el_ms"])
  }

  @Test func everyRequestIsThereInItsOrder() throws {
    let object = try written(VLLMResult.Format(isDetailed: true))
    #expect(object["input_lens"] as? [Int] == [100, 101, 102, 103])
    #expect(object["output_lens"] as? [Int] == [3, 2, 0, 1])
    #expect(object["ttfts"] as? [Double] == [1, 3.5, 0, 1])
    #expect(object["itls"] as? [[Double]] == [[1, 2], [1], [], []])
    #expect(object["latencies"] as? [Double] == [4, 4.5, 0, 1])
    #expect(object["start_times"] as? [Double] == [0, 0.5, 1, 6])
    #expect((object["errors"] as? [String])?.map(\.isEmpty) == [true, true, false, true])
    #expect(object["date"] as? String == "20251011-121314")
    #expect(object["burstiness"] as? Double == 0.5)
    #expect(object["max_concurrency"] as? Int == 8)
  }

  @Test func theFileIsNamedAsVLLMNamesIt() throws {
    let result = try VLLMResult(reader: reader, run: run, format: .init())
    #expect(result.fileName == "sim-2.0qps-concurrency8-m-20251011-121314.json")
  }

  @Test func tokensThatWereNotLoggedAreMissed() throws {
    let short = try LoggedRun.write(to: folder.file("runs.sqlite"), log: .requests)
    let error = #expect(throws: ResultStoreError.self) {
      try VLLMResult(reader: reader, run: short, format: .init(isDetailed: true))
    }
    #expect(error?.description.contains("--log iterations") == true)
    #expect(throws: ResultStoreError.self) { try Timeline(reader: reader, run: short) }
    _ = try VLLMResult(reader: reader, run: short, format: .init())
  }

  @Test func whatIsExportedCanBeReadBack() throws {
    _ = try written(VLLMResult.Format(isDetailed: true))
    let benchmark = try ServerBenchmark(path: folder.file("result.json"))
    #expect(benchmark.requests.map(\.outputTokens) == [3, 2, 1])
    #expect(benchmark.failures == 1)
    #expect(benchmark.requests[0].gaps == [1, 2])
  }

  private func written(_ format: VLLMResult.Format) throws -> [String: Any] {
    let file = try WholeFile(path: folder.file("result.json"))
    try VLLMResult(reader: reader, run: run, format: format).write(to: file)
    try file.finish()
    return try folder.object("result.json")
  }

  /// The keys in the order of the file.
  private func keys(_ format: VLLMResult.Format) throws -> [String] {
    _ = try written(format)
    return try folder.text("result.json").matches(of: #/"([a-z0-9_.]+)": /#).map { String($0.1) }
  }
}
