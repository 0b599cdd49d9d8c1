import Foundation
import Systems
import TestSupport
import Testing

@testable import CostModels

/// Draws of what the cost model is unsure of.
@Suite struct UncertaintyTests {
  private let calibration: Calibration

  init() throws {
    calibration = try Calibration(path: "\(shippedProfiles.url.path)/calibrations/h200-sxm.json")
  }

  private func ratio(_ draw: Int, seed: UInt64 = 1, _ seconds: (Calibration) -> Double) -> Double {
    seconds(calibration.perturbed(seed: seed, draw: draw)) / seconds(calibration)
  }

  @Test func aDrawIsTheSameWorldWheneverItIsAskedFor() {
    let one = calibration.perturbed(seed: 1, draw: 3)
    _ = one.fit(DecodeAttention.Shape(AttentionHeads(heads: 16, keyValueHeads: 2, headDim: 128)))
    #expect(
      one.fit(MatrixProduct.Shape(n: 5120, k: 2048))
        == calibration.perturbed(seed: 1, draw: 3).fit(MatrixProduct.Shape(n: 5120, k: 2048)))
    #expect(
      one.fit(MatrixProduct.Shape(n: 5120, k: 2048))
        != calibration.perturbed(seed: 1, draw: 4).fit(MatrixProduct.Shape(n: 5120, k: 2048)))
    #expect(
      one.fit(MatrixProduct.Shape(n: 5120, k: 2048))
        != calibration.perturbed(seed: 2, draw: 3).fit(MatrixProduct.Shape(n: 5120, k: 2048)))
    #expect(one.kernels == calibration.kernels, "a draw changes what is looked up, not what is kept")
  }

  @Test func theErrorOfAShapeIsTheSameForAllItsLaunches() {
    let few = ratio(1) { $0.fit(MatrixProduct.Shape(n: 5120, k: 2048)).seconds(1) }
    let many = ratio(1) { $0.fit(MatrixProduct.Shape(n: 5120, k: 2048)).seconds(8192) }
    let other = ratio(1) { $0.fit(MatrixProduct.Shape(n: 2048, k: 4096)).seconds(1) }
    #expect(abs(few / many - 1) < 1e-12)
    #expect(abs(few / other - 1) > 1e-6)
  }

  @Test func factorsSpreadAsTheHeldOutErrorsDo() throws {
    let fit = calibration.fit(MatrixProduct.Shape(n: 5120, k: 2048))
    let median = try #require(fit.heldOut).median
    #expect(abs(fit.spread - 1.4826 * median / 100) < 1e-12)
    let logs = (0..<2000).map { log(ratio($0) { $0.fit(MatrixProduct.Shape(n: 5120, k: 2048)).seconds(64) }) }
    let mean = logs.reduce(0, +) / 2000
    let deviation = (logs.reduce(0) { $0 + $1 * $1 } / 2000 - mean * mean).squareRoot()
    #expect(abs(mean) < 4 * fit.spread / 2000.0.squareRoot())
    #expect(abs(deviation / fit.spread - 1) < 0.07)
  }

  @Test func whatIsKnownWorseSpreadsMore() {
    let measured = calibration.fit(MatrixProduct.Shape(n: 5120, k: 2048))
    let between = calibration.fit(MatrixProduct.Shape(n: 5120, k: 2880))
    let any = calibration.fit(MatrixProduct.Shape(n: 4, k: 2048))
    let dataSheet = calibration.fit(MatrixProduct.Shape(n: 5120, k: 2048, format: .fp8))
    #expect(between.quality == .neighbours && any.quality == .allShapes && dataSheet.quality == .dataSheet)
    #expect(measured.spread < between.spread)
    #expect(between.spread < any.spread)
    #expect(any.spread < dataSheet.spread)
    #expect(
      calibration.fit(PrefillAttention.Shape(AttentionHeads(heads: 64, keyValueHeads: 8, headDim: 128)))
        .spread == Spread.carriedOver)
  }

  @Test func everyKindOfKernelIsDrawn() {
    let kinds: [(Calibration) -> Double] = [
      {
        $0.fit(Experts.Shape(hidden: 2048, intermediate: 768, experts: 128, topK: 8)).seconds(
          .init(rows: 64, active: 100))
      },
      {
        $0.fit(Experts.Shape(hidden: 2880, intermediate: 2880, experts: 32, topK: 4, format: .mxfp4))
          .seconds(.init(rows: 64, active: 30))
      },
      {
        let fit = $0.fit(PrefillAttention.Shape(AttentionHeads(heads: 32, keyValueHeads: 4, headDim: 128)))
        var shape = fit.shape.nothing
        shape.add(tokens: 512, prefix: 512)
        return fit.seconds(shape)
      },
      {
        $0.fit(DecodeAttention.Shape(AttentionHeads(heads: 32, keyValueHeads: 4, headDim: 128))).seconds(
          .init(sequences: 8, context: 8000))
      },
      { $0.fit(AllReduce.Shape(.custom, gpus: 2)).seconds(1e6) },
      { $0.fit(AllReduce.Shape(.nccl, gpus: 2)).seconds(1e6) },
      { $0.fit(Elementwise.Shape("rms_norm")).seconds(.init(activationBytes: 1e6)) },
    ]
    let ratios = kinds.map { ratio(5, $0) }
    #expect(ratios.allSatisfy { $0 != 1 && $0 > 0.3 && $0 < 3 })
    #expect(Set(ratios.map { ($0 * 1e9).rounded() }).count == kinds.count)
  }

  @Test func estimatesFromOneReasoningAreOffTogether() {
    func ratio(_ name: String, _ style: Elementwise.Style) -> Double {
      self.ratio(2) { $0.fit(Elementwise.Shape(name, style)).seconds(.init(activationBytes: 1e6)) }
    }
    #expect(abs(ratio("rms_norm", .unfused) / ratio("silu_mul", .unfused) - 1) < 1e-12)
    #expect(abs(ratio("rms_norm", .fused) / ratio("sampling", .fused) - 1) > 1e-6, "measured one by one")
  }

  @Test func aHostIsFastOrSlowAsAWhole() throws {
    let engine = try shippedProfiles.engine("nano-vllm")
    let drawn = engine.perturbed(seed: 1, draw: 0)
    let eager = drawn.host.eagerLayerMicroseconds / engine.host.eagerLayerMicroseconds
    let graph = drawn.host.graphLayerMicroseconds / engine.host.graphLayerMicroseconds
    let preparation = drawn.host.perIterationMilliseconds / engine.host.perIterationMilliseconds
    #expect(abs(eager / graph - 1) < 1e-12)
    // The first two are estimates, the third was measured: the same draw, another spread.
    #expect(abs(log(eager) / log(preparation) - Spread.estimate / Spread.measured) < 1e-9)
    #expect(drawn.kernelScale.other != engine.kernelScale.other, "that kernels are tuned is an assumption")
    #expect(drawn.kernelScale.expertMLP != engine.kernelScale.expertMLP, "but these were measured")
    #expect(drawn.reservedBytes == engine.reservedBytes && drawn.graphs == engine.graphs)
    let ideal = try shippedProfiles.engine("ideal")
    #expect(ideal.perturbed(seed: 1, draw: 0).host == ideal.host, "what is nothing stays so")
    let paper = try shippedProfiles.engine("paper")
    #expect(paper.perturbed(seed: 1, draw: 0).kernelScale != paper.kernelScale)
  }

  @Test func energiesSpreadByTheirQuality() throws {
    var hardware = try shippedProfiles.hardware("h200-sxm")
    try hardware.set("energy.idle_w=100")
    let drawn = hardware.perturbed(seed: 1, draw: 0)
    #expect(drawn.energy.idleWatts == 100, "what the user says is not in doubt")
    #expect(drawn.energy.perBytePicojoules != hardware.energy.perBytePicojoules)
    #expect(drawn.memoryBandwidth == hardware.memoryBandwidth)

    let errors = ErrorSummary(median: 2, p90: 2, worst: 2, rows: 3)
    let fit = EnergyFit(
      source: "kernels.csv", idleWatts: 90, perBytePicojoules: 100, perFLOPPicojoules: 1,
      standardErrors: [0, 0, 0], limitWatts: 700, rows: 6, heldOut: errors, atLimit: nil)
    hardware.adopt(fit)
    #expect(hardware.provenance["energy.per_flop_pj"]?.quality == .measured)
    let logs = (0..<1000).map {
      log(hardware.perturbed(seed: 1, draw: $0, energy: fit).energy.perFlopPicojoules)
    }
    let deviation = (logs.reduce(0) { $0 + $1 * $1 } / 1000).squareRoot()
    #expect(abs(deviation / (1.4826 * 0.02) - 1) < 0.1)
  }

  @Test func routingIsDrawnWhereItIsAGuess() throws {
    let model = try shippedProfiles.model("qwen3-30b-a3b")
    let standard = try ExpertRouting(for: model)
    guard case .correlated(let group, let request) = standard.perturbedModel(seed: 1, draw: 0) else {
      Issue.record("the law changed its kind")
      return
    }
    #expect(RoutingModel.correlated(groupSigma: group, requestSigma: request) != .standard)
    for law in [RoutingModel.uniform, .correlated(groupSigma: 1, requestSigma: 1)] {
      #expect(try ExpertRouting(law, for: model).perturbedModel(seed: 1, draw: 0) == law)
    }
  }
}
