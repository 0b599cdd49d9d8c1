import ResultStore
import Serving

/// A run of four requests, small enough to follow by hand. Iterations end at 1, 2, 4, 5, 7 and 8 s:
///
///     iteration   0  1  2  3  .  4  5
///     ends at     1  2  4  5     7  8
///     request 0   P  D  D               3 tokens: at 1, 2 and 4
///     request 1      P  P  D            2 tokens: at 4 and 5; its prefill passes layers 0..<24, then 24..<48
///     request 2                         rejected
///     request 3                  P      1 token, at 7; it came at 6, when nothing ran
enum LoggedRun {
  private static let times: [(start: Double, end: Double)] = [(0, 1), (1, 2), (2, 4), (4, 5), (6, 7), (7, 8)]
  private static let decodes: [Int32] = [0, 1, 1, 1, 0, 0]
  private static let layers: [(Int32, Int32)] = [(0, 48), (0, 24), (24, 48), (0, 0), (0, 48), (0, 0)]

  /// Appends the run to a database, and returns its number.
  @discardableResult
  static func write(to path: String, log: LogLevel = .iterations) throws -> Int64 {
    let writer = try RunWriter(path: path, logLevel: log)
    for (index, time) in times.enumerated() {
      var iteration = IterationRecord()
      iteration.index = Int64(index)
      (iteration.start, iteration.end) = time
      iteration.decodeTokens = decodes[index]
      (iteration.layerBegin, iteration.layerEnd) = layers[index]
      iteration.prefillTokens = iteration.layerEnd > 0 ? 100 : 0
      iteration.prefillSequences = iteration.layerEnd > 0 ? 1 : 0
      iteration.expertBytes = 2e9
      iteration.joules = 500
      iteration.kvBlocksUsed = 7
      iteration.queueLength = index == 1 ? 1 : 0
      writer.record(iteration)
    }
    let spans: [(Int, SpanRecord.Phase, Int64, Int64)] = [
      (0, .prefill, 0, 0), (0, .decode, 1, 2), (1, .prefill, 1, 2), (1, .decode, 3, 3), (3, .prefill, 4, 4),
    ]
    for (request, phase, first, last) in spans {
      writer.record(
        SpanRecord(request: request, instance: 0, phase: phase, firstIteration: first, lastIteration: last))
    }
    writer.record(request(0, at: 0, tokens: 3, scheduled: 0, first: 1, last: 4))
    writer.record(request(1, at: 0.5, tokens: 2, scheduled: 1, first: 4, last: 5))
    writer.record(request(2, at: 1, tokens: 9, scheduled: nil, first: 0, last: 0))
    writer.record(request(3, at: 6, tokens: 1, scheduled: 6, first: 7, last: 7))
    return try writer.finish(row)
  }

  private static let row = RunRow(
    parameters: [
      ("policy", "layered"), ("model", "m"), ("num_prompts", 4), ("request_rate", 2),
      ("created_at", "2025-10-11T12:13:14Z"),
    ],
    summary: [
      ("duration", 8), ("completed", 3), ("failed", 1), ("mean_ttft_ms", 1_833.5), ("p99_ttft_ms", 3_450),
      ("p90_ttft_ms", 3_000), ("p99.9_ttft_ms", 3_495), ("max_output_tokens_per_s", 2),
      ("max_concurrent_requests", 2), ("idle_energy_j", 70),
    ],
    configJSON: #"{"workload": {"burstiness": 0.5}, "limits": {"max_concurrency": 8}}"#)

  private static func request(
    _ id: Int, at arrival: Double, tokens: Int, scheduled: Double?, first: Double, last: Double
  ) -> RequestRecord {
    var record = RequestRecord(
      request: Request(id: id, arrival: arrival, promptTokens: 100 + id, outputTokens: tokens))
    guard let scheduled else {
      record.status = .rejected
      return record
    }
    (record.scheduledAt, record.firstTokenAt, record.completedAt) = (scheduled, first, last)
    return record
  }
}
