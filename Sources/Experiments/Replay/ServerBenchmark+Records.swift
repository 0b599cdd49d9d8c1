import Serving
import Support
import Workloads

/// Results that hold an object for each request: AIPerf's, inference-perf's and GuideLLM's.
extension ServerBenchmark {
  private static let times = -1e12...1e12
  private static let durations = 0...1e9
  private static let tokens = 0...Int(Int32.max)

  /// Reads the objects of a file one by one.
  ///
  /// - Parameters:
  ///   - values: the objects.
  ///   - file: the file, as errors name it.
  ///   - tool: what wrote it.
  ///   - read: makes a request of an object; `nil` for one that failed or wrote nothing.
  /// - Returns: what is in them.
  /// - Throws: `JSONError`.
  static func records(
    _ values: [JSONValue], file: String, of tool: Tool,
    read: (JSONObject) throws(JSONError) -> ServerRequest?
  ) throws(JSONError) -> Content {
    var content = Content(tool: tool)
    for (i, value) in values.enumerated() {
      guard case .object(let members) = value else {
        throw .malformed(file: file, line: nil, reason: "record \(i + 1) is no object")
      }
      let object = JSONObject(members, file: file, path: "[\(i)]")
      // What warms a server up is no part of a benchmark.
      if try object.optionalObject("metadata")?.optionalText("benchmark_phase") == "warmup" { continue }
      if let request = try read(object) { content.requests.append(request) } else { content.failures += 1 }
    }
    return content
  }

  /// A record of AIPerf's `profile_export.jsonl`.
  static func aiperf(_ record: JSONObject) throws(JSONError) -> ServerRequest? {
    let metadata = try record.object("metadata")
    let metrics = try record.object("metrics")
    let wasCancelled = try metadata.optionalFlag("was_cancelled") ?? false
    guard record.value("error") == nil, !wasCancelled else { return nil }
    let isLength = metrics.value("output_sequence_length") != nil
    let output = try metrics.object(isLength ? "output_sequence_length" : "output_token_count")
      .integer("value", in: tokens)
    guard output > 0 else { return nil }
    var gaps: [Double] = []
    if let chunks = try metrics.optionalObject("inter_chunk_latency") {
      let unit = try unit(of: chunks)
      gaps = try chunks.numbers("value").map { $0 * unit }
    }
    return ServerRequest(
      start: try metadata.number("request_start_ns", in: -1e21...1e21) * 1e-9,
      promptTokens: Int32(
        try metrics.object("input_sequence_length").integer("value", in: 1...tokens.upperBound)),
      outputTokens: Int32(output), firstToken: try seconds(metrics, "time_to_first_token"), gaps: gaps,
      endToEnd: try seconds(metrics, "request_latency"))
  }

  private static func seconds(_ metrics: JSONObject, _ name: String) throws(JSONError) -> Seconds {
    let metric = try metrics.object(name)
    return try metric.number("value", in: 0...1e18) * unit(of: metric)
  }

  private static func unit(of metric: JSONObject) throws(JSONError) -> Seconds {
    switch try metric.optionalText("unit") ?? "ms" {
    case "ns": return 1e-9
    case "us": return 1e-6
    case "ms": return 1e-3
    case "s", "sec": return 1
    case let other: throw metric.invalid("unit", .text(other), expected: "ns, us, ms or s")
    }
  }

  /// A record of inference-perf's `per_request_lifecycle_metrics.json`.
  static func inferencePerf(_ record: JSONObject) throws(JSONError) -> ServerRequest? {
    guard record.value("error") == nil else { return nil }
    let info = try record.object("info")
    let response = info.value("response_metrics") == nil ? info : try info.object("response_metrics")
    let output = try response.integer("output_tokens", in: tokens)
    let moments =
      try response.optionalList("output_token_times") == nil ? [] : response.numbers("output_token_times")
    guard output > 0, let first = moments.first else { return nil }
    var prompt = try info.optionalInteger("input_tokens", in: 1...tokens.upperBound)
    if prompt == nil {
      prompt = try info.object("request_metrics").object("text").integer(
        "input_tokens", in: 1...tokens.upperBound)
    }
    let start = try record.number("start_time", in: times)
    // Tokens of one chunk have the same time: a gap of zero is no gap between chunks.
    let gaps = zip(moments.dropFirst(), moments).map { $0 - $1 }.filter { $0 > 0 }
    guard first >= start, !zip(moments.dropFirst(), moments).contains(where: { $0 < $1 }) else {
      throw response.invalid(
        "output_token_times", .list([]), expected: "moments in order, from start_time on")
    }
    return ServerRequest(
      start: start, promptTokens: Int32(prompt ?? 1), outputTokens: Int32(output), firstToken: first - start,
      gaps: gaps, endToEnd: (moments.last ?? first) - start)
  }

  /// GuideLLM's `benchmarks.json`, which may hold benchmarks at several loads.
  static func guideLLM(_ object: JSONObject, part: Int?) throws(JSONError) -> Content {
    let benchmarks = try object.optionalList("benchmarks") ?? []
    guard !benchmarks.isEmpty else {
      throw .malformed(file: object.file, line: nil, reason: "it holds no benchmark")
    }
    guard let number = part ?? (benchmarks.count == 1 ? 1 : nil), benchmarks.indices.contains(number - 1),
      case .object(let members) = benchmarks[number - 1]
    else {
      throw .malformed(
        file: object.file, line: nil,
        reason: "it holds \(benchmarks.count) benchmarks; choose one with --part 1 to \(benchmarks.count)")
    }
    let requests = try JSONObject(members, file: object.file, path: "benchmarks[\(number - 1)]").object(
      "requests")
    var content = try records(
      requests.optionalList("successful") ?? [], file: object.file, of: .guidellm, read: guideLLM)
    for kind in ["errored", "incomplete"] { content.failures += try requests.optionalList(kind)?.count ?? 0 }
    return content
  }

  /// One of GuideLLM's successful requests.
  private static func guideLLM(_ record: JSONObject) throws(JSONError) -> ServerRequest? {
    let output = try record.integer("output_tokens", in: tokens)
    guard output > 0 else { return nil }
    var start = try record.optionalNumber("request_start_time", in: times)
    if start == nil { start = try record.number("start_time", in: times) }
    let first = try record.number("time_to_first_token_ms", in: 0...1e12) * 1e-3
    // The last token, not the end of the connection: the mean gap is what is left of it.
    let mean = try record.optionalNumber("inter_token_latency_ms", in: 0...1e12)
    var end = first + (mean ?? 0) * 1e-3 * Double(output - 1)
    if mean == nil { end = try record.number("request_latency", in: durations) }
    return ServerRequest(
      start: start, promptTokens: Int32(try record.integer("prompt_tokens", in: 1...tokens.upperBound)),
      outputTokens: Int32(output), firstToken: first, gaps: [], endToEnd: end)
  }
}
