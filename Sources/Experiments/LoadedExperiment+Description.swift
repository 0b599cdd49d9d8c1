import CostModels
import Foundation
import Policies
import ResultStore
import Serving
import Statistics
import Support
import Systems
import Workloads

extension LoadedExperiment {
  /// The run in a line.
  package var title: String { "\(policy) · \(setting)" }

  /// What the run shares with those of other policies.
  package var setting: String {
    let rate =
      workload.arrivals.rate.map { String(format: "%g req/s", $0) } ?? workload.arrivals.kind.rawValue
    return "\(loadFreeSetting), \(rate), \(workload.count) requests"
  }

  /// What the run shares with those of other policies and rates.
  package var loadFreeSetting: String {
    let shard = loaded.system.shard
    return "\(shard.model.name) on \(shard.gpus) x \(loaded.system.hardware.name) · "
      + "\(loaded.system.engine.name) · \(workload.name)"
  }

  /// What the run was given, as the `runs` table keeps it.
  package var parameters: [(String, RunValue)] {
    [
      ("version", RunValue(Revision.program)), ("policy", RunValue(policy.description)),
      ("model", RunValue(loaded.system.shard.model.name)),
      ("hardware", RunValue(loaded.system.hardware.name)),
      ("engine", RunValue(loaded.system.engine.name)), ("trace", RunValue(workload.name)),
      ("seed", RunValue(Int(truncatingIfNeeded: workload.seed))),
      ("request_rate", workload.arrivals.rate.map { RunValue($0) } ?? .null),
      ("num_prompts", RunValue(workload.count)),
      ("tensor_parallel_size", RunValue(loaded.system.shard.gpus)),
      ("profile_sha256", RunValue(loaded.digest)), ("trace_sha256", RunValue(workload.digest)),
    ]
  }

  /// Everything else that the result depends on.
  package var settings: [(String, RunValue)] {
    var list: [(String, RunValue)] = [
      ("results_revision", RunValue(Revision.results)),
      ("arrivals", RunValue(workload.arrivals.kind.rawValue)),
      ("burstiness", workload.burstiness.map { RunValue($0) } ?? .null),
      ("time_scale", workload.timeScale.map { RunValue($0) } ?? .null),
      ("max_num_seqs", RunValue(maxSequences)), ("max_model_len", RunValue(maxModelLength)),
      ("max_concurrency", maxConcurrency == .max ? .null : RunValue(maxConcurrency)),
      ("max_duration", maxDuration == .infinity ? .null : RunValue(maxDuration)),
      ("shuffle", RunValue(isShuffled ? 1 : 0)),
      ("routing", loaded.routing.map { RunValue($0.model.description) } ?? .null),
      ("draw_routing", RunValue(drawRouting ? 1 : 0)), ("kv_blocks", RunValue(kvBlocks)),
      ("slo_ttft_ms", objective.timeToFirstToken.map { RunValue($0 * 1000) } ?? .null),
      ("slo_tbt_ms", objective.timeBetweenTokens.map { RunValue($0 * 1000) } ?? .null),
      ("slo_tpot_ms", objective.timePerOutputToken.map { RunValue($0 * 1000) } ?? .null),
      ("slo_e2el_ms", objective.endToEnd.map { RunValue($0 * 1000) } ?? .null),
    ]
    for setting in EngineDescription.settings {
      list.append(("engine." + setting.path, RunValue(setting.text(in: loaded.system.engine))))
    }
    for setting in HardwareDescription.settings {
      list.append(("hardware." + setting.path, RunValue(setting.text(in: loaded.system.hardware))))
    }
    return list
  }

  /// The run as the database keeps it.
  ///
  /// - Parameters:
  ///   - summary: What came out.
  ///   - more: What else is to be kept of it.
  ///   - argv: The command line.
  /// - Returns: The row of the `runs` table.
  package func row(summary: RunSummary, more: [(String, RunValue)] = [], argv: [String]) -> RunRow {
    var extra = [("config_hash", RunValue(configurationHash))]
    if maxDuration != .infinity { extra.append(("max_duration", RunValue(maxDuration))) }
    return RunRow(
      parameters: parameters + extra, summary: summary.values + more, configJSON: configuration,
      argv: argv.joined(separator: " "))
  }

  /// Everything that the result depends on, as JSON.
  package var configuration: String { JSONText.object(parameters + settings) }

  /// What tells this run from others, however its command line was spelt.
  package var configurationHash: String { SHA256.hexDigest(of: Array(configuration.utf8)) }

  /// The keys that begin vLLM's result files.
  package var vLLMHeader: [(String, RunValue)] {
    [
      ("date", RunValue(Date().formatted(.iso8601))), ("backend", "sim"), ("label", .null),
      ("model_id", RunValue(loaded.system.shard.model.name)),
      ("burstiness", workload.burstiness.map { RunValue($0) } ?? .null),
      ("max_concurrency", maxConcurrency == .max ? .null : RunValue(maxConcurrency)),
    ]
  }

  /// How far the figures can be trusted.
  package func notes(totals: SystemTotals) -> [String] {
    var notes: [String] = []
    let extrapolated = totals.kernels.filter { $0.extrapolatedCalls > 0 }
      .sorted { $0.extrapolatedSeconds > $1.extrapolatedSeconds }
    let seconds = totals.kernels.reduce(0) { $0 + $1.seconds }
    let share = extrapolated.reduce(0) { $0 + $1.extrapolatedSeconds } / max(seconds, .leastNonzeroMagnitude)
    let names = extrapolated.map {
      "\($0.kernel) \(100 * $0.extrapolatedCalls / max($0.calls, 1)) % of its calls"
    }
    notes.append(
      String(format: "%.1f %% of the kernels' time lies outside what was measured", share * 100)
        + (names.isEmpty ? "." : ": \(names.joined(separator: ", "))."))
    if loaded.energyQuality != .measured {
      notes.append("Energy rests on coefficients that are an \(loaded.energyQuality.rawValue), not measured.")
    }
    if let provenance = loaded.routing?.provenance, provenance.quality != .measured {
      notes.append("Expert routing: \(provenance.quality.rawValue). \(provenance.source)")
    }
    return notes
  }
}

extension Workload {
  /// The shape of gamma gaps, 1 for Poisson; `nil` for other arrivals.
  fileprivate var burstiness: Double? {
    switch arrivals {
    case .poisson: 1
    case .gamma(_, let burstiness): burstiness
    default: nil
    }
  }

  /// The factor on the trace's own arrivals.
  fileprivate var timeScale: Double? {
    if case .trace(let scale) = arrivals { scale } else { nil }
  }
}

extension KernelUse {
  /// Time of the launches that lie outside what was measured, if all took alike.
  fileprivate var extrapolatedSeconds: Seconds { seconds * Double(extrapolatedCalls) / Double(max(calls, 1)) }
}
