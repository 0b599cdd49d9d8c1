/// Which keys of its records a JSON-lines format keeps what the simulator reads under.
struct JSONLinesDialect: Sendable {
  var format: TraceFormat
  var prompt: String
  var output: String
  var time: String
  var unit: TimeUnit
  /// A key that tells this format from another one with the same keys.
  var marker: String?
  /// Tokens in a block of `hash_ids`, if the format has them.
  var blockTokens: Int?

  /// The JSON-lines formats, the particular ones before the general ones.
  static let all = [
    JSONLinesDialect(
      format: .bailian, prompt: "input_length", output: "output_length", time: "timestamp", unit: .seconds,
      marker: "chat_id", blockTokens: 16),
    JSONLinesDialect(
      format: .mooncake, prompt: "input_length", output: "output_length", time: "timestamp",
      unit: .milliseconds, blockTokens: 512),
    JSONLinesDialect(
      format: .llmServingSim, prompt: "input_toks", output: "output_toks", time: "arrival_time_ns",
      unit: .nanoseconds),
    JSONLinesDialect(
      format: .apex, prompt: "ContextTokens", output: "GeneratedTokens", time: "StartTimeOffset",
      unit: .nanoseconds),
  ]

  /// The dialect of a record with such keys, or nil if no dialect fits.
  static func recognise(_ keys: [String]) -> JSONLinesDialect? {
    all.first { dialect in
      [dialect.prompt, dialect.output, dialect.time].allSatisfy(keys.contains)
        && dialect.marker.map(keys.contains) ?? true
    }
  }
}
