import Policies
import Serving
import Statistics
import Testing
import Workloads

@testable import Experiments

/// Policies do what they are made for, by a stated margin.
@Suite struct PurposeTests {
  private func run(_ policy: PolicySpecification, _ trace: String, rate: Double, requests: Int) throws
    -> RunSummary
  {
    var experiment = Experiment(trace: trace, requestRate: rate, policy: policy)
    experiment.workload.numPrompts = requests
    return try Project.library.load(experiment).run().summary
  }

  /// Under a limit of 30 ms for gaps, groups of layers serve a model with experts sooner, steadier and with less energy than
  /// chunks do that keep to the same limit.
  @Test func pacedLayersBeatPacedChunks() throws {
    let layers = try run("paced[tbt=30]", "arxiv", rate: 1.3, requests: 200)
    let chunks = try run("deadline[tbt=30]", "arxiv", rate: 1.3, requests: 200)
    #expect(layers.percentile(99, of: .itl) <= 0.030)
    #expect(layers.metrics.timeToFirstToken.mean < 0.9 * chunks.metrics.timeToFirstToken.mean)
    #expect(layers.metrics.timePerOutputToken.mean < 0.97 * chunks.metrics.timePerOutputToken.mean)
    #expect(layers.joules < 0.97 * chunks.joules)
  }

  /// Groups that need not be small are fewer: TTFT falls below that of the reference engine's grouping.
  @Test func pacedLayersBeatFixedGroups() throws {
    let paced = try run("paced[tbt=30]", "arxiv", rate: 1.3, requests: 200)
    let fixed = try run("layered", "arxiv", rate: 1.3, requests: 200)
    #expect(paced.metrics.timeToFirstToken.mean < 0.7 * fixed.metrics.timeToFirstToken.mean)
  }

  /// Where requests of very different lengths queue, the mean TTFT is less than two thirds; with ageing the longest wait less
  /// than without.
  @Test func shortPromptsFirstLowerTheMean() throws {
    let (fair, aged, strict) = (
      try run("chunked[budget=2048]", "azure-code", rate: 24, requests: 1000),
      try run("shortest[ageing=2000]", "azure-code", rate: 24, requests: 1000),
      try run("shortest[ageing=1]", "azure-code", rate: 24, requests: 1000)
    )
    #expect(aged.metrics.timeToFirstToken.mean < 0.67 * fair.metrics.timeToFirstToken.mean)
    #expect(aged.percentile(99, of: .ttft) < 0.8 * strict.percentile(99, of: .ttft))
  }
}
