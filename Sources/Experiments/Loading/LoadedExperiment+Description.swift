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
    let count = specification.cluster.pool.instances
    let layout = specification.system.layout
    if let decoders {
      let pools = zip(self.pools, specification.cluster.pools)
        .map { "\($0.instances) x \($1.system.layout) \($0.loaded.system.hardware.name)" }
      return
        "\(shard.model.name), prefill on \(pools.dropLast().joined(separator: " and ")), "
        + "decode on \(pools[pools.count - 1]) over \(decoders.link.name) · "
        + "\(loaded.system.engine.name) · \(workload.name)"
    }
    let replicas = count > 1 ? "\(count) replicas (\(router.label)) of " : ""
    return "\(shard.model.name) on \(replicas)\(layout) x \(loaded.system.hardware.name) · "
      + "\(loaded.system.engine.name) · \(workload.name)"
  }

  /// What each instance does of a request, prefill or decode; empty where all do everything.
  package var roles: [String] {
    guard decoders != nil else { return [] }
    return specification.cluster.pools.flatMap { pool in
      [String](
        repeating: pool.role?.rawValue ?? "all", count: pool.instances * (pool.system.dataParallelSize ?? 1))
    }
  }

  /// What the run was given, as the `runs` table keeps it beside its configuration.
  package var parameters: [(String, RunValue)] {
    [
      ("version", RunValue(Revision.program)), ("policy", RunValue(policy.description)),
      ("model", RunValue(loaded.system.shard.model.name)),
      ("hardware", RunValue(loaded.system.hardware.name)),
      ("engine", RunValue(loaded.system.engine.name)), ("trace", RunValue(workload.name)),
      // SQLite has no whole numbers beyond 2^63.
      ("seed", Int(exactly: workload.seed).map { RunValue($0) } ?? RunValue("\(workload.seed)")),
      ("request_rate", workload.arrivals.rate.map { RunValue($0) } ?? .null),
      ("num_prompts", RunValue(workload.count)),
      ("tensor_parallel_size", RunValue(loaded.system.shard.gpus)),
      ("profile_sha256", RunValue(loaded.digest)), ("trace_sha256", RunValue(workload.digest)),
    ]
  }

  /// The run as the database keeps it.
  ///
  /// - Parameters:
  ///   - result: What came out.
  ///   - more: Further values to store.
  ///   - argv: The command line.
  /// - Returns: The row of the `runs` table, and those of `instances`.
  package func row(_ result: RunResult, more: [(String, RunValue)] = [], argv: [String]) -> RunRow {
    let hash = [
      ("config_hash", RunValue(configurationHash)), ("results_revision", RunValue(Revision.results)),
    ]
    return RunRow(
      parameters: parameters + hash,
      summary: result.summary.values + result.transfers.values + tierValues(result) + quality + more,
      configJSON: specification.json, argv: argv.joined(separator: " "),
      instances: instanceRows(result), percentiles: result.summary.percentileRows)
  }

  /// What was loaded from levels below the GPUs' memory, as JSON output and `extra` have it; empty where there are none.
  package func tierValues(_ result: RunResult) -> [(String, RunValue)] {
    guard !tiers.isEmpty else { return [] }
    let loaded = result.metrics.loadedTokens
    return [
      ("loaded_tokens", RunValue(loaded)),
      ("external_prefix_hit_rate", RunValue(Double(loaded) / Double(max(result.metrics.inputTokens, 1)))),
    ]
  }

  /// Each instance with its part of the run, as the `instances` table and JSON output have it.
  package func instanceRows(_ result: RunResult) -> [[(String, RunValue)]] {
    let rows = pools.enumerated().flatMap { place, pool in
      (0..<pool.instances * pool.ranks).map { _ in
        let role = specification.cluster.pools[place].role?.rawValue
        return [
          ("pool", RunValue(pool.name)), ("role", role.map { RunValue($0) } ?? .null),
          ("model", RunValue(pool.loaded.system.shard.model.name)),
          ("hardware", RunValue(pool.loaded.system.hardware.name)),
          ("engine", RunValue(pool.loaded.system.engine.name)),
          ("tensor_parallel_size", RunValue(pool.loaded.system.shard.gpus)),
          ("policy", RunValue(pool.policy.description)), ("kv_blocks", RunValue(pool.kvBlocks)),
          ("max_num_seqs", RunValue(pool.maxSequences)),
        ]
      }
    }
    return zip(rows, result.instances).enumerated().map { instance, row in
      [("instance", RunValue(instance))] + row.0 + row.1.values
    }
  }

  /// What tells this run from others, however its command line was spelt: the experiment, the digests of all that it
  /// reads, and the revision of the figures.
  ///
  /// Files count by their names and contents, wherever they lie.
  package var configurationHash: String { configurationHash(revision: Revision.results) }

  /// The hash that it would have at a revision of the figures.
  func configurationHash(revision: Int) -> String {
    var canonical = specification
    canonical.workload.trace = workload.name
    canonical.system.model = loaded.system.shard.model.name
    canonical.system.hardware = loaded.system.hardware.name
    canonical.system.engine = loaded.system.engine.name
    // The digest covers each setting's value, whether it was changed or is the file's.
    canonical.system.engineSettings = [:]
    canonical.system.hardwareSettings = [:]
    canonical.system.routing = nil
    for i in canonical.cluster.pools.indices.dropFirst() {
      canonical.cluster.pools[i].system.engineSettings = [:]
      canonical.cluster.pools[i].system.hardwareSettings = [:]
      canonical.cluster.pools[i].system.routing = nil
    }
    var texts = [canonical.json, loaded.digest, workload.digest, "\(revision)"]
    if let law { texts.append("\(law)") }
    texts += tiers.map {
      "\($0.link.name) \($0.blocks) \($0.secondsPerBlock) \($0.link.latency) \($0.isShared)"
    }
    if let decoders {
      texts += [
        decoders.pool.loaded.digest,
        "\(decoders.prefillBandwidth) \(decoders.decodeBandwidth) \(decoders.latency)",
      ]
      texts += decoders.others.map(\.loaded.digest) + decoders.otherBandwidths.map { "\($0)" }
      texts += decoders.others.compactMap { $0.law.map { "\($0)" } }
    }
    let text = texts.joined(separator: "\n")
    return SHA256.hexDigest(of: Array(text.utf8))
  }

  /// The keys that begin vLLM's result files.
  package var vLLMHeader: [(String, RunValue)] {
    [
      ("date", RunValue(Date().formatted(.iso8601))), ("backend", "sim"), ("label", .null),
      ("model_id", RunValue(loaded.system.shard.model.name)),
      ("burstiness", burstiness.map { RunValue($0) } ?? .null),
      ("max_concurrency", specification.limits.maxConcurrency.map { RunValue($0) } ?? .null),
    ]
  }

  /// The shape of gamma gaps, 1 for Poisson; `nil` for other arrivals.
  private var burstiness: Double? {
    workload.arrivals.kind == .poisson ? 1 : specification.workload.burstiness
  }
}

