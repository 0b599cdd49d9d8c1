import Foundation
import ResultStore
import SimCore

/// What `sim compare` prints.
struct CompareReport {
  let title: String
  let comparison: Comparison
  let notes: [String]

  var text: String {
    var parts = [title]
    for contest in comparison.contests { parts.append(differences(of: contest)) }
    parts.append("Runs\n" + CompareTables.totals(comparison.runs).formatted(as: .table))
    parts.append("Kernels (time on one GPU)\n" + CompareTables.kernels(comparison.runs).formatted(as: .table))
    parts.append("Iterations\n" + CompareTables.iterations(comparison.runs).formatted(as: .table))
    parts.append("Layers\n" + CompareTables.layerGroups(comparison.runs).formatted(as: .table))
    for contest in comparison.contests {
      let lines = CompareExplanation(baseline: comparison.baseline, other: contest.run).lines
      parts.append(
        (["Why \(contest.run.policy) differs from \(comparison.baseline.policy)"] + lines)
          .joined(separator: "\n"))
    }
    return (parts + [notes.joined(separator: "\n")]).joined(separator: "\n\n")
  }

  private func differences(of contest: Comparison.Contest) -> String {
    var table = ResultTable(
      columns: [
        "metric", "statistic", "first", "other", "difference", "95 % interval", "relative", "other is",
      ],
      rows: [])
    for d in contest.differences {
      table.rows.append([
        .text(d.metric.title), .text(d.statistic.rawValue), short(d.baseline), short(d.other),
        short(d.difference.estimate),
        .text(String(format: "%.4g to %.4g", d.difference.low, d.difference.high)),
        .text(
          String(
            format: "%+.1f %% (%+.1f to %+.1f)", d.relative.estimate * 100, d.relative.low * 100,
            d.relative.high * 100)),
        .text(d.verdict.rawValue),
      ])
    }
    return "\(comparison.baseline.policy) (first) and \(contest.run.policy) (other), "
      + "the same \(contest.pairs) requests\n" + table.formatted(as: .table) + verdict(contest)
  }

  /// Who wins where, by means and tails whose intervals leave out zero.
  private func verdict(_ contest: Comparison.Contest) -> String {
    func list(_ verdict: CompareDifference.Verdict) -> String {
      contest.differences.filter { $0.verdict == verdict }.map { d in
        let name = d.statistic == .mean ? "" : d.statistic.rawValue + " "
        return name + d.metric.title.prefix { $0 != "(" }.trimmingCharacters(in: .whitespaces)
          + (d.relative.estimate.isNaN ? "" : String(format: " (%+.0f %%)", d.relative.estimate * 100))
      }.joined(separator: ", ")
    }
    let (better, worse) = (list(.better), list(.worse))
    var lines: [String] = []
    if !better.isEmpty { lines.append("\(contest.run.policy) wins: \(better).") }
    if !worse.isEmpty { lines.append("\(contest.run.policy) loses: \(worse).") }
    if lines.isEmpty { lines.append("No difference is shown.") }
    return lines.joined(separator: "\n")
  }

  private func short(_ value: Double) -> RunValue { CompareTables.short(value) }
}
