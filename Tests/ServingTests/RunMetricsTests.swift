import Serving
import Statistics
import Testing

@Suite struct RunMetricsTests {
  /// A request that was sent at 1 s.
  func record(
    first: Seconds, last: Seconds, gap: Seconds = 0, output: Tokens = 5,
    status: RequestRecord.Status = .completed
  ) -> RequestRecord {
    var record = RequestRecord(request: Request(id: 0, arrival: 1, promptTokens: 100, outputTokens: output))
    record.status = status
    guard status == .completed else { return record }
    (record.firstTokenAt, record.completedAt, record.longestGap) = (first, last, gap)
    return record
  }

  func iteration(_ start: Seconds, _ end: Seconds, decodes: Int32 = 0, outputs: Int32 = 0) -> IterationRecord
  {
    var iteration = IterationRecord()
    (iteration.start, iteration.end) = (start, end)
    (iteration.decodeTokens, iteration.outputTokens) = (decodes, outputs)
    (iteration.joules, iteration.expertBytes) = (10, 100)
    return iteration
  }

  @Test func latenciesCountFromTheArrival() {
    var metrics = RunMetrics()
    metrics.record(record(first: 2, last: 4))
    #expect(metrics.timeToFirstToken.mean == 1)
    #expect(metrics.endToEnd.mean == 3)
    #expect(metrics.timePerOutputToken.mean == 0.5)
  }

  /// A single token has no time per token after the first.
  @Test func aSingleTokenHasNoMeanGap() {
    var metrics = RunMetrics()
    metrics.record(record(first: 2, last: 2, output: 1))
    metrics.record(record(first: 2, last: 4))
    #expect(metrics.timePerOutputToken.count == 1)
    #expect(metrics.timePerOutputToken.mean == 0.5)
    #expect(metrics.timeToFirstToken.count == 2)
  }

  /// One good, one with a late first token, one with a long gap, one rejected.
  @Test func attainmentIsAShareOfAllRequests() {
    var objective = ServiceObjective()
    objective.timeToFirstToken = 1
    objective.timeBetweenTokens = 0.1
    var metrics = RunMetrics(objective: objective)
    metrics.record(record(first: 2, last: 4, gap: 0.1))
    metrics.record(record(first: 2.5, last: 4, gap: 0.1))
    metrics.record(record(first: 2, last: 4, gap: 0.2))
    metrics.record(record(first: 0, last: 0, status: .rejected))
    #expect(metrics.attainment == 0.25)
    #expect(metrics.attainmentOfFirstToken == 0.5)
    #expect(metrics.attainmentOfGaps == 0.5)
    #expect([metrics.requests, metrics.completed, metrics.rejected] == [4, 3, 1])
    #expect([metrics.inputTokens, metrics.outputTokens] == [300, 15])
  }

  @Test func iterationsAddUp() {
    var metrics = RunMetrics()
    metrics.record(iteration(1, 1.5))
    metrics.record(iteration(2, 2.25, decodes: 4))
    metrics.record(iteration(2.25, 2.5, decodes: 8))
    metrics.record(record(first: 2, last: 2.5))
    #expect(metrics.iterations == 3)
    #expect(metrics.busySeconds == 1)
    #expect(metrics.meanDecodeBatch == 6)
    #expect(metrics.meanIteration == 1.0 / 3)
    #expect(metrics.joules == 30)
    #expect(metrics.expertBytes == 300)
    #expect(metrics.duration == 1.5)
  }

  @Test func gapsArePooledOverRequests() {
    var metrics = RunMetrics()
    metrics.record(gap: 0.25, tokens: 3)
    metrics.record(gap: 1.25, tokens: 1)
    #expect(metrics.interTokenLatency.count == 4)
    #expect(metrics.interTokenLatency.mean == 0.5)
  }

  /// 3 + 4 tokens in the first second, 5 in the third.
  @Test func theBusiestSecondIsKept() {
    var metrics = RunMetrics()
    metrics.record(iteration(0, 0.25, outputs: 3))
    metrics.record(iteration(0.25, 0.75, outputs: 4))
    #expect(metrics.mostTokensInASecond == 7)
    metrics.record(iteration(2, 2.5, outputs: 5))
    #expect(metrics.mostTokensInASecond == 7)
  }

  @Test func nothingIsZero() {
    let metrics = RunMetrics()
    #expect(
      [metrics.attainment, metrics.meanDecodeBatch, metrics.meanIteration, metrics.duration] == [0, 0, 0, 0])
  }
}
