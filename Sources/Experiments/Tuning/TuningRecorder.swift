import ResultStore
import Serving

/// Records what several criteria say of one run.
package struct TuningRecorder: Recorder {
  /// Requests that keep the limits of a criterion.
  private struct Kept {
    var good = 0
    /// By the places of `LatencyLimit.Latency`.
    var shares = Array(repeating: 0, count: LatencyLimit.Latency.allCases.count)
  }

  package private(set) var run: RunRecorder
  private let objectives: [ServiceObjective]
  private var kept: [Kept]
  private var requests = 0

  /// Creates a recorder for objectives, of which there is one at least.
  package init(objectives: [ServiceObjective], window: MeasuredWindow? = nil) {
    run = RunRecorder(metrics: RunMetrics(objective: objectives.first ?? ServiceObjective()))
    run.measure(window)
    self.objectives = objectives
    kept = objectives.map { _ in Kept() }
  }

  package mutating func record(_ iteration: IterationRecord) { run.record(iteration) }
  package mutating func record(_ iterations: Span<IterationRecord>) { run.record(iterations) }
  package mutating func record(gap: Seconds, tokens: Int) { run.record(gap: gap, tokens: tokens) }
  package mutating func record(gaps: Span<Seconds>, tokens: Int) { run.record(gaps: gaps, tokens: tokens) }
  package mutating func record(_ span: SpanRecord) {}

  package mutating func record(_ request: RequestRecord) {
    run.record(request)
    guard run.counts(request) else { return }
    requests += 1
    for i in objectives.indices {
      let objective = request.request.objective ?? objectives[i]
      if objective.isMet(by: request) { kept[i].good += 1 }
      for (place, latency) in LatencyLimit.Latency.allCases.enumerated() {
        var single = ServiceObjective()
        switch latency {
        case .ttft: single.timeToFirstToken = objective.timeToFirstToken
        case .tbt, .itl: single.timeBetweenTokens = objective.timeBetweenTokens
        case .tpot: single.timePerOutputToken = objective.timePerOutputToken
        case .e2el: single.endToEnd = objective.endToEnd
        }
        if single.isMet(by: request) { kept[i].shares[place] += 1 }
      }
    }
  }

  /// Requests so far that missed the first objective.
  package var missed: Int { requests - kept[0].good }

  /// The figures for each objective.
  ///
  /// - Parameters:
  ///   - summary: of the run.
  ///   - statistics: the limits on statistics of each objective's criterion.
  ///   - besides: requests that a run which was cut short has not come to; they count as meeting every limit.
  /// - Returns: figures in the order of the objectives.
  package func figures(
    _ summary: RunSummary, statistics: [[LatencyLimit]], besides: Int = 0
  ) -> [CapacityFigures] {
    let n = Double(max(requests + besides, 1))
    return zip(kept, statistics).map { kept, statistics in
      var figures = CapacityFigures(summary, statistics: statistics)
      figures.attainment = Double(kept.good + besides) / n
      for (place, latency) in LatencyLimit.Latency.allCases.enumerated() {
        figures.shares[latency.rawValue] = Double(kept.shares[place] + besides) / n
      }
      return figures
    }
  }
}
