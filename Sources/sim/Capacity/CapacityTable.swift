import Experiments
import Foundation
import ResultStore
import Statistics

/// The capacities of policies, for the eye and for programs.
struct CapacityTable {
  let rows: [(policy: String, result: CapacityResult)]

  /// Columns of `capacities` that a search determines.
  static func values(_ result: CapacityResult) -> [(String, RunValue)] {
    func value(_ number: Double?) -> RunValue { number.map { RunValue($0) } ?? .null }
    return [
      ("request_rate", value(result.rate)), ("request_rate_failing", value(result.failing)),
      ("request_rate_low", value(result.interval?.low)), ("request_rate_high", value(result.interval?.high)),
      ("limited_by", result.limit.map { RunValue($0.rawValue) } ?? .null),
      (RunFigure.attainment.name, value(result.figures?.attainment)),
      ("mean_watts", value(result.figures?.watts)),
      (RunFigure.energyPerToken.name, value(result.figures?.millijoulesPerToken)),
      ("runs", RunValue(result.runs)),
    ]
  }

  /// The table, its columns named as in the database.
  var table: ResultTable {
    var table = ResultTable(columns: ["policy"], rows: [])
    for (policy, result) in rows {
      let values = Self.values(result)
      table.columns = ["policy"] + values.map(\.0)
      table.rows.append([.text(policy)] + values.map(\.1))
    }
    return table
  }
}
