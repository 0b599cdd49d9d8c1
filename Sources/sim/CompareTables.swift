import Foundation
import ResultStore
import SimCore

/// Runs side by side.
enum CompareTables {
  /// A value to four digits.
  static func short(_ value: Double) -> RunValue { RunValue(Double(String(format: "%.4g", value)) ?? value) }

  /// What each run comes to as a whole.
  static func totals(_ runs: [CompareRun]) -> ResultTable {
    let keys = [
      "completed", "failed", "duration", "slo_attainment", "output_throughput", "energy_j",
      "energy_per_token_mj", "expert_bytes", "iterations", "mean_iteration_ms", "mean_decode_batch",
    ]
    var table = ResultTable(columns: ["total"] + runs.map(\.policy), rows: [])
    for key in keys {
      table.rows.append(
        [.text(key)]
          + runs.map { run in run.summary.values.first { $0.0 == key }?.1.double.map { short($0) } ?? .null })
    }
    return table
  }

  /// What each kernel used in each run, and the host's share of the time.
  static func kernels(_ runs: [CompareRun]) -> ResultTable {
    var names: [String] = []
    for run in runs {
      for use in run.summary.totals.kernels where !names.contains(use.kernel) { names.append(use.kernel) }
    }
    names.sort { a, b in
      runs.reduce(0) { $0 + $1.kernel(a).seconds } > runs.reduce(0) { $0 + $1.kernel(b).seconds }
    }
    var table = ResultTable(columns: ["kernel"], rows: [])
    for run in runs { table.columns += ["\(short(run)): s", "kJ", "TB", "calls"] }
    for name in names {
      table.rows.append(
        [.text(name)]
          + runs.flatMap { run in
            let use = run.kernel(name)
            return [
              short(use.seconds), short(use.joules / 1000), short(use.bytes / 1e12), RunValue(use.calls),
            ]
          })
    }
    table.rows.append(
      [.text("host")] + runs.flatMap { [short($0.hostSeconds), .null, .null, .null] })
    table.rows.append(
      [.text("idle power")] + runs.flatMap { [.null, short($0.idleJoules / 1000), .null, .null] })
    return table
  }

  /// The iterations of each kind.
  static func iterations(_ runs: [CompareRun]) -> ResultTable {
    var table = ResultTable(columns: ["iterations with"], rows: [])
    for run in runs { table.columns += ["\(short(run)): count", "s", "mean ms", "kJ", "expert TB"] }
    for kind in CompareIterations.Kind.allCases {
      table.rows.append(
        [.text(kind.rawValue)]
          + runs.flatMap { run -> [RunValue] in
            guard let use = run.iterations[kind], use.count > 0 else {
              return [0, .null, .null, .null, .null]
            }
            return [
              RunValue(use.count), short(use.seconds), short(use.seconds / Double(use.count) * 1000),
              short(use.joules / 1000), short(use.expertBytes / 1e12),
            ]
          })
    }
    return table
  }

  /// What each group of layers used, embedding, head and host left out.
  static func layerGroups(_ runs: [CompareRun]) -> ResultTable {
    var table = ResultTable(columns: ["layers"], rows: [])
    for run in runs { table.columns += ["\(short(run)): passes", "s", "kJ", "expert TB", "other TB"] }
    for group in LayerGroup.allCases {
      table.rows.append(
        [.text(group.rawValue)]
          + runs.flatMap { run in
            let use = run.layerGroups[group]
            return [
              RunValue(use.passes), short(use.seconds), short(use.joules / 1000),
              short(use.expertBytes / 1e12), short(use.otherBytes / 1e12),
            ]
          })
    }
    return table
  }

  private static func short(_ run: CompareRun) -> Substring { run.policy.prefix { $0 != "[" } }
}
