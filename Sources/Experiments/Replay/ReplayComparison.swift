import Serving
import Statistics

/// A server's benchmark beside its simulation, request by request.
package struct ReplayComparison {
  /// One request, measured and simulated.
  package struct Pair: Sendable {
    package var measured: ServerRequest
    package var simulated: ServerRequest

    package init(measured: ServerRequest, simulated: ServerRequest) {
      self.measured = measured
      self.simulated = simulated
    }
  }

  private let pairs: [Pair]
  private let latencies: [(name: String, measured: ClusteredSample, simulated: ClusteredSample)]

  /// Prepares the samples of both sides.
  package init(_ pairs: [Pair]) {
    self.pairs = pairs
    let metrics: [(String, (ServerRequest) -> [Double])] = [
      ("ttft", { [$0.firstToken] }), ("tpot", { $0.perOutputToken.map { [$0] } ?? [] }), ("itl", \.gaps),
      ("e2el", { [$0.endToEnd] }),
    ]
    latencies = metrics.map { name, values in
      (
        name, ClusteredSample(pairs.map { values($0.measured) }),
        ClusteredSample(pairs.map { values($0.simulated) })
      )
    }
  }

  /// Signed errors with bootstrap intervals: requests are drawn with replacement, both sides of a pair together.
  ///
  /// - Parameters:
  ///   - draws: how many samples are drawn; at least 1.
  ///   - seed: of the draws.
  /// - Returns: mean, median and percentiles of each latency, then throughput.
  /// - Complexity: O(draws · tokens).
  package func errors(draws: Int, seed: UInt64) -> [SignedError] {
    var errors = figures(weights: Array(repeating: 1, count: pairs.count))
    var drawn = Array(repeating: [Double](), count: errors.count)
    var random = SplitMix64(seed: seed, purpose: "bootstrap")
    for _ in 0..<draws {
      var weights = Array(repeating: Int32(0), count: pairs.count)
      for _ in pairs { weights[Int(random.next().multipliedFullWidth(by: UInt64(pairs.count)).high)] += 1 }
      for (i, figure) in figures(weights: weights).enumerated() where figure.error.isFinite {
        drawn[i].append(figure.error)
      }
    }
    for i in errors.indices {
      let sorted = drawn[i].sorted()
      errors[i].low = Self.quantile(0.025, of: sorted)
      errors[i].high = Self.quantile(0.975, of: sorted)
    }
    return errors
  }

  /// Every figure of a sample of requests.
  private func figures(weights: [Int32]) -> [SignedError] {
    var figures: [SignedError] = []
    for latency in latencies {
      let measured = latency.measured.statistics(weights: weights)
      let simulated = latency.simulated.statistics(weights: weights)
      for (i, statistic) in ClusteredSample.statistics.enumerated() {
        figures.append(
          SignedError(
            metric: latency.name, statistic: statistic, unit: "ms", measured: measured[i] * 1000,
            simulated: simulated[i] * 1000, low: .nan, high: .nan))
      }
    }
    // Both sides from the first start to the last token, so that the client's own time is in neither.
    let measured = duration(\.measured, weights)
    let simulated = duration(\.simulated, weights)
    var requests = 0
    var tokens = 0
    for (pair, weight) in zip(pairs, weights) {
      requests += Int(weight)
      tokens += Int(weight) * Int(pair.measured.outputTokens)
    }
    for (name, count, unit) in [
      ("request_throughput", requests, "req/s"), ("output_throughput", tokens, "tok/s"),
    ] {
      figures.append(
        SignedError(
          metric: name, statistic: "", unit: unit, measured: Double(count) / measured,
          simulated: Double(count) / simulated, low: .nan, high: .nan))
    }
    return figures
  }

  private func duration(_ side: (Pair) -> ServerRequest, _ weights: [Int32]) -> Seconds {
    var start = Seconds.infinity
    var end = -Seconds.infinity
    for (pair, weight) in zip(pairs, weights) where weight > 0 {
      let request = side(pair)
      start = min(start, request.start)
      end = max(end, request.start + request.endToEnd)
    }
    return end - start
  }

  private static func quantile(_ share: Double, of sorted: [Double]) -> Double {
    guard let last = sorted.last else { return .nan }
    let position = share * Double(sorted.count - 1)
    let below = sorted[Int(position)]
    let above = Int(position) + 1 < sorted.count ? sorted[Int(position) + 1] : last
    return below + (above - below) * (position - position.rounded(.down))
  }
}
