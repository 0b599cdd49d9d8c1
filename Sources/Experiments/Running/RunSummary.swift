import CostModels
import ResultStore
import Serving
import Statistics
import Systems

/// Everything that the figures of a run are computed from.
public struct RunSummary: Sendable {
  /// Distributions and counts.
  public let metrics: RunMetrics
  /// Time spent in iterations of the whole run, of which ``totals`` tell the kernels; of a pipeline that of all stages.
  public let busySeconds: Double
  /// How long the whole run took; ``metrics`` may be of a part.
  public let wholeDuration: Double
  /// Requests of the whole run.
  public let wholeRequests: Int
  /// What kernels and idle time used.
  public let totals: SystemTotals
  /// Where the figures of energy come from.
  public let energyQuality: Quality
  /// Whether prompts with the same beginning shared its blocks.
  public let cachesPrefixes: Bool
  /// Blocks of KV memory of an instance.
  public let kvBlocks: Int
  /// Real time that the simulation took, in seconds.
  public let wall: Double
  /// Percentiles of latencies that are reported, beside the median.
  public let percentiles: [Double]
  /// The median and these percentiles of each latency: many gaps are passed through for them, once.
  private let latencyPercentiles: [LatencyMetric: [Seconds]]

  init(
    metrics: RunMetrics, whole: RunMetrics, totals: SystemTotals, energyQuality: Quality,
    cachesPrefixes: Bool,
    kvBlocks: Int, wall: Double,
    percentiles: [Double]
  ) {
    self.metrics = metrics
    // Of a pipeline steps overlap.
    busySeconds = totals.pipeline?.stageSeconds ?? whole.busySeconds
    wholeDuration = whole.duration
    wholeRequests = whole.requests
    self.totals = totals
    self.energyQuality = energyQuality
    self.cachesPrefixes = cachesPrefixes
    self.kvBlocks = kvBlocks
    self.wall = wall
    self.percentiles = percentiles
    latencyPercentiles = Dictionary(
      uniqueKeysWithValues: LatencyMetric.allCases.map {
        ($0, $0.distribution(of: metrics).percentiles([50] + percentiles))
      })
  }

  /// A percentile of a latency, in seconds; 0 if no request has the latency.
  func percentile(_ percent: Double, of metric: LatencyMetric) -> Seconds {
    if let place = ([50] + percentiles).firstIndex(of: percent), let known = latencyPercentiles[metric] {
      return known[place]
    }
    return metric.distribution(of: metrics).percentiles([percent])[0]
  }

  /// A figure as a number, in its unit; not a number if the run has none.
  public subscript(figure: RunFigure) -> Double { figure.value(self).number ?? .nan }

  /// Names and values of all figures, in the order in which they are printed.
  public var values: [(String, RunValue)] {
    let figures =
      RunFigure.all(percentiles: percentiles) + (cachesPrefixes ? [.prefixHitRate] : [])
      + (totals.pipeline != nil ? [.pipelineBubble] : [])
    return figures.map { ($0.name, $0.value(self)) }
  }

  /// Energy from the first arrival to the end of the last iteration, all GPUs.
  public var joules: Joules { metrics.joules + totals.idleJoules }

  /// Columns of the table `percentiles` and their values, for each latency that the run has.
  var percentileRows: [[(String, RunValue)]] {
    let percents: [Double] = [50, 90, 95, 99]
    return latencies.filter { $0.1.count > 0 }.map { metric, values in
      let head = [("metric", RunValue(metric.rawValue)), ("samples", RunValue(values.count))]
      let moments = [
        ("mean", values.mean), ("std", values.deviation), ("min", values.min), ("max", values.max),
      ]
      let ranks = zip(percents, values.percentiles(percents)).map { ("p\(RunFigure.plain($0))", $1) }
      return head + (moments + ranks).map { ("\($0)_ms", RunValue($1 * 1000)) }
    }
  }

  /// Latency distributions by vLLM's names.
  package var latencies: [(LatencyMetric, WeightedDistribution)] {
    LatencyMetric.allCases.map { ($0, $0.distribution(of: metrics)) }
  }
}

/// A latency that runs have a distribution of.
package enum LatencyMetric: String, CaseIterable, Sendable {
  case ttft, tpot, itl, e2el

  /// What it is.
  var summary: String {
    switch self {
    case .ttft: "time to first token"
    case .tpot: "time per output token after the first, of each request with two or more"
    case .itl: "latency between two successive tokens of a request"
    case .e2el: "time from arrival to last token"
    }
  }

  /// Its values in a run, in seconds.
  func distribution(of metrics: RunMetrics) -> WeightedDistribution {
    switch self {
    case .ttft: metrics.timeToFirstToken
    case .tpot: metrics.timePerOutputToken
    case .itl: metrics.interTokenLatency
    case .e2el: metrics.endToEnd
    }
  }
}
