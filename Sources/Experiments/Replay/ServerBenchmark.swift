import Foundation
import Serving
import Support
import Workloads

/// A result file that `vllm bench serve --save-result --save-detailed` wrote.
package struct ServerBenchmark {
  /// The file.
  package let file: String
  /// SHA-256 of the file.
  package let digest: String
  /// The model's name, as the server has it.
  package let model: String?
  /// The requests that succeeded, in order of their start.
  package let requests: [ServerRequest]
  /// Requests that failed, and were left out.
  package let failures: Int

  /// Reads a file.
  package init(path: String) throws(ServerBenchmarkError) {
    let data: Data
    do {
      data = try Data(contentsOf: URL(filePath: path))
    } catch {
      let isThere = FileManager.default.fileExists(atPath: path)
      throw .unreadable(file: path, reason: isThere ? "not a readable file" : "no such file")
    }
    try self.init(data: data, file: path)
  }

  /// Reads the content of a file.
  package init(data: Data, file: String) throws(ServerBenchmarkError) {
    let fields = ServerBenchmarkFields(file: file, object: try Self.object(data, file: file))
    let prompts = try fields.counts("input_lens", atLeast: 1)
    let outputs = try fields.counts("output_lens", atLeast: 0)
    let starts = try fields.seconds("start_times", mayBeNegative: true)
    let firsts = try fields.seconds("ttfts")
    let gaps = try fields.gaps("itls")
    let errors = fields.texts("errors")
    let ends = fields.has("latencies") ? try fields.seconds("latencies") : nil
    for (name, count) in [
      ("output_lens", outputs.count), ("start_times", starts.count), ("ttfts", firsts.count),
      ("itls", gaps.count),
      ("errors", errors?.count ?? prompts.count), ("latencies", ends?.count ?? prompts.count),
    ] where count != prompts.count {
      throw .badEntry(
        file: file, field: name, value: "\(count) entries long",
        expected: "\(prompts.count), as input_lens has")
    }
    var requests: [ServerRequest] = []
    for i in prompts.indices where outputs[i] > 0 && (errors?[i] ?? "").isEmpty {
      requests.append(
        ServerRequest(
          start: starts[i], promptTokens: prompts[i], outputTokens: outputs[i], firstToken: firsts[i],
          gaps: gaps[i], endToEnd: ends?[i] ?? gaps[i].reduce(firsts[i], +)))
    }
    guard !requests.isEmpty else {
      throw .nothingLeft(file: file, reason: "all \(prompts.count) failed or wrote nothing")
    }
    self.file = file
    digest = SHA256.hexDigest(of: Array(data))
    model = fields.text("model_id")
    failures = prompts.count - requests.count
    // Requests that were sent at the same moment stay in the file's order.
    self.requests = requests.enumerated()
      .sorted { ($0.element.start, $0.offset) < ($1.element.start, $1.offset) }.map(\.element)
  }

  /// The same arrivals and lengths, to be simulated; request i of the workload is ``requests``[i].
  package func workload(seed: UInt64) -> Workload {
    let rows = requests.map {
      TraceRow(promptTokens: $0.promptTokens, outputTokens: $0.outputTokens, arrival: $0.start)
    }
    let name = URL(filePath: file).deletingPathExtension().lastPathComponent
    let trace = Trace(name: name, recorded: rows, failures: failures, digest: digest)
    return Workload(
      name: name, source: .trace(trace), arrivals: .trace(timeScale: 1), count: rows.count, seed: seed)
  }

  private static func object(_ data: Data, file: String) throws(ServerBenchmarkError) -> JSONObject {
    do {
      return try JSONReader.object(Array(data), file: file)
    } catch .malformed(_, let line?, let reason) {
      throw .malformed(
        file: file, reason: "line \(line): \(reason) (a file of --append-result has one result a line)")
    } catch {
      throw .notDetailed(
        file: file, missing: "input_lens", advice: "it is not an object of vllm bench serve at all")
    }
  }
}
