import Experiments
import Foundation
import ResultStore
import Serving
import Statistics

/// What `sim compare` prints.
struct CompareReport {
  let title: String
  let comparison: Comparison
  let notes: [String]
  /// One for each policy but the first, or none.
  var sensitivities: [SensitivityReport] = []

  var text: String {
    let tables = CompareTables(comparison: comparison)
    var parts = [title]
    for difference in comparison.differences { parts.append(table(of: difference)) }
    parts.append("Runs\n" + tables.totals.formatted(as: .table, width: Terminal.width))
    parts.append("Kernels (time on one GPU)\n" + tables.kernels.formatted(as: .table, width: Terminal.width))
    parts.append("Iterations\n" + tables.iterations.formatted(as: .table, width: Terminal.width))
    parts.append("Layers\n" + tables.layerGroups.formatted(as: .table, width: Terminal.width))
    for difference in comparison.differences {
      let lines = CompareExplanation(baseline: comparison.baseline, other: difference.run).lines
      parts.append(
        ([
          "Why \(comparison.name(of: difference.run)) differs from \(comparison.name(of: comparison.baseline))"
        ]
          + lines)
          .joined(separator: "\n"))
    }
    parts += sensitivities.map(\.text)
    return (parts + [notes.joined(separator: "\n")]).joined(separator: "\n\n")
  }

  private func table(of difference: PairedDifference) -> String {
    guard difference.pairs > 0 else {
      return
        "\(comparison.baseline.policy) (first) and \(difference.run.policy) (other): no request that both completed\n"
    }
    var table = ResultTable(
      columns: [
        "metric", "statistic", "first", "other", "difference", "95 % interval", "relative", "other is",
      ],
      rows: [])
    for d in difference.metrics {
      table.rows.append([
        .text(d.metric.title), .text(d.statistic.rawValue), short(d.baseline), short(d.other),
        short(d.difference.value),
        .text(
          difference.pairs < 2
            ? "one request has none"
            : String(format: "%.4g to %.4g", d.difference.interval.low, d.difference.interval.high)),
        .text(
          difference.pairs < 2
            ? String(format: "%+.1f %%", d.relative.value * 100)
            : String(
              format: "%+.1f %% (%+.1f to %+.1f)", d.relative.value * 100, d.relative.interval.low * 100,
              d.relative.interval.high * 100)),
        .text(d.verdict.rawValue),
      ])
    }
    return "\(comparison.baseline.policy) (first) and \(difference.run.policy) (other), "
      + "\(requests(of: difference))\n" + table.formatted(as: .table, width: Terminal.width)
      + verdict(difference)
  }

  /// How many requests the differences are over.
  private func requests(of difference: PairedDifference) -> String {
    guard difference.isTelling else {
      return "\(difference.pairs) requests that both completed, too few to tell a difference from chance"
    }
    let sent = max(comparison.baseline.summary.metrics.requests, difference.run.summary.metrics.requests)
    guard difference.pairs < sent else { return "the same \(sent) requests" }
    return "the \(difference.pairs) of \(sent) requests that both completed"
  }

  /// Where the policy wins and loses, by the means and the 99th percentiles whose intervals leave out zero.
  private func verdict(_ difference: PairedDifference) -> String {
    let name = comparison.name(of: difference.run)
    var lines: [String] = []
    for (verdict, word) in [(MetricDifference.Verdict.better, "wins"), (.worse, "loses")] {
      for statistic in [CompareStatistic.mean, .p99] {
        let list = difference.metrics.filter { $0.verdict == verdict && $0.statistic == statistic }
        guard !list.isEmpty else { continue }
        let parts = list.map { d in
          d.metric.name
            + (d.relative.value.isNaN ? "" : String(format: " %+.1f %%", d.relative.value * 100))
        }
        lines.append("\(name) \(word) in \(statistic.rawValue) \(parts.joined(separator: ", ")).")
      }
    }
    let open = difference.metrics.filter { $0.verdict == .undecided && $0.statistic == .mean }
    if !open.isEmpty {
      lines.append("No difference of means is shown in \(open.map(\.metric.name).joined(separator: ", ")).")
    }
    return lines.joined(separator: "\n")
  }

  private func short(_ value: Double) -> RunValue { CompareTables.short(value) }
}
