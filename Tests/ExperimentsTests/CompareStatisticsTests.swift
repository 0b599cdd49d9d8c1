import Serving
import Statistics
import Testing

@testable import Experiments

@Suite struct CompareStatisticsTests {
  /// A request that waits `wait` seconds for its first token.
  func record(_ id: Int, wait: Seconds) -> RequestRecord {
    var record = RequestRecord(
      request: Request(id: id, arrival: Double(id), promptTokens: 10, outputTokens: 2))
    record.firstTokenAt = Double(id) + wait
    record.completedAt = record.firstTokenAt + 0.01
    return record
  }

  func firstToken(_ a: [Seconds], _ b: [Seconds], seed: UInt64 = 0) throws -> MetricDifference {
    let (differences, _) = MetricDifference.all(
      baseline: a.enumerated().map { record($0.offset, wait: $0.element) },
      other: b.enumerated().map { record($0.offset, wait: $0.element) }, resamples: 400, seed: seed)
    return try #require(differences.first { $0.metric == .firstToken && $0.statistic == .mean })
  }

  /// Pairing takes out what requests have in common: a constant shift has no spread.
  @Test func aConstantShiftIsCertain() throws {
    var random = SplitMix64(seed: 5)
    let waits = (0..<200).map { _ in 1 + random.uniform() }
    let d = try firstToken(waits, waits.map { $0 + 0.5 })
    #expect(abs(d.difference.interval.low - 500) < 1e-6 && abs(d.difference.interval.high - 500) < 1e-6)
    #expect(d.verdict == .worse)
  }

  /// Independent noise around no difference is shown as one in about 5 % of cases.
  @Test func intervalsCoverTheTruth() throws {
    var random = SplitMix64(seed: 8)
    var wrong = 0
    for trial in 0..<200 {
      let a = (0..<80).map { _ in 1 + random.uniform() }
      let b = (0..<80).map { _ in 1 + random.uniform() }
      if try firstToken(a, b, seed: UInt64(trial)).verdict != .undecided { wrong += 1 }
    }
    #expect((2...28).contains(wrong))
  }

  /// A request that only one of both completed is no pair.
  @Test func unfinishedRequestsAreLeftOut() {
    var unfinished = record(1, wait: 1)
    unfinished.status = .unfinished
    let (_, pairs) = MetricDifference.all(
      baseline: [record(0, wait: 1), record(1, wait: 1)], other: [record(0, wait: 1), unfinished],
      resamples: 100, seed: 0)
    #expect(pairs == 1)
  }

  /// A shift that would be certain of many requests is none of a few.
  @Test(arguments: [(8, false), (19, false), (20, true)]) func fewPairsGiveNoVerdict(count: Int, isTold: Bool)
    throws
  {
    let d = try firstToken(Array(repeating: 1, count: count), Array(repeating: 1.5, count: count))
    #expect((d.verdict == .worse) == isTold && (d.verdict == .undecided) == !isTold)
  }

  @Test func noPairsGiveNoVerdict() {
    let (differences, pairs) = MetricDifference.all(baseline: [], other: [], resamples: 100, seed: 0)
    #expect(pairs == 0)
    #expect(differences.allSatisfy { $0.verdict == .undecided })
  }
}
