import Serving

/// Means over the requests of a run: what a search through many runs compares.
package struct RequestMeans: Recorder, Sendable {
  /// What requests are held against.
  package let objective: ServiceObjective
  private var sums = Array(repeating: 0.0, count: CompareMetric.allCases.count)
  private var counts = Array(repeating: 0, count: CompareMetric.allCases.count)
  private var requests = 0
  private var good = 0

  /// Creates means of nothing.
  package init(objective: ServiceObjective) { self.objective = objective }

  /// Does nothing: iterations say nothing of single requests.
  package mutating func record(_ iteration: IterationRecord) {}

  /// Does nothing: spans say nothing that the means need.
  package mutating func record(_ span: SpanRecord) {}

  /// Adds a request.
  package mutating func record(_ request: RequestRecord) {
    requests += 1
    if objective.isMet(by: request) { good += 1 }
    guard request.status == .completed else { return }
    for (place, metric) in CompareMetric.allCases.enumerated() {
      let value = metric.value(of: request)
      guard !value.isNaN else { continue }
      sums[place] += value
      counts[place] += 1
    }
  }

  /// The mean of a metric over the requests that have it; not a number if none has.
  package subscript(metric: CompareMetric) -> Double {
    guard let place = CompareMetric.allCases.firstIndex(of: metric), counts[place] > 0 else { return .nan }
    return sums[place] / Double(counts[place])
  }

  /// Share of requests that met the objective.
  package var attainment: Double { Double(good) / Double(max(requests, 1)) }
}