extension SystemSpecification {
  /// The GPUs of a server, as in 8 or, of four ranks or stages of two each, 4 x 2.
  fileprivate var layout: String {
    let groups = [(dataParallelSize ?? 1, "ranks"), (pipelineParallelSize ?? 1, "stages")]
    return (groups.filter { $0.0 > 1 }.map { "\($0.0) \($0.1)" } + ["\(tensorParallelSize)"])
      .joined(separator: " x ")
  }
}

extension KernelUse {
  /// Time of the launches that lie outside what was measured, if all took alike.
  var extrapolatedSeconds: Seconds { seconds * Double(extrapolatedCalls) / Double(max(calls, 1)) }
}

extension InstanceShare {
  /// Columns of `instances` and their values, which JSON output names alike.
  package var values: [(String, RunValue)] {
    [
      ("completed", RunValue(completed)), ("total_input_tokens", RunValue(inputTokens)),
      ("cached_tokens", RunValue(cachedTokens)), ("total_output_tokens", RunValue(outputTokens)),
      ("busy_s", RunValue(busySeconds)), ("energy_j", RunValue(joules)),
    ]
  }
}

extension TransferTotals {
  /// Names and values that JSON output and `extra` have of disaggregated runs.
  package var values: [(String, RunValue)] {
    guard count > 0 else { return [] }
    return [
      ("kv_transfers", RunValue(count)), ("kv_bytes_moved", RunValue(bytes)),
      ("mean_kv_wait_ms", RunValue(meanWait * 1000)), ("mean_kv_transfer_ms", RunValue(meanTransfer * 1000)),
      ("max_kv_delay_ms", RunValue(longestDelay * 1000)),
    ]
  }
}
