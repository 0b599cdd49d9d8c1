import ArgumentParser
import Serving
import Statistics

/// The latency limits that a good request meets.
struct ObjectiveOptions: ParsableArguments {
  @Option(
    name: [.long, .customLong("goodput")], parsing: .upToNextOption,
    help: ArgumentHelp(
      "Latency limits that a good request meets: ttft, tbt (its longest gap between tokens), tpot, e2el. Default: "
        + "ttft:10000 tbt:125, and ttft:5000 for sharegpt.", valueName: "name:ms"))
  var slo: [String] = []

  /// The limits that were given; `nil` for the trace's usual ones.
  func specification() throws(CommandLineError) -> ServiceObjective? {
    guard !slo.isEmpty else { return nil }
    var objective = ServiceObjective()
    for text in slo {
      let sides = text.split(separator: ":", omittingEmptySubsequences: false)
      guard sides.count == 2, let limit = Double(sides[1]), limit > 0, limit.isFinite else {
        throw .badValue(option: "--slo", value: text, expected: "name:milliseconds, such as ttft:10000")
      }
      switch sides[0] {
      case "ttft": objective.timeToFirstToken = limit / 1000
      case "tbt", "itl": objective.timeBetweenTokens = limit / 1000
      case "tpot": objective.timePerOutputToken = limit / 1000
      case "e2el", "e2e": objective.endToEnd = limit / 1000
      default: throw .badValue(option: "--slo", value: text, expected: "one of ttft, tbt, tpot, e2el")
      }
    }
    return objective
  }
}
