import Experiments
import Foundation
import ResultStore
import Workloads

/// A row of the table `capacities`.
struct CapacityRow {
  let experiment: LoadedExperiment
  let result: CapacityResult
  let criterion: CapacityCriterion
  let seeds: [UInt64]
  let tolerance: Double
  /// The number of requests that was asked for.
  let numPrompts: Int?

  /// Columns and values.
  var values: [(String, RunValue)] {
    let shared = ["version", "policy", "model", "hardware", "engine", "trace", "tensor_parallel_size"]
    // The configuration is that of all runs: what varies between them is left out.
    var specification = experiment.specification
    specification.workload.requestRate = nil
    specification.workload.seed = 0
    specification.workload.numPrompts = numPrompts
    return experiment.parameters.filter { shared.contains($0.0) } + [
      ("argv", RunValue(CommandLine.arguments.dropFirst().joined(separator: " "))),
      ("config", RunValue(specification.json)),
      ("seeds", RunValue(seeds.map { "\($0)" }.joined(separator: ","))),
      ("attainment_target", RunValue(criterion.attainment)),
      ("max_watts", criterion.maxWatts.map { RunValue($0) } ?? .null),
      ("max_energy_per_token_mj", criterion.maxEnergyPerToken.map { RunValue($0) } ?? .null),
      ("tolerance", RunValue(tolerance)),
    ] + CapacityTable.values(result)
  }
}
