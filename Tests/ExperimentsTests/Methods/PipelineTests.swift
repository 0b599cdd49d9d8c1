import CostModels
import Serving
import Systems
import Testing
import Workloads

@testable import Experiments

@Suite struct PipelineTests {
  private func loaded(_ model: String, stages: Int?, engine: String = "vllm") throws -> LoadedExperiment {
    var experiment = Experiment(trace: "arxiv", requestRate: 1, policy: "chunked")
    experiment.system.model = model
    experiment.system.engine = engine
    let isLarge = model.hasPrefix("deepseek")
    experiment.system.hardware = isLarge ? "h200-sxm" : "h100-sxm"
    experiment.system.tensorParallelSize = isLarge ? 8 : 2
    experiment.system.pipelineParallelSize = stages
    experiment.workload.numPrompts = 40
    return try Project.library.load(experiment)
  }

  /// Stages together cost what the model costs whole, but for the ways between them.
  @Test(arguments: ["qwen3-30b-a3b", "gpt-oss-20b", "llama-3.1-8b", "deepseek-v3"], [2, 3])
  func stagesCostWhatTheModelCosts(model: String, count: Int) throws {
    let (whole, cut) = (try loaded(model, stages: nil), try loaded(model, stages: count))
    let pipeline = try #require(cut.loaded.pipeline)
    let (one, parts) = (
      KernelCostModel(
        system: whole.loaded.system, calibration: whole.loaded.calibration, routing: whole.loaded.routing),
      pipeline.costModel(calibration: cut.loaded.calibration, drawSeed: nil)
    )
    let layers = one.layers
    let tiles = [
      Tile(sequence: Slot(0), tokens: 0..<700, layers: 0..<layers),
      Tile(sequence: Slot(1), tokens: 300..<400, layers: 2..<layers - 3),
    ]
    for (tiles, finishing) in [([], 0), (tiles, 1), ([tiles[1]], 0)] {
      let load = StepLoad(
        decode: DecodeLoad(sequences: 20, context: 30_000, windowContext: 2000), tiles: tiles, layers: layers,
        finishing: finishing)
      var (cost, sum) = (StepCost(), StepCost())
      var (ledger, ledgers) = (KernelLedger(), KernelLedger())
      one.price(load, into: &cost, ledger: &ledger)
      parts.price(load, into: &sum, ledger: &ledgers)
      func close(_ a: Double, _ b: Double) -> Bool { abs(a - b) <= 1e-9 * max(abs(a), abs(b)) }
      #expect(close(cost.kernelSeconds, sum.kernelSeconds), "\(cost.kernelSeconds) \(sum.kernelSeconds)")
      #expect(close(cost.joules, sum.joules))
      #expect(close(cost.expertBytes, sum.expertBytes) && close(cost.experts, sum.experts))
      #expect(close(cost.weightBytes, sum.weightBytes) && close(cost.kvBytes, sum.kvBytes))
      #expect(cost.hostSeconds == sum.hostSeconds && cost.exposedSeconds == sum.exposedSeconds)
      let rows = pipeline.layers.dropLast().reduce(0) { rows, stage in
        tiles.filter { $0.layers.contains(stage.upperBound - 1) }
          .reduce(rows + 20) { $0 + $1.tokens.count }
      }
      let sent = Double(rows) * pipeline.link.bytesPerRow
      #expect(close(sum.activationBytes - cost.activationBytes, sent))
      let send = parts.kernels(in: ledgers).first { $0.kernel == "pipeline_send" }
      #expect(send?.bytes == sent)
      #expect(
        close(
          send?.seconds ?? 0,
          Double(count - 1) * pipeline.link.latency + sent / pipeline.link.bytesPerSecond))
      let (wholeKernels, partKernels) = (one.kernels(in: ledger), parts.kernels(in: ledgers))
      for use in wholeKernels {
        let part = partKernels.first { $0.kernel == use.kernel }
        #expect(part?.calls == use.calls && close(part?.seconds ?? 0, use.seconds), "\(use.kernel)")
      }
    }
  }

  /// Bubbles are figures of runs with stages, and of no others; energy is that of all GPUs.
  @Test func bubblesAreAFigure() throws {
    let (whole, cut) = (try loaded("llama-3.1-8b", stages: nil), try loaded("llama-3.1-8b", stages: 2))
    let (one, two) = (try whole.run(), try cut.run())
    #expect(!one.summary.values.contains { $0.0 == "pipeline_bubble" })
    let bubble = two.summary[.pipelineBubble]
    #expect(bubble > 0 && bubble < 0.5)
    #expect(two.summary.values.contains { $0.0 == "pipeline_bubble" })
    #expect(two.metrics.outputTokens == one.metrics.outputTokens)
    let use = try #require(two.totals.pipeline)
    // All four GPUs draw idle power all the while.
    let idle = 4 * cut.loaded.system.hardware.energy.idleWatts
    let kernels = two.totals.kernels.reduce(0) { $0 + $1.joules }
    let expected = kernels + idle * two.metrics.end
    #expect(abs(two.summary.joules / expected - 1) < 1e-6)
    #expect(two.instances[0].busySeconds == use.activeSeconds)
    #expect(use.activeSeconds <= two.metrics.end)
  }

  @Test func worldsOfPipelinesAreDrawn() throws {
    var cut = try loaded("qwen3-30b-a3b", stages: 2)
    let plain = try cut.run().summary[.meanTimeToFirstToken]
    cut.loaded = try cut.loaded.perturbed(seed: 1, draw: 3)
    let drawn = try cut.run().summary[.meanTimeToFirstToken]
    #expect(plain != drawn && abs(drawn / plain - 1) < 0.5)
  }
}
