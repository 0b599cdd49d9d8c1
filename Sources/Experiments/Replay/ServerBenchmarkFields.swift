import Foundation

/// The fields of a benchmark's result; every reader that fails names the file and the entry.
package struct ServerBenchmarkFields {
  package let file: String
  package let object: [String: Any]

  package func has(_ name: String) -> Bool { object[name] != nil }

  package func text(_ name: String) -> String? { object[name] as? String }

  /// Texts, where an entry that is none is empty; `nil` without the field.
  package func texts(_ name: String) -> [String]? { (object[name] as? [Any])?.map { $0 as? String ?? "" } }

  /// Numbers of tokens.
  package func counts(_ name: String, atLeast least: Int32) throws(ServerBenchmarkError) -> [Int32] {
    var counts: [Int32] = []
    for (i, entry) in try list(name).enumerated() {
      guard let number = Self.number(entry), let count = Int32(exactly: number), count >= least else {
        throw bad("\(name)[\(i)]", entry, "a whole number of tokens, at least \(least)")
      }
      counts.append(count)
    }
    return counts
  }

  /// Times.
  package func seconds(_ name: String, mayBeNegative: Bool = false) throws(ServerBenchmarkError) -> [Double] {
    try seconds(list(name), place: name, mayBeNegative: mayBeNegative)
  }

  /// A list of times for each request.
  package func gaps(_ name: String) throws(ServerBenchmarkError) -> [[Double]] {
    var gaps: [[Double]] = []
    for (i, entry) in try list(name).enumerated() {
      guard let entries = entry as? [Any] else { throw bad("\(name)[\(i)]", entry, "a list of seconds") }
      gaps.append(try seconds(entries, place: "\(name)[\(i)]", mayBeNegative: false))
    }
    return gaps
  }

  private func seconds(
    _ entries: [Any], place: String, mayBeNegative: Bool
  ) throws(ServerBenchmarkError) -> [Double] {
    var seconds: [Double] = []
    seconds.reserveCapacity(entries.count)
    for (i, entry) in entries.enumerated() {
      guard let number = Self.number(entry), number.isFinite, mayBeNegative || number >= 0 else {
        throw bad("\(place)[\(i)]", entry, "seconds" + (mayBeNegative ? "" : ", not negative"))
      }
      seconds.append(number)
    }
    return seconds
  }

  private func list(_ name: String) throws(ServerBenchmarkError) -> [Any] {
    guard let value = object[name] else {
      let isOfVLLM = object["request_throughput"] != nil
      let advice =
        !isOfVLLM
        ? "it is not a result of vllm bench serve"
        : object["input_lens"] == nil
          ? "save the benchmark with --save-result --save-detailed"
          : "the version of vLLM is too old to save it"
      throw .notDetailed(file: file, missing: name, advice: advice)
    }
    guard let list = value as? [Any] else { throw bad(name, value, "a list with an entry for each request") }
    return list
  }

  private func bad(_ field: String, _ value: Any, _ expected: String) -> ServerBenchmarkError {
    let shown =
      value is [Any] || value is [String: Any] ? "a list or an object" : "'\("\(value)".prefix(40))'"
    return .badEntry(
      file: file, field: field, value: shown.replacing("\n", with: " "), expected: expected)
  }

  private static func number(_ value: Any) -> Double? { (value as? NSNumber)?.doubleValue }
}
