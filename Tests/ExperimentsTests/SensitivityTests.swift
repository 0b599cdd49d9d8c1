import Policies
import Serving
import Testing
import Workloads

@testable import Experiments

@Suite struct SensitivityTests {
  func load(_ policy: PolicySpecification, stage milliseconds: Double) throws -> LoadedExperiment {
    var experiment = Experiment(trace: "arxiv", requestRate: 1, policy: policy, seed: 3)
    experiment.workload.numPrompts = 1
    experiment.system.engine = "ideal"
    experiment.system.engineSettings["host.partial_depth_ms"] = .number(milliseconds)
    return try Project.library.load(experiment)
  }

  func firstToken(_ experiment: LoadedExperiment, _ runs: VariantRuns) throws -> Double {
    try runs.means(of: experiment)[.firstToken]
  }

  /// A lone prompt in layered[stages=g] waits once for the host in each of its g steps, and chunks do not: its first
  /// token comes g x later for x ms of host time, so that the lead L of layered over chunks of 512 tokens is used up
  /// at x = L / g.
  @Test func theCrossingOfALonePromptIsThatOfTwoLines() throws {
    let chunked = try load("chunked[budget=512]", stage: 0)
    let layered = try load("layered[stages=8]", stage: 0)
    let runs = VariantRuns(library: Project.library)
    let lead = try firstToken(chunked, runs) - firstToken(layered, runs)
    try #require(lead > 10)
    // How many steps there are is counted, not assumed.
    let run = try CompareRun(layered, writer: nil, progress: nil)
    let steps = try #require(run.iterations[.partialDepth]).count
    let found = try Sensitivity.all(
      of: Sensitivity.Pair(chunked, layered, partialDepth: [false, true], metric: .firstToken), runs: runs)
    let host = try #require(found.first { $0.lever == .hostPerStage })
    #expect(host.winner == 1 && host.concerned == [1] && host.present == 0 && host.below == nil)
    let crossing = try #require(host.above).value
    #expect(abs(crossing / (lead / Double(steps)) - 1) < 0.03, "\(crossing), \(lead) / \(steps)")
  }

  /// Both policies run the same kernels on a dense model, and no lever of experts is pulled.
  @Test func leversThatConcernNeitherAreLeftOut() throws {
    var first = Experiment(trace: "arxiv", requestRate: 1, policy: "chunked[budget=512]")
    first.workload.numPrompts = 2
    first.system.model = "llama-3.1-8b"
    var other = first
    other.policy = "chunked[budget=1024]"
    let found = try Sensitivity.all(
      of: Sensitivity.Pair(
        Project.library.load(first), Project.library.load(other), partialDepth: [false, false],
        metric: .endToEnd), runs: VariantRuns(library: Project.library))
    #expect(found.map(\.lever) == [.chunkBudget])
    #expect(found.first?.concerned == [0])
  }

  /// Halves and doubles, as far as budgets are of use: from 64 tokens to 32,768.
  @Test func leversAreMovedByFactorsOfTwo() {
    #expect(SensitivityLever.chunkBudget.above(8192) == [16384, 32768])
    #expect(SensitivityLever.chunkBudget.below(256) == [128, 64])
    #expect(SensitivityLever.expertKernels.above(1.5) == [3, 6, 12])
    #expect(SensitivityLever.expertKernels.below(2) == [1, 0.5, 0.25])
    #expect(SensitivityLever.hostPerStage.above(1) == [1.25, 1.5, 2, 3, 5, 9, 17, 33])
    #expect(SensitivityLever.hostPerStage.below(3) == [1.5, 0])
    // As sharp as host times are read: a hundredth of a millisecond.
    #expect(SensitivityLever.hostPerStage.scale == .linear(0.01))
    #expect(SensitivityLever.expertKernels.scale == .geometric(0.02))
  }

  @Test func aPolicyAgainstItselfHasNoWinner() throws {
    let chunked = try load("chunked", stage: 0)
    let found = try Sensitivity.all(
      of: Sensitivity.Pair(chunked, chunked, partialDepth: [false, false], metric: .endToEnd),
      runs: VariantRuns(library: Project.library))
    #expect(found.isEmpty)
  }

  /// A lone prompt in chunks of 64 tokens reads the experts again and again: far from the best.
  @Test func tinyChunksAreAdvisedAgainst() throws {
    let runs = VariantRuns(library: Project.library)
    let advice = try #require(
      try ParameterAdvice.find(
        for: load("chunked[budget=64]", stage: 0), metric: .firstToken, runs: runs))
    #expect(advice.parameter == "budget" && advice.value > 512 && advice.betterMean < advice.mean / 2)
    // At the value that was advised there is nothing to say.
    let best = try load(PolicySpecification("chunked", ["budget": .number(Double(advice.value))]), stage: 0)
    #expect(try ParameterAdvice.find(for: best, metric: .firstToken, runs: runs) == nil)
  }
}
