import CostModels
import Experiments
import Serving
import Statistics
import Systems
import Testing
import Workloads

/// `--speculative-config`, from its JSON to a run.
@Suite struct SpeculationTests {
  private func experiment(_ policy: String, _ json: String?, engine: String = "nano-vllm") throws
    -> Experiment
  {
    var experiment = Experiment()
    experiment.workload.trace = "sharegpt"
    experiment.workload.numPrompts = 12
    experiment.workload.requestRate = 4
    experiment.cluster.pool.policy = PolicySpecification(parsing: policy)
    experiment.system.engine = engine
    if let json { experiment.system.speculation = try SpeculativeSpecification(json: json, from: "test") }
    return experiment
  }

  private func run(_ experiment: Experiment, exact: Bool = false) throws -> RunResult {
    var loaded = try Project.library.load(experiment)
    loaded.exactSteps = exact
    return try loaded.run()
  }

  /// All figures but the real time that the simulation took.
  private func figures(_ result: RunResult) -> [String] {
    result.summary.values.filter { $0.0 != RunFigure.wall.name && !$0.0.contains("speed") }.map { "\($0)" }
  }

  private static let policies = ["chunked", "layered", "hybrid", "vllm"]

  /// No drafts: the summary of a plain run, to the last bit.
  @Test(arguments: policies) func withoutDraftsNothingChanges(policy: String) throws {
    let plain = try run(experiment(policy, nil))
    let other = try run(experiment(policy, #"{"method": "ngram", "num_speculative_tokens": 0}"#))
    #expect(figures(other) == figures(plain))
  }

  /// Every method under every policy writes all tokens, in fewer steps the more is accepted.
  @Test(
    arguments: policies,
    [
      #"{"method": "ngram", "num_speculative_tokens": 3, "#,
      #"{"method": "eagle3", "num_speculative_tokens": 3, "intermediate_size": 6144, "#,
      #"{"method": "mtp", "num_speculative_tokens": 3, "#,
      #"{"method": "draft_model", "model": "qwen3-0.6b", "num_speculative_tokens": 3, "#,
    ])
  func everyMethodRunsUnderEveryPolicy(policy: String, method: String) throws {
    func figures(_ acceptance: String) throws -> (tokens: Int, steps: Int, tpot: Double) {
      let experiment = try experiment(policy, method + acceptance + "}")
      let summary = try run(experiment)
      let exact = try run(experiment, exact: true)
      #expect(self.figures(exact) == self.figures(summary))
      let metrics = summary.summary.metrics
      return (metrics.outputTokens, metrics.decodeIterations, metrics.timePerOutputToken.mean)
    }
    let none = try figures(#""synthetic_acceptance_rates": [0, 0, 0]"#)
    let some = try figures(#""synthetic_acceptance_length": 2.1"#)
    let all = try figures(#""synthetic_acceptance_rates": [1, 1, 1]"#)
    #expect(none.tokens == some.tokens && some.tokens == all.tokens)
    #expect(none.steps > some.steps && some.steps > all.steps)
    #expect(none.tpot > some.tpot && some.tpot > all.tpot)
    // Drafts that are never accepted cost time.
    let plain = try run(experiment(policy, nil)).summary.metrics
    #expect(none.tpot > plain.timePerOutputToken.mean)
  }

  /// A draft model in another format has fits of its own, and what of it was not measured is named.
  @Test func draftsAreLookedUpInTheirOwnFormats() throws {
    var experiment = try experiment(
      "chunked",
      #"{"method": "draft_model", "model": "qwen3-30b-a3b-fp8", "num_speculative_tokens": 1, "synthetic_acceptance_rates": [0.5]}"#
    )
    experiment.system.model = "qwen3-32b"
    experiment.system.hardware = "h200-sxm"
    let loaded = try Project.library.load(experiment)
    let fits = try #require(loaded.loaded.draftCalibration)
    #expect(fits.knows(.fp8Block) && !loaded.loaded.calibration.knows(.fp8Block))
    let drafter = try #require(loaded.loaded.drafter)
    #expect(fits.unmeasured(drafter) == nil)
    #expect(loaded.loaded.calibration.unmeasured(drafter)?.contains("fp8_block: data sheet") == true)
    let kernels = try loaded.run().totals.kernels
    #expect(kernels.contains { $0.kernel == "draft_expert_mlp" && $0.extrapolatedCalls < $0.calls })
  }

  @Test func whatWasNotMeasuredOfDraftsIsNamed() throws {
    var experiment = try experiment(
      "chunked", #"{"method": "mtp", "num_speculative_tokens": 1, "synthetic_acceptance_rates": [0.5]}"#)
    experiment.system.expertParallelSize = 2
    experiment.system.engineSettings["experts.own_choices"] = .flag(true)
    let loaded = try Project.library.load(experiment)
    let note = try #require(
      loaded.notes(totals: loaded.run().totals).first { $0.contains("of what makes drafts: ") })
    #expect(note.contains("expert_mlp (") && note.contains("over 2 ranks: an estimate"))
  }

  /// vLLM's own way to spread a length over the drafts.
  @Test(arguments: [
    (2.6, 3, [1, 0.6, 0]), (1, 3, [0, 0, 0]), (4, 3, [1, 1, 1]), (2, 3, [1, 0, 0]), (3.5, 4, [1, 1, 0.5, 0]),
  ])
  func aLengthIsSpreadOverDrafts(length: Double, drafts: Int, rates: [Double]) throws {
    var specification = SpeculativeSpecification()
    specification.drafts = drafts
    specification.length = length
    let found = specification.acceptanceRates
    #expect(zip(found, rates).allSatisfy { ($0 - $1).magnitude < 1e-12 } && found.count == drafts)
    #expect((1 + found.reduce(0, +) - length).magnitude < 1e-12)
  }

  /// What drafts takes memory from KV blocks: its weights, and an entry of its own for each token.
  @Test func draftsTakeMemory() throws {
    let plain = try Project.library.load(experiment("chunked", nil))
    let drafted = try Project.library.load(
      experiment(
        "chunked",
        #"{"method": "mtp", "num_speculative_tokens": 1, "synthetic_acceptance_rates": [0.85]}"#))
    let shard = plain.loaded.system.shard
    let drafter = try #require(drafted.loaded.drafter)
    // One layer more, the norm behind it, and the projection of embedding and hidden state.
    let rest = shard.embeddingBytes + shard.headBytes + 2 * shard.model.hidden
    let layer = (shard.weightBytes - rest) / shard.model.layers
    #expect(
      drafter.weightBytes == layer + 2 * shard.model.hidden + 4 * shard.model.hidden * shard.model.hidden)
    #expect(drafter.keyValueBytesPerToken == shard.keyValueBytesPerTokenAndLayer)
    let size = plain.loaded.system.engine.keyValueBlockSize
    let (before, after) = (
      plain.kvBlocks * size * shard.keyValueBytesPerToken,
      drafted.kvBlocks * size * (shard.keyValueBytesPerToken + drafter.keyValueBytesPerToken)
    )
    #expect((before - after - drafter.weightBytes).magnitude <= 2 * size * shard.keyValueBytesPerToken)
  }

  @Test func theConfigurationSurvivesItsJSON() throws {
    let json =
      #"{"method": "eagle3", "num_speculative_tokens": 2, "rejection_sample_method": "synthetic", "#
      + #""synthetic_acceptance_rates": [0.7, 0.4], "draft_vocab_size": 32000, "intermediate_size": 6144}"#
    let first = try experiment("chunked", json)
    let second = try Experiment(json: .init(first.json.utf8), from: "test")
    #expect(second == first)
    #expect(second.system.speculation?.rates == [0.7, 0.4])
  }

  @Test(arguments: [
    (#"{"method": "ngrm", "num_speculative_tokens": 1}"#, "expected one of ngram, eagle3, mtp, draft_model"),
    (#"{"method": "ngram"}"#, "num_speculative_tokens"),
    (#"{"method": "ngram", "num_speculative_tokens": 3}"#, "acceptance is data here"),
    (#"{"method": "ngram", "num_speculative_tokens": 65}"#, "0 to 64"),
    (#"{"method": "ngram", "num_speculative_tokens": 3, "synthetic_acceptance_rates": [0.5]}"#, "3 rates"),
    (
      #"{"method": "ngram", "num_speculative_tokens": 2, "synthetic_acceptance_rates": [0.5, 0.6]}"#,
      "do not increase"
    ),
    (
      #"{"method": "ngram", "num_speculative_tokens": 1, "synthetic_acceptance_rates": [1.5]}"#, "from 0 to 1"
    ),
    (
      #"{"method": "ngram", "num_speculative_tokens": 1, "synthetic_acceptance_length": 2.5}"#,
      "1 to 2 tokens in a step"
    ),
    (
      #"{"method": "ngram", "num_speculative_tokens": 1, "rejection_sample_method": "standard"}"#, "synthetic"
    ),
    (
      #"{"method": "draft_model", "num_speculative_tokens": 1, "synthetic_acceptance_rates": [0.5]}"#,
      "the model that drafts"
    ),
    (
      #"{"method": "mtp", "num_speculative_tokens": 1, "synthetic_acceptance_rates": [0.5], "model": "x"}"#,
      "none with mtp"
    ),
    (
      #"{"method": "eagle3", "num_speculative_tokens": 1, "synthetic_acceptance_rates": [0.5]}"#,
      "the width of the EAGLE-3 layer's MLP"
    ),
    (
      #"{"method": "draft_model", "num_speculative_tokens": 1, "synthetic_acceptance_rates": [0.5], "#
        + #""model": "llama-3.1-8b"}"#, "128256 tokens, not 151936"
    ),
    (
      #"{"method": "ngram", "num_speculative_tokens": 8, "synthetic_acceptance_length": 1}"#,
      "fewer than the 8 tokens"
    ),
    (#"{"method": "ngram", "num_speculative_tokens": 1, "depth": 1}"#, "unknown member"),
    ("{", "not valid JSON"),
  ])
  func whatIsWrongIsSaidInOneLine(json: String, text: String) throws {
    do {
      _ = try Project.library.load(experiment("chunked[budget=8]", json))
      Issue.record("\(json) is accepted")
    } catch {
      #expect("\(error)".contains(text), "\(error)")
      #expect(!"\(error)".contains("\n"))
    }
  }
}
