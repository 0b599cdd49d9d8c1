import CostModels
import ResultStore
import Serving
import Statistics
import Systems

/// What a run comes to: the values of `--json` and of the `runs` table, by vLLM's names where vLLM has one.
package struct RunSummary {
  package let metrics: RunMetrics
  package let totals: SystemTotals
  package let energyQuality: Quality
  package let kvBlocks: Int
  package let wall: Double
  package let percentiles: [Double]

  package init(
    metrics: RunMetrics, totals: SystemTotals, energyQuality: Quality, kvBlocks: Int, wall: Double,
    percentiles: [Double]
  ) {
    self.metrics = metrics
    self.totals = totals
    self.energyQuality = energyQuality
    self.kvBlocks = kvBlocks
    self.wall = wall
    self.percentiles = percentiles
  }

  /// Energy from the first arrival to the end of the last iteration, all GPUs.
  package var joules: Joules { metrics.joules + totals.idleJoules }

  /// Keys and values, in the order in which they are printed.
  package var values: [(String, RunValue)] {
    let m = metrics
    let duration = m.duration > 0 ? m.duration : .infinity
    let tokens = Double(m.inputTokens + m.outputTokens)
    var list: [(String, RunValue)] = [
      ("duration", RunValue(m.duration)), ("completed", RunValue(m.completed)),
      ("failed", RunValue(m.rejected + m.unfinished)), ("unfinished", RunValue(m.unfinished)),
      ("total_input_tokens", RunValue(m.inputTokens)), ("total_output_tokens", RunValue(m.outputTokens)),
      ("request_throughput", RunValue(Double(m.completed) / duration)),
      ("request_goodput", RunValue(Double(m.good) / duration)),
      ("output_throughput", RunValue(Double(m.outputTokens) / duration)),
      ("total_token_throughput", RunValue(tokens / duration)),
      ("max_output_tokens_per_s", RunValue(m.mostTokensInASecond)),
      ("max_concurrent_requests", RunValue(totals.peakInSystem)),
    ]
    for (name, distribution) in latencies {
      let unit = distribution.count > 0 ? 1000 : Double.nan  // null: no request has one
      list.append(("mean_\(name)_ms", RunValue(distribution.mean * unit)))
      list.append(("std_\(name)_ms", RunValue(distribution.deviation * unit)))
      let wanted = [50] + percentiles
      for (percent, value) in zip(wanted, distribution.percentiles(wanted)).enumerated() {
        let key = percent == 0 ? "median" : "p\(Self.plain(value.0))"
        list.append(("\(key)_\(name)_ms", RunValue(value.1 * unit)))
      }
    }
    list += [
      ("slo_attainment", RunValue(m.attainment)), ("slo_attainment_ttft", RunValue(m.attainmentOfFirstToken)),
      ("slo_attainment_tbt", RunValue(m.attainmentOfGaps)),
      ("energy_j", RunValue(joules)), ("idle_energy_j", RunValue(totals.idleJoules)),
      ("energy_per_token_mj", RunValue(tokens > 0 ? joules / tokens * 1000 : .nan)),
      (
        "energy_per_output_token_mj",
        RunValue(m.outputTokens > 0 ? joules / Double(m.outputTokens) * 1000 : .nan)
      ),
      ("energy_quality", RunValue(energyQuality.rawValue)),
      ("expert_bytes", RunValue(m.expertBytes)),
      ("expert_bytes_per_request", RunValue(m.expertBytes / Double(max(m.completed, 1)))),
      ("iterations", RunValue(m.iterations)), ("mean_iteration_ms", RunValue(m.meanIteration * 1000)),
      ("mean_decode_batch", RunValue(m.meanDecodeBatch)), ("mean_in_system", RunValue(totals.meanInSystem)),
      ("preemptions", RunValue(m.preemptions)), ("rejected", RunValue(m.rejected)),
      ("extrapolated_kernel_calls", RunValue(totals.extrapolatedCalls)),
      ("kernel_calls", RunValue(totals.kernelCalls)), ("kv_blocks", RunValue(kvBlocks)),
      ("wall_s", RunValue(wall)),
    ]
    return list
  }

  /// Latency distributions by vLLM's names.
  package var latencies: [(String, WeightedDistribution)] {
    [
      ("ttft", metrics.timeToFirstToken), ("tpot", metrics.timePerOutputToken),
      ("itl", metrics.interTokenLatency), ("e2el", metrics.endToEnd),
    ]
  }

  /// A percentile as keys have it: 99, 99.9.
  package static func plain(_ percent: Double) -> String {
    percent == percent.rounded() ? "\(Int(percent))" : "\(percent)"
  }
}
