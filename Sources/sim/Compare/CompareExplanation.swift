import Experiments
import Foundation
import Serving

/// Where the time, energy and bytes of two runs part, in a sentence each.
struct CompareExplanation {
  let baseline: CompareRun
  let other: CompareRun
  /// Contributions that are named.
  private static let named = 4

  var lines: [String] { [time, energy, expertWeights, gaps] }

  private var time: String {
    let parts = kernels.map { ($0, other.kernel($0).seconds - baseline.kernel($0).seconds) }
    return sentence(
      "Time in iterations", baseline.summary.metrics.busySeconds, other.summary.metrics.busySeconds, "s",
      parts + [("host", other.hostSeconds - baseline.hostSeconds)])
  }

  private var energy: String {
    let parts = kernels.map { ($0, (other.kernel($0).joules - baseline.kernel($0).joules) / 1000) }
    return sentence(
      "Energy", baseline.summary.joules / 1000, other.summary.joules / 1000, "kJ",
      parts + [("idle power", (other.idleJoules - baseline.idleJoules) / 1000)])
  }

  private var expertWeights: String {
    let parts = LayerGroup.allCases.map { group in
      let (a, b) = (
        group.use(in: baseline.summary.totals.layerUses), group.use(in: other.summary.totals.layerUses)
      )
      let passes = "\(group.rawValue) (\(a.passes) to \(b.passes) passes)"
      return (passes, (b.expertBytes - a.expertBytes) / 1e12)
    }
    return sentence(
      "Expert weights", baseline.summary.metrics.expertBytes / 1e12, other.summary.metrics.expertBytes / 1e12,
      "TB", parts)
  }

  /// Stalls of decoding sequences are the iterations that carry prefill.
  private var gaps: String {
    func mean(_ run: CompareRun, _ kinds: [CompareIterations.Kind]) -> Double {
      let chosen = kinds.compactMap { run.iterations[$0] }
      let count = chosen.reduce(0) { $0 + $1.count }
      return count > 0 ? chosen.reduce(0) { $0 + $1.seconds } / Double(count) * 1000 : 0
    }
    let prefill: [CompareIterations.Kind] = [.fullDepth, .partialDepth]
    return String(
      format:
        "Iterations with prefill take %.1f ms instead of %.1f; those that only decode %.1f instead of %.1f.",
      mean(other, prefill), mean(baseline, prefill), mean(other, [.decodeOnly]), mean(baseline, [.decodeOnly])
    )
  }

  private var kernels: [String] {
    let names = baseline.summary.totals.kernels.map(\.kernel)
    return names + other.summary.totals.kernels.map(\.kernel).filter { !names.contains($0) }
  }

  private func sentence(
    _ what: String, _ before: Double, _ after: Double, _ unit: String,
    _ parts: [(name: String, change: Double)]
  ) -> String {
    let share = before > 0 ? String(format: " (%+.1f %%)", (after / before - 1) * 100) : ""
    let largest = parts.filter { abs($0.change) > 0.001 * max(before, after) }
      .sorted { abs($0.change) > abs($1.change) }.prefix(Self.named)
    let list = largest.map { String(format: "%@ %+.3g %@", $0.name, $0.change, unit) }
    return String(format: "%@: %.4g %@ instead of %.4g%@", what, after, unit, before, share)
      + (list.isEmpty ? "." : ": " + list.joined(separator: ", ") + ".")
  }
}
