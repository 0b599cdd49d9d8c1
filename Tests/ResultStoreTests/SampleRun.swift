import ResultStore
import Serving

/// A run small enough to follow by hand. Iterations 0 to 6 of one instance end at 1, 2, 4, 5, 7, 8 and 9 s:
///
///     iteration   0  1  2  3  4  5  6
///     ends at     1  2  4  5  7  8  9
///     request 0   P  D  D     P  D  D     preempted after iteration 2
///     request 1      P  P  D  D
///     request 3                  x  P     preempted after iteration 5, in its prefill
///
/// Request 0 is prefilled in iteration 0 (token at 1), decodes in 1 and 2 (2, 4), is prefilled anew in 4 (7)
/// and decodes in 5 and 6 (8, 9). Request 1 is prefilled in 1 to 2 (4), and decodes in 3 and 4 (5, 7).
/// Request 2 is rejected. Request 3 is cut short in its prefill in iteration 5, is prefilled in 6 (9), and
/// has a single token.
enum SampleRun {
  static let ends: [Double] = [1, 2, 4, 5, 7, 8, 9]
  static let decodes: [Int32] = [0, 1, 1, 1, 1, 1, 1]

  static func recordIterations(in writer: RunWriter, instance: Int32) {
    for (index, end) in ends.enumerated() {
      var iteration = IterationRecord()
      iteration.instance = instance
      iteration.index = Int64(index)
      iteration.start = index == 0 ? 0 : ends[index - 1]
      iteration.end = end
      iteration.decodeTokens = decodes[index]
      iteration.prefillTokens = index == 0 ? 100 : 0
      iteration.prefillSequences = index == 0 ? 1 : 0
      iteration.layerEnd = index == 0 ? 48 : 0
      iteration.experts = 2.5
      iteration.expertBytes = 1e9 + 0.4
      iteration.weightBytes = 2e9
      iteration.kvBytes = 3e6
      iteration.activationBytes = 4e6
      iteration.joules = 0.5
      iteration.kernelSeconds = 0.75
      iteration.kvBlocksUsed = 7
      iteration.queueLength = 3
      writer.record(iteration)
      if writer.wantsKernels {
        writer.record(
          kernels: [
            KernelUse(kernel: "qkv_gemm", calls: 48, seconds: 0.25),
            KernelUse(kernel: "expert_mlp", calls: 48, extrapolatedCalls: 1, seconds: 0.5),
          ], instance: instance, iteration: Int64(index))
      }
    }
  }

  static func record(in writer: RunWriter, instance: Int32 = 0) {
    recordIterations(in: writer, instance: instance)
    for span in [
      (0, SpanRecord.Phase.prefill, 0, 0, true), (1, .prefill, 1, 2, true), (0, .decode, 1, 2, true),
      (1, .decode, 3, 4, true), (0, .prefill, 4, 4, true), (3, .prefill, 5, 5, false),
      (0, .decode, 5, 6, true),
      (3, .prefill, 6, 6, true),
    ] {
      writer.record(
        SpanRecord(
          request: span.0, instance: instance, phase: span.1, firstIteration: Int64(span.2),
          lastIteration: Int64(span.3), completed: span.4))
    }
    writer.record(request(1, arrival: 0.5, output: 3, scheduled: 1, first: 4, last: 7, gap: 2))
    var preempted = request(0, arrival: 0, output: 6, scheduled: 0, first: 1, last: 9, gap: 3)
    preempted.preemptions = 1
    writer.record(preempted)
    var rejected = RequestRecord(request: Request(id: 2, arrival: 1, promptTokens: 9_999, outputTokens: 5))
    rejected.status = .rejected
    writer.record(rejected)
    writer.record(request(3, arrival: 6, output: 1, scheduled: 7, first: 9, last: 9, gap: 0))
  }

  static let row = RunRow(
    parameters: [
      ("version", "1.0"), ("policy", "layered[stages=16]"), ("model", "m"), ("seed", 7),
      ("request_rate", 2.5),
      ("trace", "sample"), ("custom", "a \"quoted\" value"),
    ],
    summary: [("completed", 3), ("duration", 9), ("energy_j", 3.5), ("mean_ttft_ms", 2_500), ("other", 1.5)],
    configJSON: #"{"policy":"layered"}"#, argv: "sim run --policy layered",
    percentiles: [[("metric", "ttft"), ("samples", 3), ("mean_ms", 2_500), ("p99_ms", 3_490)]])

  static let kernels = [
    KernelUse(kernel: "qkv_gemm", calls: 100, seconds: 1.5, joules: 2, flops: 3e12, bytes: 4e9),
    KernelUse(kernel: "expert_mlp", calls: 50, extrapolatedCalls: 5, seconds: 2.5),
  ]

  /// Appends the run to a database.
  @discardableResult
  static func write(to path: String, logLevel: LogLevel = .iterations) throws -> Int64 {
    let writer = try RunWriter(path: path, logLevel: logLevel, busyTimeout: 20)
    record(in: writer)
    return try writer.finish(row, kernels: kernels)
  }

  private static func request(
    _ id: Int, arrival: Double, output: Int, scheduled: Double, first: Double, last: Double, gap: Double
  ) -> RequestRecord {
    var record = RequestRecord(
      request: Request(id: id, arrival: arrival, promptTokens: 100, outputTokens: output))
    record.scheduledAt = scheduled
    record.firstTokenAt = first
    record.completedAt = last
    record.longestGap = gap
    record.joules = 0.25
    record.expertBytes = 1e9
    return record
  }
}
