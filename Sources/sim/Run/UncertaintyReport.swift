import Experiments
import Foundation
import Statistics
import Support

extension Uncertainty {
  /// Writes a member of the run's JSON object: `"uncertainty": {"mean_ttft_ms": [212.1, 301.4], …}`.
  func write(to json: inout JSONWriter) {
    json.object("uncertainty") { json in
      for figure in figures { json.member(figure.name, [figure.interval.low, figure.interval.high]) }
    }
  }

  /// A table of the intervals, and what they are over.
  var text: String {
    var table = TextTable([
      .fitted(.left, atLeast: 30), .fixed(.right, 10), .fixed(.right, 10), .fixed(.right, 10),
    ])
    table.add(["90 % intervals, \(draws) draws", "central", "5 %", "95 %"])
    for figure in figures {
      table.add(
        [figure.name]
          + [figure.central, figure.interval.low, figure.interval.high].map { String(format: "%.5g", $0) })
    }
    return table.text + """
      Drawn: each kernel's time by its held-out error (1.48 times the median is one sigma, no averaging over launches),
      host time, kernel factors, energy and routing by their quality (sigma 30 % for estimates, 20 % for those of
      energy, 10 % fitted, 5 % measured elsewhere). Not drawn: the traffic, and what is assumed.
      """
  }
}
