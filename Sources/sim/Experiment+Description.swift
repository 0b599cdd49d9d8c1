import CostModels
import Foundation
import Policies
import ResultStore
import SimCore
import Workloads

extension Experiment {
  /// The run in a line.
  var title: String {
    let shard = loaded.system.shard
    let rate = workload.arrivals.rate.map { String(format: "%g req/s", $0) } ?? workload.arrivals.kind.rawValue
    return "\(policy) · \(shard.model.name) on \(shard.gpus) x \(loaded.system.hardware.name) · "
      + "\(loaded.system.engine.name) · \(workload.name), \(rate), \(workload.count) requests"
  }

  /// What the run was given, as the `runs` table keeps it.
  func parameters(system: SystemOptions, traffic: WorkloadOptions) -> [(String, RunValue)] {
    [
      ("version", RunValue(Sim.version)), ("policy", RunValue(policy.description)),
      ("model", RunValue(loaded.system.shard.model.name)), ("hardware", RunValue(loaded.system.hardware.name)),
      ("engine", RunValue(loaded.system.engine.name)), ("trace", RunValue(workload.name)),
      ("seed", RunValue(Int(truncatingIfNeeded: workload.seed))),
      ("request_rate", workload.arrivals.rate.map { RunValue($0) } ?? .null),
      ("num_prompts", RunValue(workload.count)),
      ("tensor_parallel_size", RunValue(loaded.system.shard.gpus)),
      ("profile_sha256", RunValue(loaded.digest)), ("trace_sha256", RunValue(workload.digest)),
    ]
  }

  /// Everything else that the result depends on.
  var settings: [(String, RunValue)] {
    var list: [(String, RunValue)] = [
      ("arrivals", RunValue(workload.arrivals.kind.rawValue)),
      ("max_num_seqs", RunValue(maxSequences)), ("max_model_len", RunValue(maxModelLength)),
      ("max_concurrency", maxConcurrency == .max ? .null : RunValue(maxConcurrency)),
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

  /// The keys that begin vLLM's result files.
  func vLLMHeader(traffic: WorkloadOptions) -> [(String, RunValue)] {
    [
      ("date", RunValue(Date().formatted(.iso8601))), ("backend", "sim"), ("label", .null),
      ("model_id", RunValue(loaded.system.shard.model.name)),
      ("burstiness", RunValue(traffic.burstiness ?? 1)),
      ("max_concurrency", traffic.maxConcurrency.map { RunValue($0) } ?? .null),
    ]
  }

  /// How far the figures can be trusted.
  func notes(totals: SystemTotals) -> [String] {
    var notes: [String] = []
    let share = 100 * Double(totals.extrapolatedCalls) / Double(max(totals.kernelCalls, 1))
    notes.append(
      String(format: "%.1f %% of %d kernel calls lie outside what was measured", share, totals.kernelCalls)
        + (totals.extrapolatedCalls == 0
          ? "."
          : ": "
            + totals.kernels.filter { $0.extrapolatedCalls > 0 }.map {
              "\($0.kernel) \(100 * $0.extrapolatedCalls / max($0.calls, 1)) %"
            }.joined(separator: ", ") + "."))
    if loaded.energyQuality != .measured {
      notes.append("Energy rests on coefficients that are an \(loaded.energyQuality.rawValue), not measured.")
    }
    if let provenance = loaded.routing?.provenance, provenance.quality != .measured {
      notes.append("Expert routing: \(provenance.quality.rawValue). \(provenance.source)")
    }
    return notes
  }
}

extension LoadedSystem {
  /// The worst quality among the energy coefficients.
  var energyQuality: Quality {
    let paths = ["energy.idle_w", "energy.per_byte_pj", "energy.per_flop_pj"]
    let qualities = paths.map { system.hardware.provenance[$0]?.quality ?? .estimate }
    return qualities.contains(.estimate) ? .estimate : qualities.first { $0 != .measured } ?? .measured
  }

  /// SHA-256 of everything that prices rest on: calibration, GPU, engine and model.
  var digest: String {
    var text = calibrationDigest + "\(system.shard)" + (routing?.model.description ?? "")
    for setting in EngineDescription.settings { text += "\(setting.path)=\(setting.text(in: system.engine));" }
    for setting in HardwareDescription.settings { text += "\(setting.path)=\(setting.text(in: system.hardware));" }
    return SHA256.hexDigest(of: Array(text.utf8))
  }
}
