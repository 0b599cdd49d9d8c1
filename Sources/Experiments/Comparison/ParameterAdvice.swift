import Dispatch
import Policies
import Serving
import Synchronization

/// A value of a policy's batch parameter that does much better than the one it was run with, on the same requests.
package struct ParameterAdvice: Sendable {
  /// The parameter: `budget`, `cohort`, `chunk`.
  package let parameter: String
  /// The better value.
  package let value: Tokens
  /// The deciding figure as it was run, and with the better value.
  package let mean: Double
  package let betterMean: Double
  /// Share of requests that meet the objective as it was run, and with the better value.
  package let attainment: Double
  package let betterAttainment: Double

  /// The values that are tried.
  package static let values: [Tokens] = [256, 512, 1024, 2048, 4096, 8192, 16384]
  /// What counts as far from the best: this much more attainment, or this much less of the deciding figure at no less
  /// attainment.
  package static let attainmentMargin = 0.05
  package static let meanMargin = 0.1
  /// Attainment that two runs may differ by and still count as equal.
  private static let slack = 0.002

  /// Tries other values.
  ///
  /// - Parameters:
  ///   - experiment: what was run.
  ///   - metric: what decides between values that meet the objective equally well; less is better.
  ///   - runs: makes the runs, and remembers them.
  /// - Returns: the best value, if what was run is far from it.
  /// - Throws: if the policy breaks the engine's rules.
  /// - Complexity: that of seven runs, on all cores.
  package static func find(
    for experiment: LoadedExperiment, metric: CompareMetric, runs: VariantRuns
  ) throws -> ParameterAdvice? {
    let parameter = experiment.policy.entry.batchedTokens
    let outcomes = Mutex([Result<RequestMeans, any Error>?](repeating: nil, count: values.count))
    DispatchQueue.concurrentPerform(iterations: values.count) { i in
      guard
        let variant = try? runs.variant(
          of: experiment, { $0.policy?.parameters[parameter] = .number(Double(values[i])) }),
        // A smaller limit that turns longer requests away is no better way to serve them.
        variant.longestSequence >= experiment.longestSequence
      else { return }
      let outcome = Result<RequestMeans, any Error> { try runs.means(of: variant) }
      outcomes.withLock { $0[i] = outcome }
    }
    let own = try runs.means(of: experiment)
    var best = (value: experiment.policy.batchedTokens, means: own)
    for (value, outcome) in zip(values, outcomes.withLock({ $0 })) {
      guard let means = try outcome?.get() else { continue }
      let gain = means.attainment - best.means.attainment
      if gain > slack || (gain >= -slack && means[metric] < best.means[metric]) { best = (value, means) }
    }
    let isFar =
      best.means.attainment > own.attainment + attainmentMargin
      || (best.means.attainment >= own.attainment - slack
        && best.means[metric] < own[metric] * (1 - meanMargin))
    guard isFar else { return nil }
    return ParameterAdvice(
      parameter: parameter, value: best.value, mean: own[metric], betterMean: best.means[metric],
      attainment: own.attainment, betterAttainment: best.means.attainment)
  }
}
