import Experiments
import ResultStore
import Serving
import Statistics
import Support

/// A comparison as one JSON object.
struct CompareJSON {
  let comparison: Comparison
  /// One for each policy but the first, or none.
  var sensitivities: [SensitivityReport] = []
  /// Whether somebody stopped it: runs are cut or missing, or what would have to be different was not searched for.
  var isInterrupted = false

  var text: String {
    var json = JSONWriter()
    json.object { json in
      json.member("interrupted", isInterrupted)
      json.array("runs") { json in
        for run in comparison.runs { json.object { write(run, to: &$0) } }
      }
      json.array("comparisons") { json in
        for (i, difference) in comparison.differences.enumerated() {
          json.object { json in
            write(difference, to: &json)
            if sensitivities.indices.contains(i) { sensitivities[i].write(to: &json) }
          }
        }
      }
    }
    return json.text
  }

  private func write(_ run: CompareRun, to json: inout JSONWriter) {
    json.member("policy", run.policy)
    json.object("summary") { json in
      for (key, value) in run.summary.values { json.member(key, value) }
    }
    json.member("host_s", run.hostSeconds)
    json.member("idle_j", run.idleJoules)
    json.array("kernels") { json in
      for use in run.summary.totals.kernels {
        json.object { json in
          json.member("kernel", use.kernel)
          json.member("calls", use.calls)
          json.member("kernel_s", use.seconds)
          json.member("energy_j", use.joules)
          json.member("flops", use.flops)
          json.member("bytes", use.bytes)
        }
      }
    }
    json.array("iterations") { json in
      for kind in CompareIterations.Kind.allCases {
        let use = run.iterations[kind] ?? CompareIterations()
        json.object { json in
          json.member("kind", kind.rawValue)
          json.member("iterations", use.count)
          json.member("s", use.seconds)
          json.member("energy_j", use.joules)
          json.member("expert_bytes", use.expertBytes)
          json.member("num_decode_tokens", use.decodeTokens)
        }
      }
    }
    json.array("layers") { json in
      for group in LayerGroup.allCases {
        let use = group.use(in: run.summary.totals.layerUses)
        json.object { json in
          json.member("layers", group.rawValue)
          json.member("passes", use.passes)
          json.member("kernel_s", use.seconds)
          json.member("energy_j", use.joules)
          json.member("expert_bytes", use.expertBytes)
          json.member("other_bytes", use.otherBytes)
        }
      }
    }
  }

  private func write(_ difference: PairedDifference, to json: inout JSONWriter) {
    json.member("baseline", comparison.baseline.policy)
    json.member("policy", difference.run.policy)
    json.member("pairs", difference.pairs)
    json.array("differences") { json in
      for metric in difference.metrics { json.object { write(metric, to: &$0) } }
    }
    json.member(
      "explanation", CompareExplanation(baseline: comparison.baseline, other: difference.run).lines)
  }

  private func write(_ d: MetricDifference, to json: inout JSONWriter) {
    json.member("metric", d.metric.rawValue)
    json.member("statistic", d.statistic.rawValue)
    json.member("baseline", d.baseline)
    json.member("other", d.other)
    json.member("difference", d.difference.value)
    json.member("difference_low", d.difference.interval.low)
    json.member("difference_high", d.difference.interval.high)
    json.member("relative", d.relative.value)
    json.member("relative_low", d.relative.interval.low)
    json.member("relative_high", d.relative.interval.high)
    json.member("verdict", d.verdict.rawValue)
  }
}
