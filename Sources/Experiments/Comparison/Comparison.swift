import Serving

/// Runs of several policies over the same requests, the others compared with the first.
package struct Comparison {
  /// How a policy fares against the first.
  package struct Contest {
    package let run: CompareRun
    /// A difference for each metric and statistic.
    package let differences: [CompareDifference]
    /// Requests that both completed.
    package let pairs: Int
  }

  package let runs: [CompareRun]
  package let contests: [Contest]

  /// Compares runs, of which there must be one at least.
  package init(_ runs: [CompareRun], resamples: Int, seed: UInt64) {
    self.runs = runs
    let baseline = runs[0]
    contests = runs.dropFirst().map { run in
      let (differences, pairs) = CompareDifference.all(
        baseline: baseline.requests, other: run.requests, resamples: resamples, seed: seed)
      // A dense model reads no experts under any policy: there is nothing to compare.
      let shown = differences.filter { $0.baseline != 0 || $0.other != 0 }
      return Contest(run: run, differences: shown, pairs: pairs)
    }
  }

  /// A policy's name, without its parameters if these are not needed to tell it from others.
  package func name(of run: CompareRun) -> String {
    func plain(_ policy: String) -> Substring { policy.prefix { $0 != "[" } }
    let isAlone = Set(runs.map(\.policy).filter { plain($0) == plain(run.policy) }).count == 1
    return isAlone ? String(plain(run.policy)) : run.policy
  }

  /// The policy that the others are compared with.
  package var baseline: CompareRun { runs[0] }
}
