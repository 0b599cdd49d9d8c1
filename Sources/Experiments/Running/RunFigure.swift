import ResultStore
import Serving
import Statistics

/// A figure of a run: what the JSON output, the table `runs`, the tables of commands and the exports call it, and how
/// it is worked out.
///
/// There is no other list of them. Those that exist for every run have a column of `runs` each.
public struct RunFigure: Sendable, Hashable, CustomStringConvertible {
  /// The key in JSON and the column: `mean_ttft_ms`; as in vLLM's results where vLLM has it.
  public let name: String
  /// Its unit, such as `ms`; empty for counts, shares and words.
  public let unit: String
  /// What it is, in a line.
  public let summary: String
  /// Whether `runs` has a column of its name; others go to the column `extra`.
  public let isColumn: Bool
  /// Its value in a run.
  public let value: @Sendable (RunSummary) -> RunValue

  init(
    _ name: String, _ unit: String, _ summary: String, isColumn: Bool = true,
    value: @escaping @Sendable (RunSummary) -> RunValue
  ) {
    self.name = name
    self.unit = unit
    self.summary = summary
    self.isColumn = isColumn
    self.value = value
  }

  /// Its name.
  public var description: String { name }

  /// Whether two figures have the same name.
  public static func == (a: RunFigure, b: RunFigure) -> Bool { a.name == b.name }
  /// Hashes the name.
  public func hash(into hasher: inout Hasher) { hasher.combine(name) }

  /// The figures of every run.
  public static let all = all(percentiles: [99])

  /// The figures of a run that reports other percentiles of latencies.
  public static func all(percentiles: [Double]) -> [RunFigure] {
    counts + LatencyMetric.allCases.flatMap { latency($0, percentiles: percentiles) } + rest
  }

  /// The figure of a name among those of every run.
  public static func named(_ name: String) -> RunFigure? { all.first { $0.name == name } }

  /// Mean, deviation, median and percentiles of a latency.
  private static func latency(_ metric: LatencyMetric, percentiles: [Double]) -> [RunFigure] {
    [mean(metric), deviation(metric)] + ([50] + percentiles).map { percentile($0, metric) }
  }

  static func mean(_ metric: LatencyMetric) -> RunFigure {
    RunFigure("mean_\(metric)_ms", "ms", "mean \(metric.summary)") { run in
      milliseconds(metric.distribution(of: run.metrics)) { $0.mean }
    }
  }

  static func deviation(_ metric: LatencyMetric) -> RunFigure {
    RunFigure("std_\(metric)_ms", "ms", "standard deviation: \(metric.summary)") { run in
      milliseconds(metric.distribution(of: run.metrics)) { $0.deviation }
    }
  }

  static func percentile(_ percent: Double, _ metric: LatencyMetric) -> RunFigure {
    let (name, title) =
      percent == 50 ? ("median", "median") : ("p\(plain(percent))", "\(plain(percent)) % are at most")
    return RunFigure(
      "\(name)_\(metric)_ms", "ms", "\(title): \(metric.summary)", isColumn: [50, 99].contains(percent)
    ) { run in
      milliseconds(metric.distribution(of: run.metrics)) { _ in run.percentile(percent, of: metric) }
    }
  }

  /// Null if no request has the latency.
  private static func milliseconds(
    _ distribution: WeightedDistribution, _ seconds: (WeightedDistribution) -> Double
  ) -> RunValue {
    RunValue(distribution.count > 0 ? seconds(distribution) * 1000 : .nan)
  }

  /// A percentile as names have it: 99, 99.9.
  package static func plain(_ percent: Double) -> String {
    percent == percent.rounded() ? "\(Int(percent))" : "\(percent)"
  }
}
