import Experiments
import ResultStore
import Workloads

/// A row of the table `plans`.
struct PlanRow {
  let item: PlanTable.Case
  /// What was planned, as it was asked for.
  let asked: Experiment
  /// The same, read; `nil` if the model does not fit.
  let loaded: LoadedExperiment?
  let criterion: CapacityCriterion?
  let rate: Double
  let seeds: [UInt64]
  let tolerance: Double

  /// Columns and values.
  var values: [(String, RunValue)] {
    // The configuration is that of all runs: what varies between them is left out.
    var specification = loaded?.specification ?? asked
    specification.workload.requestRate = nil
    specification.workload.seed = 0
    specification.workload.numPrompts = asked.workload.numPrompts
    if let criterion { specification.objective = criterion.objective.requests }
    let system = asked.system
    let plan = item.plan
    let named = ["version", "policy", "model", "hardware", "engine", "trace", "tensor_parallel_size"]
    let names =
      loaded?.parameters.filter { named.contains($0.0) } ?? [
        ("version", RunValue(Revision.program)), ("policy", RunValue(item.policy)),
        ("model", RunValue(system.model)), ("hardware", RunValue(system.hardware)),
        ("engine", RunValue(system.engine)), ("trace", RunValue(asked.workload.trace)),
        ("tensor_parallel_size", RunValue(system.tensorParallelSize)),
      ]
    func value(_ number: Double?) -> RunValue { number.map { RunValue($0) } ?? .null }
    return names + [
      ("argv", RunValue(CommandLine.arguments.dropFirst().joined(separator: " "))),
      ("config", RunValue(specification.json)),
      ("pipeline_parallel_size", RunValue(system.pipelineParallelSize ?? 1)),
      ("seeds", RunValue(seeds.map { "\($0)" }.joined(separator: ","))),
      ("attainment_target", value(criterion?.attainment)), ("max_watts", value(criterion?.maxWatts)),
      ("max_energy_per_token_mj", value(criterion?.maxEnergyPerToken)), ("tolerance", value(tolerance)),
      ("request_rate", value(rate)), ("instances", plan.map { RunValue($0.instances) } ?? .null),
      ("gpus", plan.map { RunValue($0.gpus) } ?? .null), ("capacity", value(item.capacity)),
      ("headroom", value(item.headroom)), ("utilisation", value(plan?.utilisation)),
      ("limited_by", item.limit.isEmpty ? .null : .text(item.limit)),
      (RunFigure.attainment.name, value(plan?.figures.attainment)),
      ("mean_watts", value(plan?.figures.watts)),
      ("kwh_per_day", value(plan?.kilowattHoursPerDay)),
      (RunFigure.energyPerToken.name, value(plan?.figures.millijoulesPerToken)),
      ("gpu_price", value(item.price)), ("cost_per_hour", value(item.costPerHour)),
      ("cost_per_million_tokens", value(item.costOfMillionTokens)),
    ]
  }
}
