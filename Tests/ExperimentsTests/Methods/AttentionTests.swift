import Experiments
import Serving
import Systems
import Testing
import Workloads

/// `--attention`, from its text to a run.
@Suite struct AttentionTests {
  private func experiment(_ attention: String?, model: String = "llama-3.1-8b") -> Experiment {
    var experiment = Experiment(trace: "arxiv", requestRate: 1, policy: "layered")
    experiment.workload.numPrompts = 8
    experiment.system.model = model
    experiment.system.tensorParallelSize = 1
    experiment.system.engine = "vllm"
    experiment.system.attention = attention.map { PolicySpecification(parsing: $0) }
    return experiment
  }

  /// Narrow heads leave memory for eight times as many tokens a GPU, and less to compute.
  @Test func aConvertedModelRuns() throws {
    let (plain, narrow) = (
      try Project.library.load(experiment(nil)), try Project.library.load(experiment("cca[q=2,kv=8]"))
    )
    #expect(narrow.kvBlocks > 2 * plain.kvBlocks)
    #expect(narrow.configurationHash != plain.configurationHash)
    let (a, b) = (try plain.run(), try narrow.run())
    #expect(a.summary.metrics.outputTokens == b.summary.metrics.outputTokens)
    #expect(b.summary[.meanTimeToFirstToken] < a.summary[.meanTimeToFirstToken])
    let note = narrow.notes(totals: b.totals).contains { $0.contains("share no prefixes") }
    #expect(note)
  }

  @Test func zayaRuns() throws {
    let run = try Project.library.load(experiment(nil, model: "zaya1-8b")).run()
    #expect(run.summary[.completed] == 8)
    #expect(run.totals.kernels.contains { $0.kernel == "convolution_gemm" })
  }

  @Test func itsJSONReadsTheSame() throws {
    let first = experiment("cca[q=2,kv=8]")
    #expect(try Experiment(json: .init(first.json.utf8), from: "test") == first)
  }

  @Test(arguments: [
    ("mha", "cca[q=2,kv=8]"), ("cca", "q from 1"), ("cca[q=2]", "kv from 1"),
    ("cca[q=2,kv=8,d=64]", "cca[q=2,kv=8]"),
    ("cca[q=1.5,kv=8]", "q from 1"), ("cca[q=2,kv=7]", "divides the 32 query heads"),
  ])
  func whatIsWrongIsSaidInOneLine(text: String, expected: String) {
    check(experiment(text), expected)
  }

  @Test func whatItDoesNotGoWithIsSaidInOneLine() {
    var asked = experiment("cca[q=2,kv=8]")
    asked.system.engineSettings["cache.prefixes"] = true
    check(asked, "no prefix caching")
    asked = experiment("cca[q=2,kv=8]")
    asked.cluster.pools = [
      .init(name: "p", system: asked.system, role: .prefill),
      .init(name: "d", system: asked.system, role: .decode),
    ]
    check(asked, "states are not sent")
  }

  private func check(_ experiment: Experiment, _ expected: String) {
    do {
      _ = try Project.library.load(experiment)
      Issue.record("it is accepted")
    } catch {
      #expect("\(error)".contains(expected) && !"\(error)".contains("\n"), "\(error)")
    }
  }
}
