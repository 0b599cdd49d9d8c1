import Statistics
import Testing

@testable import Experiments

/// Errors and their intervals.
struct ReplayComparisonTests {
  @Test func aSimulatorThatIsATenthTooSlowIsSaidToBe() {
    let errors = ReplayComparison(pairs(slower: 1.1)).errors(draws: 200, seed: 1)
    #expect(errors.count == 18)
    for error in errors where error.unit == "ms" {
      #expect(abs(error.error - 0.1) < 1e-9, "\(error)")
      #expect(abs(error.interval.low - 0.1) < 1e-9 && abs(error.interval.high - 0.1) < 1e-9)
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
    #expect(mean.interval.low < mean.error && mean.error < mean.interval.high)
    #expect(mean.interval.low > 0 && mean.interval.high < 0.5)
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
