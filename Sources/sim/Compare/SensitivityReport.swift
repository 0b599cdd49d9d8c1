import Experiments
import Foundation
import Support

/// What would have to be different for the other policy to win, in a line for each lever.
struct SensitivityReport {
  /// The names of the first policy and of the other.
  let names: [String]
  /// What decides.
  let metric: CompareMetric
  let sensitivities: [Sensitivity]

  /// A heading and the lines.
  var text: String {
    guard let winner = sensitivities.first?.winner else {
      return "What would change the winner\n\(names[0]) and \(names[1]) do not differ in mean \(metric.name)."
    }
    let heading = "What would have to be different for \(names[1 - winner]) to win in mean \(metric.name)"
    return ([heading] + sensitivities.map(line)).joined(separator: "\n")
  }

  /// The line of one lever.
  func line(_ s: Sensitivity) -> String {
    let (winner, other) = (names[s.winner], names[1 - s.winner])
    let unit = s.lever.unit
    var subject = s.lever.title
    if s.lever == .chunkBudget { subject += " of \(names[s.concerned[0]])" }
    let name = s.lever == .chunkBudget ? "" : " (\(s.lever.rawValue))"
    let searched = "\(short(s.searched.lowerBound)) to \(short(s.searched.upperBound))\(unit)"
    let verdict =
      switch (s.below, s.above) {
      case (nil, nil): "\(other) never wins within \(searched)"
      case (nil, let above?): "\(winner) wins as long as it is below \(short(above.value))\(unit)"
      case (let below?, nil): "\(winner) wins as long as it is above \(short(below.value))\(unit)"
      case (let below?, let above?):
        "\(winner) wins as long as it is between \(short(below.value)) and \(short(above.value))\(unit)"
      }
    let range = s.below == nil && s.above == nil ? "" : "; searched: \(searched)"
    return "\(subject)\(name), now \(short(s.present))\(unit): \(verdict)\(range)."
  }

  /// Writes a member of a comparison's JSON object.
  func write(to json: inout JSONWriter) {
    json.member("decided_by", metric.rawValue)
    json.array("sensitivity") { json in
      for s in sensitivities {
        json.object { json in
          json.member("lever", s.lever.rawValue)
          json.member("policies", s.concerned.map { names[$0] })
          json.member("winner", names[s.winner])
          json.member("present", s.present)
          json.member("loses_below", s.below?.value)
          json.member("loses_above", s.above?.value)
          json.member("searched_from", s.searched.lowerBound)
          json.member("searched_to", s.searched.upperBound)
        }
      }
    }
  }

  private func short(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e6 ? "\(Int(value))" : String(format: "%.3g", value)
  }
}
