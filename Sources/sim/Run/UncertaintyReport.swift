import Experiments
import Foundation
import ResultStore

extension Uncertainty {
  /// A JSON object with one member more: `"uncertainty": {"mean_ttft_ms": [212.1, 301.4], …}`.
  func added(to object: String) -> String {
    let members = intervals.map {
      "\(RunValue($0.name).json): [\(RunValue($0.low).json), \(RunValue($0.high).json)]"
    }
    return object.dropLast() + ", \"uncertainty\": {" + members.joined(separator: ", ") + "}}"
  }

  /// A table of the intervals, and what they are over.
  var text: String {
    let width = max(30, intervals.map(\.name.count).max() ?? 0) + 2
    func row(_ cells: [String]) -> String {
      cells[0].padding(toLength: width, withPad: " ", startingAt: 0)
        + cells.dropFirst().map { String(repeating: " ", count: max(0, 12 - $0.count)) + $0 }.joined()
    }
    var lines = [row(["90 % intervals, \(draws) draws", "central", "5 %", "95 %"])]
    for interval in intervals {
      lines.append(
        row(
          [interval.name]
            + [interval.central, interval.low, interval.high].map { String(format: "%.5g", $0) })
      )
    }
    lines.append(
      """
      Drawn: each kernel's time by its held-out error (1.48 times the median is one sigma, no averaging over launches),
      host time, kernel factors, energy and routing by their quality (sigma 30 % for estimates, 20 % for those of
      energy, 10 % fitted, 5 % measured elsewhere). Not drawn: the traffic, and what is assumed.
      """)
    return lines.joined(separator: "\n")
  }
}
