import ArgumentParser
import Experiments
import Serving

/// The latency limits that a good request meets, and limits on statistics of a run.
struct ObjectiveOptions: ParsableArguments {
  @Option(
    name: [.long, .customLong("goodput")], parsing: .upToNextOption,
    help: ArgumentHelp(
      "Latency limits that a good request meets: ttft, tbt (its longest gap between tokens), tpot, e2el, as in ttft:1s "
        + "tpot:30ms; without a unit in ms. Limits on a run, as in p99_ttft:1s, mean_tpot:30ms or ttft:1s@95%, are for "
        + "run, capacity, tune and plan. Default: ttft:10s tbt:125ms, and ttft:5s for sharegpt.",
      valueName: "name:time"))
  var slo: [String] = []

  /// The objectives that were given, several if a limit is a list; none for the trace's usual one.
  func alternatives() throws(ObjectiveError) -> [Objective] {
    slo.isEmpty ? [] : try Objective.alternatives(slo)
  }

  /// The single objective that was given; `nil` for the trace's usual one.
  func single() throws(ObjectiveError) -> Objective? {
    let all = try alternatives()
    guard all.count <= 1 else {
      throw .list(slo.first { $0.contains(",") } ?? slo.joined(separator: " "))
    }
    return all.first
  }

  /// The limits of single requests that were given; `nil` for the trace's usual ones.
  func specification() throws(ObjectiveError) -> ServiceObjective? { try single()?.requests }

  /// Refuses limits on statistics, for commands that have no use for them.
  func refuseStatistics(for command: String) throws(ObjectiveError) {
    if let limit = try single()?.statistics.first {
      throw .statistic(limit.description, command: command)
    }
  }
}
