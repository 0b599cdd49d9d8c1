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

  /// The statistics of each latency.
  private static let statistics: [(String, Statistic)] = [
    ("mean", .mean), ("median", .median), ("p90", .quantile(0.9)), ("p99", .quantile(0.99)),
  ]

  private let pairs: [Pair]
  private let latencies: [(name: String, measured: ClusteredSample, simulated: ClusteredSample)]

  /// Prepares the samples of both sides.
  ///
  /// - Parameters:
  ///   - pairs: the requests.
  ///   - comparesGaps: whether the measured gaps are those between tokens.
  package init(_ pairs: [Pair], comparesGaps: Bool = true) {
    self.pairs = pairs
    var metrics: [(String, (ServerRequest) -> [Double])] = [
      ("ttft", { [$0.firstToken] }), ("tpot", { $0.perOutputToken.map { [$0] } ?? [] }),
    ]
    if comparesGaps { metrics.append(("itl", \.gaps)) }
    metrics.append(("e2el", { [$0.endToEnd] }))
    latencies = metrics.map { name, values in
      (
        name, ClusteredSample(clusters: pairs.map { values($0.measured) }),
        ClusteredSample(clusters: pairs.map { values($0.simulated) })
      )
    }
  }

  /// Signed errors with bootstrap intervals: requests are drawn with replacement, both sides of a pair together.
  ///
  /// - Parameters:
  ///   - draws: how many samples are drawn; at least 1.
  ///   - seed: of the draws.
  /// - Returns: mean, median and percentiles of each latency, then throughput where starts are known.
  /// - Complexity: O(draws · tokens).
  package func errors(draws: Int, seed: UInt64) -> [SignedError] {
    var errors = figures(weights: Array(repeating: 1, count: pairs.count))
    var bootstrap = Bootstrap(count: pairs.count, seed: seed)
    let drawn = bootstrap.draws(draws) { weights in figures(weights: weights).map(\.error) }
    for i in errors.indices { errors[i].interval = Interval(ofDraws: drawn[i].filter(\.isFinite)) }
    return errors
  }

  /// Every figure of a sample of requests.
  private func figures(weights: [Int32]) -> [SignedError] {
    var figures: [SignedError] = []
    for latency in latencies {
      let measured = latency.measured.statistics(Self.statistics.map(\.1), weights: weights)
      let simulated = latency.simulated.statistics(Self.statistics.map(\.1), weights: weights)
      for (i, statistic) in Self.statistics.map(\.0).enumerated() {
        figures.append(
          SignedError(
            metric: latency.name, statistic: statistic, unit: "ms", measured: measured[i] * 1000,
            simulated: simulated[i] * 1000, interval: Interval(low: .nan, high: .nan)))
      }
    }
    guard !pairs.contains(where: { $0.measured.start == nil }) else { return figures }
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
          simulated: Double(count) / simulated, interval: Interval(low: .nan, high: .nan)))
    }
    return figures
  }

  private func duration(_ side: (Pair) -> ServerRequest, _ weights: [Int32]) -> Seconds {
    var start = Seconds.infinity
    var end = -Seconds.infinity
    for (pair, weight) in zip(pairs, weights) where weight > 0 {
      let request = side(pair)
      guard let sent = request.start else { continue }
      start = min(start, sent)
      end = max(end, sent + request.endToEnd)
    }
    return end - start
  }
}
