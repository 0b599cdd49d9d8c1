import Serving
import Statistics

/// How one policy differs from the first in one statistic of one metric, over the same requests.
package struct MetricDifference: Sendable {
  package let metric: CompareMetric
  package let statistic: CompareStatistic
  /// The statistic under the first policy, and under the other.
  package let baseline: Double
  package let other: Double
  /// The other's less the first's.
  package let difference: Estimate
  /// The difference as a share of the first's.
  package let relative: Estimate
  /// Requests that both policies have completed.
  package let pairs: Int

  /// Fewer pairs than these tell no difference from chance.
  package static let fewestPairs = 20

  /// Whether the other policy is better, worse, or not shown to be either.
  package var verdict: Verdict {
    guard pairs >= Self.fewestPairs, difference.interval.excludesZero else { return .undecided }
    return difference.value < 0 ? .better : .worse
  }

  package enum Verdict: String { case better, worse, undecided }

  /// Compares the requests that both policies have completed.
  ///
  /// - Returns: a difference for each metric and statistic.
  /// - Complexity: O(resamples × requests).
  package static func all(
    baseline: [RequestRecord], other: [RequestRecord], resamples: Int, seed: UInt64
  ) -> (differences: [MetricDifference], pairs: Int) {
    let pairs = pairs(baseline, other)
    let samples = CompareMetric.allCases.map { metric in
      (
        baseline: ClusteredSample(pairs.map { metric.value(of: $0.0) }),
        other: ClusteredSample(pairs.map { metric.value(of: $0.1) })
      )
    }
    let wanted = CompareStatistic.allCases.map(\.statistic)
    func statistics(_ weights: [Int32]) -> [(Double, Double)] {
      samples.flatMap { sample in
        Array(
          zip(
            sample.baseline.statistics(wanted, weights: weights),
            sample.other.statistics(wanted, weights: weights)))
      }
    }
    let estimates = statistics(Array(repeating: 1, count: pairs.count))
    // Requests that follow each other share a queue: blocks of them are drawn.
    var bootstrap = Bootstrap(
      count: pairs.count, blockLength: Bootstrap.blockLength(ofSeries: pairs.count), seed: seed)
    let draws = bootstrap.draws(resamples) { weights in
      statistics(weights).flatMap { a, b in [b - a, a > 0 ? b / a - 1 : .nan] }
    }
    let kinds = CompareMetric.allCases.flatMap { metric in CompareStatistic.allCases.map { (metric, $0) } }
    let list = kinds.enumerated().map { i, kind in
      let (a, b) = estimates[i]
      return MetricDifference(
        metric: kind.0, statistic: kind.1, baseline: a, other: b,
        difference: Estimate(b - a, Interval(ofDraws: draws[2 * i], ends: .outward)),
        relative: Estimate(
          a > 0 ? b / a - 1 : .nan, Interval(ofDraws: draws[2 * i + 1], ends: .outward)),
        pairs: pairs.count)
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
