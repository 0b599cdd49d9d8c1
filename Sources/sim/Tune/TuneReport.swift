import Experiments
import Foundation
import ResultStore
import Statistics
import Support

/// What `sim tune` prints.
struct TuneReport {
  /// The system and the traffic in a line.
  let setting: String
  /// One for each objective.
  let results: [TuningResult]
  let seeds: Int
  /// The policies, and how many combinations of parameters were tried.
  let tried: [(policy: String, candidates: Int)]
  let runs: Int
  let seconds: Double

  /// The report for the eye.
  var text: String {
    let attainment = results.first.map { short($0.criterion.attainment * 100) } ?? ""
    let list = tried.map { "\($0.candidates) of \($0.policy)" }.joined(separator: ", ")
    return [
      setting,
      "Largest rate (req/s) at which \(attainment) % of requests meet the limits, each policy at its best parameters\n"
        + overview.formatted(as: .table, width: Terminal.width),
      details.formatted(as: .table, width: Terminal.width), verdicts.joined(separator: "\n"),
      "Tried: \(list). \(seeds) seeds, \(runs) runs, \(String(format: "%.1f", seconds)) s.",
    ].joined(separator: "\n\n")
  }

  /// A line for each objective, a column for each policy.
  var overview: ResultTable {
    var table = ResultTable(
      columns: ["objective"] + (results.first?.policies.map(\.family) ?? []) + ["winner", "lead"], rows: [])
    for result in results {
      let rates = result.policies.map { tuned in
        tuned.capacity.steadyRate.map { RunValue(rounded($0)) }
          ?? .text(tuned.capacity.isBurst ? "burst" : "none")
      }
      table.rows.append(
        [.text(name(result))] + rates + [
          .text(result.winner?.family ?? "none"), .text(result.leads.first.map(lead) ?? ""),
        ])
    }
    return table
  }

  /// A line for each objective and policy.
  var details: ResultTable {
    var table = ResultTable(
      columns: ["objective", "best", "req/s", "95 % interval", "limited by", "watts", "mJ/token"], rows: [])
    for result in results {
      for tuned in result.policies {
        let capacity = tuned.capacity
        func value(_ number: Double?) -> RunValue { number.map { RunValue(rounded($0)) } ?? .null }
        table.rows.append([
          .text(name(result)), .text(tuned.best), value(capacity.steadyRate),
          .text(
            capacity.isBurst
              ? "" : capacity.interval.map { String(format: "%.3g to %.3g", $0.low, $0.high) } ?? ""),
          .text(capacity.limitedBy ?? ""), value(capacity.figures?.watts),
          value(capacity.figures?.millijoulesPerToken),
        ])
      }
    }
    return table
  }

  /// A sentence for each objective.
  var verdicts: [String] {
    results.map { result in
      guard !result.isBurst else {
        return
          "\(name(result)): runs at these rates are bursts, and say nothing of who wins; give more --num-prompts."
      }
      guard let winner = result.winner else { return "\(name(result)): no policy holds any rate." }
      guard let nearest = result.leads.first else { return "\(name(result)): \(winner.best)." }
      guard let ratio = nearest.ratio else {
        return "\(name(result)): \(winner.family) wins; \(nearest.other.family) holds no rate."
      }
      guard nearest.isShown else {
        return "\(name(result)): no difference is shown between \(winner.family) and \(nearest.other.family)"
          + range(nearest) + "."
      }
      return String(
        format: "%@: %@ wins, with %.2f times the rate of %@%@.", name(result), winner.family, ratio,
        nearest.other.family, range(nearest))
    }
  }

  /// One JSON object.
  var json: String {
    var json = JSONWriter()
    json.object { json in
      json.member("setting", setting)
      json.member("runs", runs)
      json.array("objectives") { json in
        for result in results {
          json.object { json in
            json.member("objective", result.criterion.objective.description)
            json.member("attainment", result.criterion.attainment)
            json.member("winner", result.winner?.family)
            json.array("policies") { json in
              for tuned in result.policies {
                json.object { json in
                  json.member("policy", tuned.family)
                  json.member("best", tuned.best)
                  for (key, value) in CapacityTable.values(tuned.capacity) { json.member(key, value) }
                }
              }
            }
            json.array("leads") { json in
              for lead in result.leads {
                json.object { json in
                  json.member("over", lead.other.family)
                  json.member("ratio", lead.ratio)
                  json.member("ratio_low", lead.interval?.low)
                  json.member("ratio_high", lead.interval?.high)
                }
              }
            }
          }
        }
      }
    }
    return json.text
  }

  private func name(_ result: TuningResult) -> String {
    let text = result.criterion.objective.description
    return text.isEmpty ? "no limit" : text
  }

  private func lead(_ lead: TuningResult.Lead) -> String {
    guard let ratio = lead.ratio else { return "" }
    return lead.isShown ? String(format: "%+.0f %%", (ratio - 1) * 100) : "not shown"
  }

  private func range(_ lead: TuningResult.Lead) -> String {
    lead.interval.map { String(format: " (%.2f to %.2f)", $0.low, $0.high) } ?? ""
  }

  private func rounded(_ value: Double) -> Double { Double(String(format: "%.3g", value)) ?? value }

  private func short(_ value: Double) -> String { String(format: "%g", value) }
}
