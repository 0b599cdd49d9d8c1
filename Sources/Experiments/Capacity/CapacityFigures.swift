import Serving

/// The figures of a run that a search for capacity uses.
package struct CapacityFigures: Sendable, Hashable {
  /// Share of requests that met the objective.
  package var attainment: Double
  /// Mean power of all GPUs.
  package var watts: Double
  /// Energy per token, input and output, in millijoules.
  package var millijoulesPerToken: Double
  /// Requests that were not done when the run was cut.
  package var unfinished: Int
  /// Share of requests that were served.
  package var served: Double
  /// Share of all requests that a new one finds in the system, as a mean.
  package var crowding = 0.0
  /// Statistics of latencies in milliseconds, by the names of figures; those that the run has.
  package var latencies: [String: Double]
  /// Shares of requests that keep a single limit, by its name; those that are known.
  package var shares: [String: Double]

  package init(
    attainment: Double, watts: Double, millijoulesPerToken: Double, unfinished: Int, served: Double = 1,
    latencies: [String: Double] = [:], shares: [String: Double] = [:]
  ) {
    self.attainment = attainment
    self.watts = watts
    self.millijoulesPerToken = millijoulesPerToken
    self.unfinished = unfinished
    self.served = served
    self.latencies = latencies
    self.shares = shares
  }

  /// The figures of a run.
  ///
  /// - Parameters:
  ///   - summary: of the run.
  ///   - statistics: the limits on statistics whose figures are to be among them.
  package init(_ summary: RunSummary, statistics: [LatencyLimit] = []) {
    let perToken = summary[.energyPerToken]
    self.init(
      attainment: summary.metrics.attainment,
      watts: summary[.energy] / max(summary[.duration], .leastNonzeroMagnitude),
      millijoulesPerToken: perToken.isNaN ? .infinity : perToken, unfinished: summary.metrics.unfinished,
      served: Double(summary.metrics.completed) / Double(max(summary.metrics.requests, 1)),
      shares: [
        LatencyLimit.Latency.ttft.rawValue: summary.metrics.attainmentOfFirstToken,
        LatencyLimit.Latency.tbt.rawValue: summary.metrics.attainmentOfGaps,
      ])
    crowding = summary.totals.meanInSystem / Double(max(summary.wholeRequests, 1))
    for figure in statistics.compactMap(\.figure) {
      let value = summary[figure]
      if !value.isNaN { latencies[figure.name] = value }
    }
  }

  /// The means over several runs, of which there is one at least; the sum of what was unfinished.
  package init(meanOf all: [CapacityFigures]) {
    let n = Double(max(all.count, 1))
    func mean(_ value: (CapacityFigures) -> Double) -> Double { all.reduce(0) { $0 + value($1) } / n }
    func means(_ values: (CapacityFigures) -> [String: Double]) -> [String: Double] {
      var sums: [String: (sum: Double, count: Double)] = [:]
      for figures in all {
        for (name, value) in values(figures) {
          sums[name, default: (0, 0)].sum += value
          sums[name, default: (0, 0)].count += 1
        }
      }
      return sums.mapValues { $0.sum / $0.count }
    }
    self.init(
      attainment: mean(\.attainment), watts: mean(\.watts), millijoulesPerToken: mean(\.millijoulesPerToken),
      unfinished: all.reduce(0) { $0 + $1.unfinished }, served: mean(\.served), latencies: means(\.latencies),
      shares: means(\.shares))
    crowding = mean(\.crowding)
  }

  /// Whether so many requests are in the system at a time that the run is a burst, and says nothing of a steady rate.
  ///
  /// By Little's law a new request finds rate times latency others. Where that is a quarter of all that there are, the first
  /// and the last of them, which wait for nobody and whom nobody follows, decide.
  package var isBurst: Bool { crowding > 0.25 }
}
