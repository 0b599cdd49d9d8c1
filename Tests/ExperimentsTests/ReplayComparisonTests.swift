import Testing

@testable import Experiments

/// Errors and their intervals.
struct ReplayComparisonTests {
  @Test func statisticsAreNumpys() {
    // numpy.percentile([1, 2, 4, 8], [50, 90, 99])
    let sample = ClusteredSample([[4, 1], [8], [2]])
    let statistics = sample.statistics(weights: [1, 1, 1])
    for (value, expected) in zip(statistics, [3.75, 3, 6.8, 7.88]) { #expect(abs(value - expected) < 1e-12) }
    // numpy.percentile([1, 1, 1, 4, 4, 4, 2], ...)
    let weighted = sample.statistics(weights: [3, 0, 1])
    for (value, expected) in zip(weighted, [17.0 / 7, 2, 4, 4]) { #expect(abs(value - expected) < 1e-12) }
    #expect(ClusteredSample([[], []]).statistics(weights: [1, 1]).allSatisfy { $0.isNaN })
  }

  @Test func aSimulatorThatIsATenthTooSlowIsSaidToBe() {
    let errors = ReplayComparison(pairs(slower: 1.1)).errors(draws: 200, seed: 1)
    #expect(errors.count == 18)
    for error in errors where error.unit == "ms" {
      #expect(abs(error.error - 0.1) < 1e-9, "\(error)")
      #expect(abs(error.low - 0.1) < 1e-9 && abs(error.high - 0.1) < 1e-9)
    }
    let throughput = errors.last
    #expect((throughput?.error ?? 0) < 0)
  }

  @Test func intervalsHoldTheErrorAndDependOnTheSeedAlone() {
    var some = pairs(slower: 1)
    for i in some.indices where i % 3 == 0 { some[i].simulated.firstToken *= 1.5 }
    let comparison = ReplayComparison(some)
    let errors = comparison.errors(draws: 300, seed: 7)
    #expect(errors == comparison.errors(draws: 300, seed: 7))
    #expect(errors != comparison.errors(draws: 300, seed: 8))
    let mean = errors[0]
    #expect(mean.metric == "ttft" && mean.statistic == "mean")
    #expect(mean.low < mean.error && mean.error < mean.high)
    #expect(mean.low > 0 && mean.high < 0.5)
  }

  /// Thirty requests of a server, and the same ones with latencies that are some factor longer.
  private func pairs(slower factor: Double) -> [ReplayComparison.Pair] {
    (0..<30).map { i in
      let first = 0.1 + 0.01 * Double(i * 7 % 30)
      let gaps = (0..<4).map { 0.02 + 0.001 * Double((i + $0) % 5) }
      let measured = ServerRequest(
        start: Double(i), promptTokens: 100, outputTokens: 5, firstToken: first, gaps: gaps,
        endToEnd: gaps.reduce(first, +))
      var simulated = measured
      simulated.firstToken *= factor
      simulated.gaps = gaps.map { $0 * factor }
      simulated.endToEnd *= factor
      return ReplayComparison.Pair(measured: measured, simulated: simulated)
    }
  }
}
