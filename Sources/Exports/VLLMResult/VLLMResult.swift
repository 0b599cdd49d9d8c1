import Foundation
import ResultStore
import Statistics
import Support

/// A run of a database as `vllm bench serve` saves one: the same keys in the same order.
///
/// As of vLLM 0.33.0, whose `--save-result` drops most arrays but keeps `latencies` and `queue_times`; so does this.
/// What a simulation does not have is what vLLM writes where there is nothing: empty texts, no tokenizer, a factor for
/// audio of 0. A rejected request looks like a failed one. Streams, in the memory that SQLite needs to sort tokens.
package struct VLLMResult {
  /// The version of vLLM whose keys these are.
  package static let version = "0.33.0"
  /// The latencies that have statistics, in vLLM's order.
  package static let metrics = ["ttft", "tpot", "itl", "e2el"]

  /// What is written beside what always is.
  package struct Format {
    package var isDetailed: Bool
    package var label: String?
    /// Latencies with statistics.
    package var metrics: [String]
    /// Entries of the user's own.
    package var metadata: [(key: String, value: String)]

    package init(
      isDetailed: Bool = false, label: String? = nil, metrics: [String] = ["ttft", "tpot", "itl"],
      metadata: [(key: String, value: String)] = []
    ) {
      self.isDetailed = isDetailed
      self.label = label
      self.metrics = metrics
      self.metadata = metadata
    }
  }

  /// What a key has.
  private enum Content {
    case value(RunValue)
    /// A number or text of each request, in order.
    case column(sql: String)
    case gaps
  }

  private let reader: ResultReader
  private let run: Int64
  private let format: Format
  private let values: [String: RunValue]
  private let burstiness: RunValue
  private let maxConcurrency: RunValue

  /// Looks a run up.
  package init(reader: ResultReader, run: Int64, format: Format) throws(ResultStoreError) {
    self.reader = reader
    self.run = run
    self.format = format
    values = try reader.run(run)
    let config = try reader.query(
      """
      SELECT config ->> '$.workload.burstiness', config ->> '$.limits.max_concurrency'
      FROM runs WHERE run_id = :run
      """, run: run)
    burstiness = config.rows[0][0]
    maxConcurrency = config.rows[0][1]
    if format.isDetailed, values["log_level"] == .text(LogLevel.requests.rawValue) {
      throw .notLogged(path: reader.path, run: run, what: "the times of tokens", level: .iterations)
    }
  }

  /// The name that vLLM gives such a file.
  package var fileName: String {
    let concurrency = maxConcurrency == .null ? "" : "-concurrency\(maxConcurrency.json)"
    let rate = if case .real(let rate) = requestRate { "\(rate)" } else { "inf" }
    let model = if case .text(let name)? = values["model"] { name } else { "model" }
    return "\(format.label ?? "sim")-\(rate)qps\(concurrency)-\(model)-\(date).json"
  }

  /// Writes the object on one line, as Python's `json.dump` does.
  package func write(to file: WholeFile) throws(ResultStoreError) {
    var isFirst = true
    for (key, content) in members() {
      file.write((isFirst ? "{" : ", ") + RunValue(key).json + ": ")
      isFirst = false
      switch content {
      case .value(let value): file.write(value.json)
      case .column(let sql): try writeColumn(sql, to: file)
      case .gaps: try writeGaps(to: file)
      }
    }
    file.write("}")
  }

  private func members() -> [(String, Content)] {
    var members: [(String, Content)] = []
    // As in a Python dictionary: a key that comes again keeps its place.
    func set(_ key: String, _ content: Content) {
      if let place = members.firstIndex(where: { $0.0 == key }) {
        members[place].1 = content
      } else {
        members.append((key, content))
      }
    }
    func set(_ key: String, _ value: RunValue) { set(key, .value(value)) }
    set("date", .text(date))
    set("endpoint_type", "sim")
    set("backend", "sim")
    set("label", format.label.map { .text($0) } ?? .null)
    set("model_id", value("model"))
    set("tokenizer_id", .null)
    set("num_prompts", value("num_prompts"))
    for (key, value) in format.metadata { set(key, .text(value)) }
    set("request_rate", requestRate)
    set("burstiness", Self.real(burstiness) ?? 1.0)
    set("max_concurrency", maxConcurrency)
    for key in ["duration", "completed", "failed", "total_input_tokens", "total_output_tokens"] {
      set(key, value(key))
    }
    for key in ["request_throughput", "request_goodput", "output_throughput", "total_token_throughput"] {
      set(key, value(key))
    }
    let isDetailed = format.isDetailed
    if isDetailed {
      set("input_lens", .column(sql: "num_prefill_tokens"))
      set("output_lens", .column(sql: "iif(status = 'completed', num_decode_tokens, 0)"))
      set("ttfts", .column(sql: "coalesce(first_token_at - arrived_at, 0.0)"))
      set("itls", .gaps)
    }
    set("latencies", .column(sql: "coalesce(completed_at - arrived_at, 0.0)"))
    if isDetailed { set("start_times", .column(sql: "arrived_at")) }
    // The log has the moment at which a request was sent, not the one at which it was wanted.
    set("queue_times", .column(sql: "0.0"))
    if isDetailed {
      set("generated_texts", .column(sql: "''"))
      set("errors", .column(sql: "iif(status = 'completed', '', 'rejected: longer than what can be served')"))
    }
    set("max_output_tokens_per_s", Self.real(values["max_output_tokens_per_s"]) ?? .null)
    set("max_concurrent_requests", value("max_concurrent_requests"))
    set("rtfx", 0.0)
    for metric in Self.metrics where format.metrics.contains(metric) {
      for statistic in ["mean", "median", "std"] + percentiles(of: metric) {
        set("\(statistic)_\(metric)_ms", value("\(statistic)_\(metric)_ms"))
      }
    }
    return members
  }

  private func value(_ key: String) -> RunValue { values[key] ?? .null }

  /// The percentiles that the run has of a metric, as they begin keys: `p99`, `p99.9`.
  private func percentiles(of metric: String) -> [String] {
    values.compactMap { key, value -> (Double, String)? in
      guard value != .null, key.hasPrefix("p"), key.hasSuffix("_\(metric)_ms") else { return nil }
      let number = key.dropFirst().dropLast(metric.count + 4)
      return Double(number).map { ($0, "p\(number)") }
    }
    .sorted { $0.0 < $1.0 }.map(\.1)
  }

  /// When the run was stored, in UTC.
  private var date: String {
    guard case .text(let stamp)? = values["created_at"] else { return "" }
    let digits = stamp.filter(\.isNumber)
    return "\(digits.prefix(8))-\(digits.dropFirst(8).prefix(6))"
  }

  /// Requests a second; `inf` where vLLM has it too: all at once, and arrivals of a trace's own.
  private var requestRate: RunValue {
    guard let rate = Self.real(values["request_rate"]), rate != .real(.infinity) else { return "inf" }
    return rate
  }

  private static func real(_ value: RunValue?) -> RunValue? {
    switch value {
    case .integer(let whole): .real(Double(whole))
    case .real: value
    default: nil
    }
  }

  private func writeColumn(_ expression: String, to file: WholeFile) throws(ResultStoreError) {
    var separator = "["
    try reader.read("SELECT \(expression) FROM requests WHERE run_id = :run ORDER BY request_id", run: run) {
      row in
      file.write(separator + row[0].json)
      separator = ", "
      return file.failure == nil
    }
    file.write(separator == "[" ? "[]" : "]")
  }

  /// The gaps between each request's tokens, in seconds; a request without tokens has an empty list.
  private func writeGaps(to file: WholeFile) throws(ResultStoreError) {
    let requests = try reader.query(
      "SELECT request_id FROM requests WHERE run_id = :run ORDER BY request_id", run: run
    ).rows.map { $0[0] }
    var next = 0
    var isOpen = false
    func begin() {
      if isOpen { file.write("]") }
      file.write(next == 0 ? "[[" : ", [")
      isOpen = true
      next += 1
    }
    var separator = ""
    let sql = """
      SELECT request_id, t - lag(t) OVER (PARTITION BY request_id ORDER BY t)
      FROM token_times WHERE run_id = :run ORDER BY request_id, t
      """
    try reader.read(sql, run: run) { row in
      // The first token of a request has no gap before it.
      if row[1] == .null {
        repeat { begin() } while next < requests.count && requests[next - 1] != row[0]
        separator = ""
      } else {
        file.write(separator + row[1].json)
        separator = ", "
      }
      return file.failure == nil
    }
    while next < requests.count { begin() }
    file.write(isOpen ? "]]" : "[]")
  }
}
