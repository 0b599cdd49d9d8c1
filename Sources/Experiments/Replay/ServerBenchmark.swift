import Foundation
import Serving
import Support
import Workloads

/// A benchmark of a real server, request by request, as the tool that drove it wrote it down.
package struct ServerBenchmark {
  /// The tool that wrote a result.
  package enum Tool: String, Sendable {
    case vllm = "vllm bench serve"
    case sglang = "SGLang's bench_serving"
    case aiperf = "AIPerf"
    case guidellm = "GuideLLM"
    case inferencePerf = "inference-perf"
    case llmServingSim = "LLMServingSim"
  }

  /// What a reader finds in a file.
  struct Content {
    let tool: Tool
    /// The model's name, as the server has it.
    var model: String?
    /// Those that succeeded, in the file's order.
    var requests: [ServerRequest] = []
    /// Those that failed, whichever way the tool marks them, or wrote nothing.
    var failures = 0
    /// How requests arrived, where their own times are not there.
    var arrivals: ArrivalProcess = .trace(timeScale: 1)
    /// The clients, where requests' own times are not there.
    var maxConcurrency: Int?
  }

  /// The file.
  package let file: String
  /// SHA-256 of the file.
  package let digest: String
  /// The tool that wrote it.
  package let tool: Tool
  /// The model's name, as the server has it.
  package let model: String?
  /// The requests that succeeded, in order of their start.
  package let requests: [ServerRequest]
  /// Requests that failed, and were left out.
  package let failures: Int
  /// How requests arrive in a simulation.
  package let arrivals: ArrivalProcess
  /// How many clients a simulation has.
  package let limits: RunLimits

  /// Reads a file.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - part: which of several benchmarks in it, from 1; `nil` where there is one.
  /// - Throws: `ServerBenchmarkError`, which names the file and the field.
  package init(path: String, part: Int? = nil) throws(ServerBenchmarkError) {
    let bytes: [UInt8]
    do {
      bytes = try WholeFile.bytes(of: path)
    } catch {
      throw .unreadable(file: path, reason: error.reason)
    }
    try self.init(bytes: bytes, file: path, part: part)
  }

  /// The longest time that a request or a gap may take.
  private static let longest: Seconds = 1e9

  /// Reads the content of a file.
  package init(bytes: [UInt8], file: String, part: Int? = nil) throws(ServerBenchmarkError) {
    let content = try Self.content(bytes, file: file, part: part)
    guard part == nil || content.tool == .guidellm else {
      throw .badEntry(
        file: file, field: "--part", value: "'\(part ?? 1)'",
        expected: "none: a file of \(content.tool.rawValue) holds one benchmark")
    }
    // Whatever wrote it, time does not run backwards; a client's clock is read to a microsecond or so.
    for (i, request) in content.requests.enumerated() {
      guard request.firstToken >= 0, request.endToEnd >= request.firstToken - 1e-5,
        !request.gaps.contains(where: { $0 < 0 })
      else {
        throw .badEntry(
          file: file, field: "request \(i + 1)", value: "over before its first token, or has a negative gap",
          expected: "0 <= TTFT <= latency, and gaps from 0 on")
      }
      guard request.endToEnd <= Self.longest, request.gaps.allSatisfy({ $0 <= Self.longest }) else {
        throw .badEntry(
          file: file, field: "request \(i + 1)", value: "longer than \(Self.longest) s",
          expected: "times that a server can take")
      }
    }
    guard !content.requests.isEmpty else {
      throw .nothingLeft(file: file, reason: "all \(content.failures) failed or wrote nothing")
    }
    self.file = file
    digest = SHA256.hexDigest(of: bytes)
    tool = content.tool
    model = content.model
    failures = content.failures
    arrivals = content.arrivals
    limits = RunLimits(maxConcurrency: content.maxConcurrency)
    // Requests that were sent at the same moment stay in the file's order.
    requests = content.requests.enumerated()
      .sorted { ($0.element.start ?? 0, $0.offset) < ($1.element.start ?? 0, $1.offset) }.map(\.element)
  }

  /// Whether each chunk of a stream was a token, so that gaps between chunks are inter-token latencies.
  ///
  /// A chunk may carry several tokens, as with speculative decoding or a server that is slow to send; a token without a
  /// text has no chunk, hence the twentieth that may be missing.
  package var chunksAreTokens: Bool {
    let tokens = requests.reduce(0) { $0 + Int($1.outputTokens) - 1 }
    return Double(chunks) >= 0.95 * Double(tokens)
  }

  /// Gaps between chunks.
  package var chunks: Int { requests.reduce(0) { $0 + $1.gaps.count } }

  /// The same arrivals and lengths, to be simulated; request i of the workload is ``requests``[i].
  package func workload(seed: UInt64) -> Workload {
    let rows = requests.map {
      TraceRow(promptTokens: $0.promptTokens, outputTokens: $0.outputTokens, arrival: $0.start ?? 0)
    }
    let name = URL(filePath: file).deletingPathExtension().lastPathComponent
    let trace = Trace(name: name, recorded: rows, failures: failures, digest: digest)
    return Workload(name: name, source: .trace(trace), arrivals: arrivals, count: rows.count, seed: seed)
  }

  private static func content(
    _ bytes: [UInt8], file: String, part: Int?
  ) throws(ServerBenchmarkError) -> Content {
    let first = bytes.first { !" \n\r\t".utf8.contains($0) }
    if let first, first != UInt8(ascii: "{"), first != UInt8(ascii: "["),
      let table = try? CSVReader(bytes, file: file), table.firstColumn("TTFT") != nil
    {
      return try simulated(table)
    }
    let values = try values(bytes, file: file)
    guard case .object(let members) = values[0] else {
      throw .notDetailed(
        file: file, missing: "input_lens", advice: "it is not the result of a tool that is known")
    }
    let object = JSONObject(members, file: file)
    do throws(JSONError) {
      if object.value("metadata") != nil, object.value("metrics") != nil {
        return try records(values, file: file, of: .aiperf, read: aiperf)
      }
      if object.value("info") != nil, object.value("start_time") != nil {
        return try records(values, file: file, of: .inferencePerf, read: inferencePerf)
      }
    } catch {
      throw .json(error)
    }
    guard values.count == 1 else {
      throw .malformed(
        file: file, reason: "line 2: a file of --append-result has one result a line; keep one of them")
    }
    if object.value("benchmarks") != nil {
      do { return try guideLLM(object, part: part) } catch { throw .json(error) }
    }
    return try lists(ServerBenchmarkFields(file: file, object: object))
  }

  /// The objects of a file: one, an array of them, or one a line.
  private static func values(_ bytes: [UInt8], file: String) throws(ServerBenchmarkError) -> [JSONValue] {
    let whole: JSONError
    do throws(JSONError) {
      let value = try JSONReader.value(bytes, file: file, allowsInfinity: true)
      guard case .list(let elements) = value else { return [value] }
      guard let first = elements.first, case .object = first else {
        throw JSONError.malformed(file: file, line: nil, reason: "it is not an object, nor a list of some")
      }
      return elements
    } catch {
      whole = error
    }
    let lines = bytes.split(separator: UInt8(ascii: "\n")).filter { $0.contains { $0 > 32 } }
    guard lines.count > 1, (try? JSONReader.object(Array(lines[0]), file: file, allowsInfinity: true)) != nil
    else {
      throw .json(whole)
    }
    var values: [JSONValue] = []
    for (i, line) in lines.enumerated() {
      do throws(JSONError) {
        values.append(try JSONReader.value(Array(line), file: file, allowsInfinity: true))
      } catch {
        throw .malformed(file: file, reason: "line \(i + 1): not valid JSON")
      }
    }
    return values
  }
}
