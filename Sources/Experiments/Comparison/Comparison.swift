import Serving

/// Runs of several policies over the same requests, the others compared with the first.
package struct Comparison {
  package let runs: [CompareRun]
  /// How each of the others differs from the first.
  package let differences: [PairedDifference]

  /// Compares runs, of which there must be one at least.
  package init(_ runs: [CompareRun], resamples: Int, seed: UInt64) {
    self.runs = runs
    differences = runs.dropFirst().map {
      PairedDifference(of: $0, from: runs[0], resamples: resamples, seed: seed)
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
