import Experiments
import ResultStore
import Serving

/// A comparison as one JSON object.
struct CompareJSON {
  let comparison: Comparison

  var text: String {
    let runs = comparison.runs.map { run in
      nested([
        ("policy", RunValue(run.policy).json), ("summary", JSONText.object(run.summary.values)),
        ("host_s", RunValue(run.hostSeconds).json), ("idle_j", RunValue(run.idleJoules).json),
        ("kernels", array(kernels(of: run))), ("iterations", array(iterations(of: run))),
        ("layers", array(layerGroups(of: run))),
      ])
    }
    let contests = comparison.contests.map { contest in
      nested([
        ("baseline", RunValue(comparison.baseline.policy).json),
        ("policy", RunValue(contest.run.policy).json),
        ("pairs", "\(contest.pairs)"), ("differences", array(contest.differences.map(object))),
        (
          "explanation",
          array(
            CompareExplanation(baseline: comparison.baseline, other: contest.run).lines.map {
              RunValue($0).json
            })
        ),
      ])
    }
    return nested([("runs", array(runs)), ("comparisons", array(contests))])
  }

  private func object(_ d: CompareDifference) -> String {
    JSONText.object([
      ("metric", RunValue(d.metric.rawValue)), ("statistic", RunValue(d.statistic.rawValue)),
      ("baseline", RunValue(d.baseline)), ("other", RunValue(d.other)),
      ("difference", RunValue(d.difference.estimate)), ("difference_low", RunValue(d.difference.low)),
      ("difference_high", RunValue(d.difference.high)), ("relative", RunValue(d.relative.estimate)),
      ("relative_low", RunValue(d.relative.low)), ("relative_high", RunValue(d.relative.high)),
      ("verdict", RunValue(d.verdict.rawValue)),
    ])
  }

  private func kernels(of run: CompareRun) -> [String] {
    run.summary.totals.kernels.map { use in
      JSONText.object([
        ("kernel", RunValue(use.kernel)), ("calls", RunValue(use.calls)), ("kernel_s", RunValue(use.seconds)),
        ("energy_j", RunValue(use.joules)), ("flops", RunValue(use.flops)), ("bytes", RunValue(use.bytes)),
      ])
    }
  }

  private func iterations(of run: CompareRun) -> [String] {
    CompareIterations.Kind.allCases.map { kind in
      let use = run.iterations[kind] ?? CompareIterations()
      return JSONText.object([
        ("kind", RunValue(kind.rawValue)), ("iterations", RunValue(use.count)), ("s", RunValue(use.seconds)),
        ("energy_j", RunValue(use.joules)), ("expert_bytes", RunValue(use.expertBytes)),
        ("num_decode_tokens", RunValue(use.decodeTokens)),
      ])
    }
  }

  private func layerGroups(of run: CompareRun) -> [String] {
    LayerGroup.allCases.map { group in
      let use = run.layerGroups[group]
      return JSONText.object([
        ("layers", RunValue(group.rawValue)), ("passes", RunValue(use.passes)),
        ("kernel_s", RunValue(use.seconds)), ("energy_j", RunValue(use.joules)),
        ("expert_bytes", RunValue(use.expertBytes)), ("other_bytes", RunValue(use.otherBytes)),
      ])
    }
  }

  private func nested(_ members: [(String, String)]) -> String {
    "{" + members.map { "\(RunValue($0.0).json): \($0.1)" }.joined(separator: ", ") + "}"
  }

  private func array(_ elements: [String]) -> String { "[" + elements.joined(separator: ", ") + "]" }
}
