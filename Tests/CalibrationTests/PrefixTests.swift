import Systems
import Testing

@testable import Calibration
@testable import CostModels

/// Chunks with a prefix enter the fit of prefill attention, and are judged apart.
@Suite struct PrefixTests {
  private static let figures = DeviceFigures(
    multiprocessors: 132, memoryBandwidth: 4.8e12, memoryEfficiency: 0.8, bf16FLOPs: 989e12, fp8FLOPs: 1978e12
  )
  private let truth = Fit<PrefillAttention>(
    .init(AttentionHeads(heads: 32, keyValueHeads: 4, headDim: 128)),
    coefficients: SIMD8(1e-5, 1e-13, 9e-14, 2e-13, 1.5e-6, 0, 0, 0), quality: .measured, device: figures)

  /// A calibration of rows that follow the law, but for a factor on those with a prefix.
  private func calibration(prefixes: [Int], factor: Double = 1) throws -> Calibration {
    var rows = KernelMeasurements(gpu: "test")
    for batch in [1, 4, 16] {
      for tokens in [64, 128, 512, 1024, 4096] {
        for prefix in prefixes {
          var shape = truth.shape.nothing
          shape.add(tokens: tokens, prefix: prefix, count: batch)
          rows[PrefillAttention.self].append(
            .init(
              heads: truth.shape.heads, batch: batch, tokens: tokens, prefix: prefix,
              seconds: truth.seconds(shape) * (prefix > 0 ? factor : 1)))
        }
      }
    }
    let kernels = try Calibrator(measurements: rows, figures: Self.figures).kernels()
    return Calibration(
      gpu: "test", device: "test", source: "test", figures: Self.figures, files: [], kernels: kernels)
  }

  private func isMeasured(_ calibration: Calibration, tokens: Int, prefix: Int) -> Bool {
    let fit = calibration.fit(
      PrefillAttention.Shape(AttentionHeads(heads: 32, keyValueHeads: 4, headDim: 128)))
    var shape = fit.shape.nothing
    shape.add(tokens: tokens, prefix: prefix)
    return fit.isMeasured(shape)
  }

  @Test func withoutPrefixesTheReportSaysSo() throws {
    let calibration = try calibration(prefixes: [0])
    #expect(calibration.kernels.map(\.kernel) == ["prefill_attention"])
    #expect(calibration.report().contains("prefill_attention_prefix"))
    #expect(calibration.report().contains("not measured\n"))
    #expect(isMeasured(calibration, tokens: 512, prefix: 0))
    #expect(!isMeasured(calibration, tokens: 512, prefix: 512))
  }

  @Test func withPrefixesTheyHaveARowAndABarOfTheirOwn() throws {
    let calibration = try calibration(prefixes: [0, 1024, 8192])
    #expect(calibration.kernels.map(\.kernel) == ["prefill_attention", "prefill_attention_prefix"])
    let row = calibration.kernels[1]
    #expect(row.bar == ErrorBar(median: 3, p90: 8))
    #expect(row.shapes.isEmpty)
    let errors = try #require(row.heldOut)
    #expect(errors.worst < 0.1)
    #expect(calibration.meetsBars)
    let held = calibration.kernels.compactMap(\.heldOut).reduce(0) { $0 + $1.rows }
    #expect(calibration.kernels[0].shapes[0].heldOut?.rows == held, "each held-out row counts in one of them")
  }

  @Test func aFitThatMissesThemMissesTheirBar() throws {
    // What no common law can be near to: a prefix that costs half of what the law of the keys says.
    let calibration = try calibration(prefixes: [0, 1024], factor: 0.5)
    #expect(!calibration.meetsBars)
    let line = calibration.report().split(separator: "\n").first { $0.hasPrefix("prefill_attention_prefix") }
    #expect(line?.hasSuffix("MISSED") == true)
  }

  @Test func aPrefixIsMeasuredUpToTheLongest() throws {
    let calibration = try calibration(prefixes: [0, 1024])
    #expect(isMeasured(calibration, tokens: 512, prefix: 1024))
    #expect(isMeasured(calibration, tokens: 512, prefix: 300))
    #expect(!isMeasured(calibration, tokens: 512, prefix: 1025), "though as many keys were, without a prefix")
  }
}
