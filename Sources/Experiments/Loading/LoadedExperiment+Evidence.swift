import CostModels
import Foundation
import ResultStore
import Serving

extension LoadedExperiment {
  /// What the times of the run's kernels rest on, in shares; empty where a law prices whole iterations.
  ///
  /// - Complexity: as of finding the fits of all kernels: some milliseconds, so that callers ask once.
  package func evidence(_ totals: SystemTotals) -> EvidenceShares {
    guard law == nil else { return EvidenceShares(shares: []) }
    let pools = [loaded] + (decoders.map { [$0.pool.loaded] + $0.others.map(\.loaded) } ?? [])
    var all: KernelEvidence?
    func add(_ evidence: KernelEvidence) {
      if all == nil { all = evidence } else { all?.merge(evidence) }
    }
    for pool in pools {
      let system = pool.system
      add(KernelEvidence(system.shard, system.kernelChoice, calibration: pool.calibration))
      if let drafter = pool.drafter {
        let own = drafter.system
        add(
          KernelEvidence(
            own.shard, own.engine.kernelChoice, calibration: pool.draftCalibration ?? pool.calibration,
            prefix: "draft_"))
      }
      if let encoder = pool.encoder?.system {
        add(
          KernelEvidence(
            encoder.shard, encoder.kernelChoice, calibration: pool.encoderCalibration ?? pool.calibration,
            prefix: "encoder_"))
      }
    }
    return EvidenceShares(shares: all?.shares(of: totals.kernels) ?? [])
  }
}

/// The shares of the kernels' time by what it rests on.
package struct EvidenceShares: Sendable {
  /// The kinds that take any time, the surest first; empty where a law prices whole iterations.
  let shares: [(kind: KernelEvidence.Kind, share: Double)]

  /// The shares as JSON output has them, each under a key: `beyond_measured_sizes`, `by_the_data_sheet`.
  package var values: [(String, RunValue)] {
    shares.map { ($0.kind.rawValue.replacing(" ", with: "_"), RunValue($0.share)) }
  }

  /// The share of the kernels' time that rests on no measurement of the very shape and size, 0 to 1.
  var unmeasured: Double {
    shares.isEmpty ? 0 : 1 - (shares.first { $0.kind == .measured }?.share ?? 0)
  }

  /// The shares in tenths of a percent, rounded so that they add up to 100 %: down, and those with the largest remainders up.
  private var tenths: [Int] {
    let exact = shares.map { $0.share * 1000 }
    var tenths = exact.map { Int($0) }
    let order = exact.indices.sorted { a, b in
      let (x, y) = (exact[a] - Double(tenths[a]), exact[b] - Double(tenths[b]))
      return x != y ? x > y : a < b
    }
    for i in order.prefix(max(0, 1000 - tenths.reduce(0, +))) { tenths[i] += 1 }
    return tenths
  }

  /// The shares, and which kernels' launches lie outside what was measured; `nil` where a law prices whole iterations.
  func line(_ totals: SystemTotals) -> String? {
    guard !shares.isEmpty else { return nil }
    let parts = zip(shares, tenths).map { share, tenths in
      (tenths == 0 ? "under 0.1" : String(format: "%.1f", Double(tenths) / 10)) + " % \(share.kind.rawValue)"
    }
    let outside = totals.kernels.filter { $0.extrapolatedCalls > 0 }
      .sorted { $0.extrapolatedSeconds > $1.extrapolatedSeconds }
    let names = outside.map { use in
      let percent = 100 * use.extrapolatedCalls / max(use.calls, 1)
      return "\(use.kernel) \(percent < 1 ? "under 1" : "\(percent)") %"
    }
    return "Kernel time by evidence: \(parts.joined(separator: ", "))."
      + (names.isEmpty ? "" : " Calls outside what was measured: \(names.joined(separator: ", ")).")
  }
}
