import Experiments
import Foundation
import ResultStore
import Serving

/// Runs side by side.
struct CompareTables {
  let comparison: Comparison
  private var runs: [CompareRun] { comparison.runs }

  init(comparison: Comparison) { self.comparison = comparison }

  /// A value to four digits.
  static func short(_ value: Double) -> RunValue { RunValue(Double(String(format: "%.4g", value)) ?? value) }

  /// The main figures of each run.
  var totals: ResultTable {
    let figures: [RunFigure] = [
      .completed, .failed, .duration, .attainment, .outputThroughput, .energy, .energyPerToken, .expertBytes,
      .iterations, .meanIteration, .meanDecodeBatch,
    ]
    var table = ResultTable(columns: ["total"] + runs.map(\.policy), rows: [])
    for figure in figures {
      table.rows.append([.text(figure.name)] + runs.map { Self.short($0.summary[figure]) })
    }
    return table
  }

  /// What each kernel used in each run, and the host's share of the time.
  var kernels: ResultTable {
    var names: [String] = []
    for run in runs {
      for use in run.summary.totals.kernels where !names.contains(use.kernel) { names.append(use.kernel) }
    }
    names.sort { a, b in
      runs.reduce(0) { $0 + $1.kernel(a).seconds } > runs.reduce(0) { $0 + $1.kernel(b).seconds }
    }
    var table = ResultTable(columns: ["kernel"], rows: [])
    for run in runs { table.columns += ["\(comparison.name(of: run)): s", "kJ", "TB", "calls"] }
    for name in names {
      table.rows.append(
        [.text(name)]
          + runs.flatMap { run in
            let use = run.kernel(name)
            return [
              Self.short(use.seconds), Self.short(use.joules / 1000), Self.short(use.bytes / 1e12),
              RunValue(use.calls),
            ]
          })
    }
    table.rows.append(
      [.text("host")] + runs.flatMap { [Self.short($0.hostSeconds), .null, .null, .null] })
    table.rows.append(
      [.text("idle power")] + runs.flatMap { [.null, Self.short($0.idleJoules / 1000), .null, .null] })
    return table
  }

  /// The iterations of each kind.
  var iterations: ResultTable {
    var table = ResultTable(columns: ["iterations with"], rows: [])
    for run in runs {
      table.columns += ["\(comparison.name(of: run)): count", "s", "mean ms", "kJ", "expert TB"]
    }
    for kind in CompareIterations.Kind.allCases {
      table.rows.append(
        [.text(kind.rawValue)]
          + runs.flatMap { run -> [RunValue] in
            guard let use = run.iterations[kind], use.count > 0 else {
              return [0, .null, .null, .null, .null]
            }
            return [
              RunValue(use.count), Self.short(use.seconds),
              Self.short(use.seconds / Double(use.count) * 1000),
              Self.short(use.joules / 1000), Self.short(use.expertBytes / 1e12),
            ]
          })
    }
    return table
  }

  /// What each group of layers used, embedding, head and host left out.
  var layerGroups: ResultTable {
    var table = ResultTable(columns: ["layers"], rows: [])
    for run in runs {
      table.columns += ["\(comparison.name(of: run)): passes", "s", "kJ", "expert TB", "other TB"]
    }
    for group in LayerGroup.allCases {
      table.rows.append(
        [.text(group.rawValue)]
          + runs.flatMap { run in
            let use = group.use(in: run.summary.totals.layerUses)
            return [
              RunValue(use.passes), Self.short(use.seconds), Self.short(use.joules / 1000),
              Self.short(use.expertBytes / 1e12), Self.short(use.otherBytes / 1e12),
            ]
          })
    }
    return table
  }
}
