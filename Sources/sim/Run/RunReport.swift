import CostModels
import Experiments
import Foundation
import Serving
import Statistics
import Support
import Systems

/// The report of a run: the block that users know from `vllm bench serve`, then energy, expert traffic, and how far
/// the figures can be trusted.
struct RunReport {
  let title: String
  /// What a reader must know before the figures: memory, and how much of the time was never measured.
  var head: [String] = []
  let summary: RunSummary
  let objective: ServiceObjective
  let instances: [InstanceShare]
  /// What each instance does of a request; empty where all do everything.
  var roles: [String] = []
  /// How each class of requests fared; empty where all are alike.
  var classes: [ClassShare] = []
  let transfers: TransferTotals
  let notes: [String]

  var text: String {
    let m = summary.metrics
    let duration = m.duration > 0 ? m.duration : .infinity
    let tokens = Double(m.inputTokens + m.outputTokens)
    var lines = [title.onOneLine(limit: 300)] + head
    guard m.requests > 0 else {
      return (lines + ["No request was measured, so that there are no figures."] + notes).joined(
        separator: "\n")
    }
    lines.append(Self.rule("Serving Benchmark Result", "="))
    lines += [
      row("Successful requests:", m.completed), row("Rejected requests:", m.rejected),
      row("Unfinished requests:", m.unfinished),
      row("Benchmark duration (s):", m.duration), row("Total input tokens:", m.inputTokens),
      row("Total generated tokens:", m.outputTokens),
      row("Request throughput (req/s):", Double(m.completed) / duration),
      row("Request goodput (req/s):", Double(m.good) / duration),
      row("Output token throughput (tok/s):", Double(m.outputTokens) / duration),
      row("Total token throughput (tok/s):", tokens / duration),
      row("Peak concurrent requests:", summary.totals.peakInSystem),
    ]
    let names = [
      LatencyMetric.ttft: "Time to First Token", .tpot: "Time per Output Token (excl. 1st token)",
      .itl: "Inter-token Latency", .e2el: "End-to-end Latency",
    ]
    for (metric, distribution) in summary.latencies {
      let name = metric.rawValue
      lines.append(Self.rule(names[metric] ?? name, "-"))
      guard distribution.count > 0 else {
        lines.append(row("\(name.uppercased()):", "none: no request has one"))
        continue
      }
      let label = name.uppercased()
      lines.append(row("Mean \(label) (ms):", distribution.mean * 1000))
      let wanted = [50] + summary.percentiles
      for (i, value) in distribution.percentiles(wanted).enumerated() {
        let which = i == 0 ? "Median" : "P\(RunFigure.plain(wanted[i]))"
        lines.append(row("\(which) \(label) (ms):", value * 1000))
      }
    }
    lines.append(Self.rule("Service objective", "-"))
    lines += [
      row("\(objectiveText):", percent(m.attainment)),
      row("TTFT alone:", percent(m.attainmentOfFirstToken)),
      row("TBT (longest gap) alone:", percent(m.attainmentOfGaps)),
    ]
    lines += classes.map { share in
      row(
        "\(share.name):",
        String(
          format: "%d requests, %.1f %% good, TTFT %.0f ms", share.requests, share.attainment * 100,
          share.meanTimeToFirstToken * 1000))
    }
    lines.append(Self.rule("Energy (all GPUs, \(summary.energyQuality.rawValue))", "-"))
    lines += [
      row("Energy (kJ):", summary.joules / 1000),
      row("Mean power (W):", summary.joules / duration),
      row("Energy per token (mJ):", summary.joules / max(tokens, 1) * 1000),
      row("Energy per output token (mJ):", summary.joules / Double(max(m.outputTokens, 1)) * 1000),
    ]
    lines.append(Self.rule("Schedule and memory traffic", "-"))
    lines += [
      row("Iterations:", m.iterations), row("Mean iteration (ms):", m.meanIteration * 1000),
      row("Mean decode batch:", m.meanDecodeBatch),
      row("Requests in system, seen on arrival:", summary.totals.meanInSystem),
      row("Preemptions:", m.preemptions), row("Expert weights read (TB):", m.expertBytes / 1e12),
      row("Expert weights per request (GB):", m.expertBytes / Double(max(m.completed, 1)) / 1e9),
    ]
    if let pipeline = summary.totals.pipeline {
      lines.append(row("Stages idle while a step is in flight:", percent(pipeline.bubble)))
    }
    if summary.cachesPrefixes {
      lines.append(row("Prompt tokens found in the cache:", percent(m.prefixHitRate)))
    }
    if transfers.count > 0 {
      lines.append(Self.rule("KV transfers", "-"))
      lines += [
        row("Prompts moved:", transfers.count), row("KV entries moved (GB):", transfers.bytes / 1e9),
        row("Mean wait for memory (ms):", transfers.meanWait * 1000),
        row("Mean transfer (ms):", transfers.meanTransfer * 1000),
        row("Longest, wait included (ms):", transfers.longestDelay * 1000),
      ]
    }
    if instances.count > 1 {
      lines += instanceLines(duration: max(summary.wholeDuration, .leastNonzeroMagnitude))
    }
    lines.append(Self.rule("Kernels (time on one GPU)", "-"))
    let busy = max(summary.busySeconds, .leastNonzeroMagnitude)
    var inKernels = 0.0
    for use in summary.totals.kernels.sorted(by: { $0.seconds > $1.seconds }) {
      inKernels += use.seconds
      lines.append(row("\(use.kernel):", percent(use.seconds / busy)))
    }
    let rest =
      summary.totals.pipeline == nil ? "host, beyond the kernels:" : "bubbles and host, beyond the kernels:"
    lines.append(row(rest, percent((busy - inKernels) / busy)))
    lines.append(String(repeating: "=", count: 50))
    return (lines + notes).joined(separator: "\n")
  }

