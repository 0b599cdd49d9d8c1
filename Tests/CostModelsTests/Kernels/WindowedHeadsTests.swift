import CostModels
import Serving
import Systems
import TestSupport
import Testing

/// Models whose layers with a window have other heads than those that attend to all tokens.
@Suite struct WindowedHeadsTests {
  private func meter(_ model: ModelDescription, gpus: Int, _ calibration: Calibration) throws -> Meter {
    Meter(
      KernelCostModel(
        system: try ServedSystem(
          model: model, hardware: try shippedProfiles.hardware("h200"),
          engine: try shippedProfiles.engine("ideal"), tensorParallel: gpus),
        calibration: calibration, routing: try ExpertRouting(.uniform, for: model)))
  }

  /// Gemma 4: 25 layers of 8 KV heads of 256 that see 1,024 tokens, 5 of 2 KV heads of 512 that see all.
  @Test(arguments: [1, 2, 4]) func eachKindIsPricedByItsOwnHeads(gpus: Int) throws {
    let model = try shipped("gemma-4-26b-a4b")
    let calibration = try Calibration(gpu: "h200-sxm", profiles: shippedProfiles, for: model)
    var meter = try meter(model, gpus: gpus, calibration)
    let uses = meter.use(of: Step(contexts: [3000, 500]))
    let windowed = calibration.fit(
      DecodeAttention.Shape(
        AttentionHeads(heads: 16 / gpus, keyValueHeads: 8 / gpus, headDim: 256, window: 1024)))
    let full = calibration.fit(
      DecodeAttention.Shape(
        AttentionHeads(heads: 16 / gpus, keyValueHeads: max(1, 2 / gpus), headDim: 512)))
    let expected =
      25 * windowed.seconds(.init(sequences: 2, context: 1524))
      + 5 * full.seconds(.init(sequences: 2, context: 3500))
    #expect(isClose(uses["decode_attention"]?.seconds, expected, within: 1e-9))
    // Full layers project no values, and hand on heads of 512.
    func product(_ n: Int, _ k: Int) -> Double { calibration.fit(MatrixProduct.Shape(n: n, k: k)).seconds(2) }
    let (wide, narrow) = ((16 / gpus + max(1, 2 / gpus)) * 512, (16 + 16) / gpus * 256)
    #expect(
      isClose(
        uses["qkv_gemm"]?.seconds, 25 * product(narrow, 2816) + 5 * product(wide, 2816), within: 1e-9))
    #expect(
      isClose(
        uses["o_gemm"]?.seconds,
        25 * product(2816, 16 / gpus * 256) + 5 * product(2816, 16 / gpus * 512), within: 1e-9))
    // Seven norms a layer and one of the router; and the last.
    #expect(uses["rms_norm"]?.calls == 30 * 8 + 1)
    #expect(uses["shared_gate_up_gemm"]?.calls == 30 && uses["expert_mlp"]?.calls == 30)
  }

  @Test func whatTokensKeepIsReadOfEachKind() throws {
    let model = try shipped("gemma-4-26b-a4b")
    let calibration = try Calibration(gpu: "h200-sxm", profiles: shippedProfiles, for: model)
    var meter = try meter(model, gpus: 1, calibration)
    let (short, long) = (
      meter.cost(of: Step(contexts: [1000])), meter.cost(of: Step(contexts: [1001]))
    )
    #expect(isClose(long.kvBytes - short.kvBytes, 225_280, within: 1e-9))
    let (wide, wider) = (meter.cost(of: Step(contexts: [3000])), meter.cost(of: Step(contexts: [3001])))
    #expect(isClose(wider.kvBytes - wide.kvBytes, 20_480, within: 1e-9))
  }
}
