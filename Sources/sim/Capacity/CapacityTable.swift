import Experiments
import Foundation
import ResultStore
import Statistics

/// The capacities of policies, for the eye and for programs.
struct CapacityTable {
  /// A row.
  struct Row {
    /// The system, if rows differ in it.
    let system: SystemOptions?
    let policy: String
    let result: CapacityResult
  }

  let rows: [Row]

  /// Columns of `capacities` that a search determines.
  static func values(_ result: CapacityResult) -> [(String, RunValue)] {
    func value(_ number: Double?) -> RunValue { number.map { RunValue($0) } ?? .null }
    func rate(_ number: Double?) -> RunValue { result.isBurst ? .null : value(number) }
    return [
      ("request_rate", rate(result.rate)), ("request_rate_failing", rate(result.failing)),
      ("request_rate_low", rate(result.interval?.low)), ("request_rate_high", rate(result.interval?.high)),
      ("limited_by", result.limitedBy.map { RunValue($0) } ?? .null),
      (RunFigure.attainment.name, value(result.figures?.attainment)),
      ("mean_watts", value(result.figures?.watts)),
      (RunFigure.energyPerToken.name, value(result.figures?.millijoulesPerToken)),
      ("runs", RunValue(result.runs)),
    ]
  }

  /// The table, its columns named as in the database.
  var table: ResultTable {
    var table = ResultTable(columns: ["policy"], rows: [])
    for row in rows {
      let values = Self.values(row.result)
      var system: [(String, RunValue)] = []
      if let options = row.system {
        system = [
          ("model", RunValue(options.model)), ("hardware", RunValue(options.hardware)),
          ("tensor_parallel_size", Int(options.tensorParallelSize).map { RunValue($0) } ?? .null),
        ]
        if rows.contains(where: { $0.system.map { $0.pipelineParallelSize != "1" } ?? false }) {
          system.append(
            ("pipeline_parallel_size", Int(options.pipelineParallelSize).map { RunValue($0) } ?? .null))
        }
      }
      table.columns = system.map(\.0) + ["policy"] + values.map(\.0)
      table.rows.append(system.map(\.1) + [.text(row.policy)] + values.map(\.1))
    }
    return table
  }
}