  /// A line for each instance; of many, the least and the largest.
  private func instanceLines(duration: Seconds) -> [String] {
    var lines = [Self.rule("Instances", "-")]
    func line(_ share: InstanceShare) -> String {
      let hits = summary.cachesPrefixes ? String(format: ", %.1f %% found", share.hitRate * 100) : ""
      return String(
        format: "%d requests, busy %.1f %%, TTFT %.0f ms", share.completed,
        share.busySeconds / duration * 100,
        share.meanTimeToFirstToken * 1000) + hits
    }
    if instances.count <= 16 {
      lines += instances.enumerated().map { place, share in
        row(roles.isEmpty ? "\(place):" : "\(place) (\(roles[place])):", line(share))
      }
    } else {
      let order = instances.sorted { ($0.inputTokens, $0.completed) < ($1.inputTokens, $1.completed) }
      lines += [("fewest tokens:", order[0]), ("most tokens:", order[order.count - 1])].map {
        row($0.0, line($0.1))
      }
    }
    let tokens = instances.map { Double($0.inputTokens + $0.outputTokens) }
    let mean = tokens.reduce(0, +) / Double(tokens.count)
    lines.append(row("Tokens of the busiest over the mean:", (tokens.max() ?? 0) / max(mean, 1)))
    return lines
  }

  private var objectiveText: String {
    let limits = [
      ("TTFT", objective.timeToFirstToken), ("TBT", objective.timeBetweenTokens),
      ("TPOT", objective.timePerOutputToken), ("E2E", objective.endToEnd),
    ]
    let given = limits.compactMap { name, limit in limit.map { "\(name) <= \(Self.short($0 * 1000)) ms" } }
    return given.isEmpty ? "Served (no limit of single requests)" : given.joined(separator: ", ")
  }

  private func row(_ name: String, _ value: Int) -> String { row(name, "\(value)") }
  private func row(_ name: String, _ value: Double) -> String { row(name, String(format: "%.2f", value)) }
  private func row(_ name: String, _ value: String) -> String {
    name.padding(toLength: max(40, name.count + 1), withPad: " ", startingAt: 0) + value
  }
  private func percent(_ share: Double) -> String { String(format: "%.1f %%", share * 100) }

  private static func short(_ value: Double) -> String {
    String(format: value == value.rounded() ? "%.0f" : "%.1f", value)
  }

  private static func rule(_ title: String, _ character: Character) -> String {
    let left = max(0, (50 - title.count - 2) / 2)
    let right = max(0, 50 - title.count - 2 - left)
    return String(repeating: character, count: left) + " \(title) "
      + String(repeating: character, count: right)
  }
}
