import Serving

/// How one policy differs from the first in one statistic of one metric, over the same requests.
package struct CompareDifference: Sendable {
  package let metric: CompareMetric
  package let statistic: CompareStatistic
  /// The statistic under the first policy, and under the other.
  package let baseline: Double
  package let other: Double
  /// The other's less the first's.
  package let difference: CompareInterval
  /// The difference as a share of the first's.
  package let relative: CompareInterval

  /// Whether the other policy is better, worse, or not shown to be either.
  package var verdict: Verdict {
    guard difference.excludesZero else { return .undecided }
    return difference.estimate < 0 ? .better : .worse
  }

  package enum Verdict: String { case better, worse, undecided }

  /// Compares the requests that both policies have completed.
  ///
  /// - Returns: a difference for each metric and statistic.
  /// - Complexity: O(resamples × requests).
  package static func all(
    baseline: [RequestRecord], other: [RequestRecord], resamples: Int, seed: UInt64
  ) -> (differences: [CompareDifference], pairs: Int) {
    let pairs = pairs(baseline, other)
    let samples = CompareMetric.allCases.map { metric in
      (
        baseline: CompareSample(pairs.map { metric.value(of: $0.0) }),
        other: CompareSample(pairs.map { metric.value(of: $0.1) })
      )
    }
    var weights = Array(repeating: 1, count: pairs.count)
    func statistics() -> [(Double, Double)] {
      samples.flatMap {
        Array(zip($0.baseline.statistics(weights: weights), $0.other.statistics(weights: weights)))
      }
    }
    let estimates = statistics()
    var differences = estimates.map { _ in [Double]() }
    var relatives = differences
    var bootstrap = CompareBootstrap(count: pairs.count, seed: seed)
    for _ in 0..<resamples {
      bootstrap.draw(into: &weights)
      for (i, (a, b)) in statistics().enumerated() {
        differences[i].append(b - a)
        relatives[i].append(a > 0 ? b / a - 1 : .nan)
      }
    }
    let kinds = CompareMetric.allCases.flatMap { metric in CompareStatistic.allCases.map { (metric, $0) } }
    let list = kinds.enumerated().map { i, kind in
      let (a, b) = estimates[i]
      return CompareDifference(
        metric: kind.0, statistic: kind.1, baseline: a, other: b,
        difference: CompareInterval(estimate: b - a, resampled: differences[i]),
        relative: CompareInterval(estimate: a > 0 ? b / a - 1 : .nan, resampled: relatives[i]))
    }
    return (list, pairs.count)
  }

  /// The requests that were completed both times, in order of arrival.
  private static func pairs(
    _ baseline: [RequestRecord], _ other: [RequestRecord]
  ) -> [(RequestRecord, RequestRecord)] {
    var byID: [Int: RequestRecord] = [:]
    for record in other where record.status == .completed { byID[record.request.id] = record }
    return baseline.filter { $0.status == .completed }.sorted { $0.request.id < $1.request.id }
      .compactMap { record in byID[record.request.id].map { (record, $0) } }
  }
}
