import Serving

/// How a policy differs from the first one over the requests that both completed.
package struct PairedDifference {
  /// The policy's run.
  package let run: CompareRun
  /// A difference for each metric and statistic.
  package let metrics: [MetricDifference]
  /// Requests that both completed.
  package let pairs: Int
  /// Whether they are enough to tell a difference from chance.
  package var isTelling: Bool { pairs >= MetricDifference.fewestPairs }

  /// Compares a run with the first one.
  init(of run: CompareRun, from baseline: CompareRun, resamples: Int, seed: UInt64) {
    let (metrics, pairs) = MetricDifference.all(
      baseline: baseline.requests, other: run.requests, resamples: resamples, seed: seed)
    self.run = run
    self.pairs = pairs
    // A dense model reads no experts under any policy: there is nothing to compare.
    self.metrics = metrics.filter { $0.baseline != 0 || $0.other != 0 }
  }
}
