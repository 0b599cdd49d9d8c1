import Support

/// The fields of a benchmark's result; every reader that fails names the file and the entry.
struct ServerBenchmarkFields {
  let file: String
  let object: JSONObject

  func has(_ name: String) -> Bool { object.value(name) != nil }

  func text(_ name: String) -> String? { object.value(name)?.text }

  /// Texts, where an entry that is none is empty; `nil` without the field.
  func texts(_ name: String) -> [String]? { object.value(name)?.elements?.map { $0.text ?? "" } }

  /// Whether each succeeded; `nil` without the field.
  func flags(_ name: String) -> [Bool]? {
    object.value(name)?.elements?.map { if case .flag(let flag) = $0 { flag } else { true } }
  }

  /// Whether SGLang's benchmark wrote it, which saves what vLLM's does under other names.
  var isOfSGLang: Bool {
    text("backend")?.hasPrefix("sglang") == true || has("total_output_tokens_retokenized")
      || has("mean_e2e_latency_ms")
  }

  /// A request rate; infinity where all were sent at once.
  func rate(_ name: String) throws(ServerBenchmarkError) -> Double {
    if text(name) == "inf" || object.value(name)?.number == .infinity { return .infinity }
    guard let rate = try optionalNumber(name, in: 1e-6...1e6) else {
      throw .notDetailed(
        file: file, missing: name, advice: "requests have no start times, and no rate to draw them at")
    }
    return rate
  }

  /// A number within bounds; `nil` without the field.
  func optionalNumber(_ name: String, in range: ClosedRange<Double>) throws(ServerBenchmarkError) -> Double? {
    guard let value = object.value(name) else { return nil }
    guard let number = value.number, range.contains(number) else {
      throw bad(name, value, "a number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  /// A whole number of clients; `nil` without the field.
  func clients(_ name: String) throws(ServerBenchmarkError) -> Int? {
    guard let value = object.value(name) else { return nil }
    guard let count = value.wholeNumber, (1...1_000_000_000).contains(count) else {
      throw bad(name, value, "a whole number, at least 1")
    }
    return count
  }

  /// Numbers of tokens.
  func counts(_ name: String, atLeast least: Int32) throws(ServerBenchmarkError) -> [Int32] {
    var counts: [Int32] = []
    for (i, entry) in try list(name).enumerated() {
      guard let number = entry.number, let count = Int32(exactly: number), count >= least else {
        throw bad("\(name)[\(i)]", entry, "a whole number of tokens, at least \(least)")
      }
      counts.append(count)
    }
    return counts
  }

  /// Times.
  func seconds(_ name: String, mayBeNegative: Bool = false) throws(ServerBenchmarkError) -> [Double] {
    try seconds(list(name), place: name, mayBeNegative: mayBeNegative)
  }

  /// A list of times for each request.
  func gaps(_ name: String) throws(ServerBenchmarkError) -> [[Double]] {
    var gaps: [[Double]] = []
    for (i, entry) in try list(name).enumerated() {
      guard let entries = entry.elements else { throw bad("\(name)[\(i)]", entry, "a list of seconds") }
      gaps.append(try seconds(entries, place: "\(name)[\(i)]", mayBeNegative: false))
    }
    return gaps
  }

  private func seconds(
    _ entries: [JSONValue], place: String, mayBeNegative: Bool
  ) throws(ServerBenchmarkError) -> [Double] {
    var seconds: [Double] = []
    seconds.reserveCapacity(entries.count)
    for (i, entry) in entries.enumerated() {
      guard let number = entry.number, number.isFinite, mayBeNegative || number >= 0 else {
        throw bad("\(place)[\(i)]", entry, "seconds" + (mayBeNegative ? "" : ", not negative"))
      }
      seconds.append(number)
    }
    return seconds
  }

  private func list(_ name: String) throws(ServerBenchmarkError) -> [JSONValue] {
    guard let value = object.value(name) else {
      let isOfVLLM = object.value("request_throughput") != nil
      let advice =
        !isOfVLLM
        ? "it is not a result of vllm bench serve, SGLang, GuideLLM, AIPerf, inference-perf or LLMServingSim"
        : isOfSGLang
          ? "save SGLang's benchmark with --output-details"
          : object.value("input_lens") == nil
            ? "save the benchmark with --save-result --save-detailed"
            : "the version of vLLM is too old to save it"
      throw .notDetailed(file: file, missing: name, advice: advice)
    }
    guard let list = value.elements else { throw bad(name, value, "a list with an entry for each request") }
    return list
  }

  private func bad(_ field: String, _ value: JSONValue, _ expected: String) -> ServerBenchmarkError {
    let shown =
      switch value {
      case .list, .object: "a list or an object"
      case .text: value.brief
      case .null, .flag, .integer, .real: "'\(value.brief)'"
      }
    return .badEntry(file: file, field: field, value: shown, expected: expected)
  }
}

extension JSONValue {
  /// The elements, if the value is a list.
  fileprivate var elements: [JSONValue]? { if case .list(let elements) = self { elements } else { nil } }
}
