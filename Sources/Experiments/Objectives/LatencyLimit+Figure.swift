import Serving
import Statistics

extension LatencyLimit {
  /// The figure of runs that is limited; `nil` for limits of single requests.
  package var figure: RunFigure? {
    let metric: LatencyMetric
    switch latency {
    case .ttft: metric = .ttft
    case .tpot: metric = .tpot
    case .itl, .tbt: metric = .itl
    case .e2el: metric = .e2el
    }
    switch scope {
    case .eachRequest: return nil
    case .mean: return .mean(metric)
    case .percentile(let percent): return .percentile(percent, metric)
    }
  }
}
