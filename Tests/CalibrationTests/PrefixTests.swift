import Foundation
import Systems
import TestSupport
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
    coefficients: SIMD8(1e-5, 1.9e-13, 2e-13, 1.5e-6, 0, 0, 0, 0), quality: .measured, device: figures)

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

  /// FlashInfer on an H800, which does not split the keys: every third row is predicted by a fit to the others.
  @Test(arguments: [1, 2, 4, 8]) func oneLawHoldsForChunksWithAndWithoutAPrefix(gpus: Int) throws {
    let table = try KernelTable(
      path: "\(shippedProfiles.url.path)/kernels/h800-sxm/frontier-a4b22df/prefill_attention.csv")
    let rows = try PrefillAttention.rows(of: table).filter { $0.heads.heads == 128 / gpus }
    #expect(rows.count > 300 && rows.allSatisfy { !$0.splitsKeys })
    let samples = rows.enumerated().map { index, row in
      let shape = PrefillAttention.Shape(row.heads, splitsKeys: false)
      var work = shape.nothing
      work.add(tokens: row.tokens, prefix: row.prefix)
      return RelativeFit.Sample(
        features: PrefillAttention.features(of: shape, work, on: Self.figures), seconds: row.seconds,
        isHeldOut: index % 3 == 2)
    }
    let errors = try #require(ErrorSummary(RelativeFit.heldOutErrors(samples, count: 4)))
    #expect(errors.median <= 3 && errors.p90 <= 8, "\(errors)")
    let fit = RelativeFit(samples, count: 4)
    let chunks = zip(rows, samples).filter { $0.0.tokens == 512 && (4000...12_500).contains($0.0.prefix) }
    #expect(!chunks.isEmpty)
    for (row, sample) in chunks {
      let error = fit.predict(sample.features) / row.seconds - 1
      #expect(error.magnitude <= 0.06, "prefix \(row.prefix): \(error)")
    }
    // A chunk with a prefix inside what was measured is not extrapolated.
    let kernels = try PrefillAttention.fit(
      rows, Calibrator(measurements: .init(gpu: "h800-sxm"), figures: Self.figures))
    let calibration = Calibration(
      gpu: "h800-sxm", device: "", source: "", figures: Self.figures, files: [], kernels: kernels)
    let law = calibration.fit(PrefillAttention.Shape(rows[0].heads, splitsKeys: false))
    var work = law.shape.nothing
    work.add(tokens: 512, prefix: 8192)
    #expect(law.isMeasured(work))
  }

  /// FlashAttention 3 on an H200, which splits the keys, by a law of one term fitted to rows with prefixes 0 and 16,384.
  @Test func splittingMakesSmallChunksWithLongPrefixesCheap() throws {
    let path =
      "\(shippedProfiles.url.deletingLastPathComponent().path)/Results/published/h200_prefix_attention.csv"
    let table = try KernelTable(path: path)
    let (tokens, prefixes) = (try table.integers("tokens"), try table.integers("prefix"))
    let milliseconds = try table.numbers("ms")
    let heads = AttentionHeads(heads: 16, keyValueHeads: 2, headDim: 128)
    let shape = PrefillAttention.Shape(heads)
    func work(_ row: Int) -> PrefillAttention.Work {
      var work = shape.nothing
      work.add(tokens: tokens[row], prefix: prefixes[row])
      return work
    }
    let samples = tokens.indices.map { row in
      RelativeFit.Sample(
        features: PrefillAttention.features(of: shape, work(row), on: Self.figures),
        seconds: milliseconds[row] * 1e-3, isHeldOut: ![0, 16_384].contains(prefixes[row]))
    }
    for error in RelativeFit.heldOutErrors(samples, count: 2) { #expect(error.relative.magnitude < 0.1) }

    // What a run pays, by the table of prompts without a prefix. It says 46.7 us for 2,048 tokens, and its fit 49.5, where
    // these rows say 41.1: that one row is further off.
    let fit = try Calibration(path: "\(shippedProfiles.url.path)/calibrations/h200-sxm.json").fit(shape)
    for row in tokens.indices {
      let error = fit.seconds(work(row)) / (milliseconds[row] * 1e-3) - 1
      let bar = tokens[row] == 2048 && prefixes[row] == 0 ? 0.21 : 0.1
      #expect(error.magnitude < bar, "\(tokens[row]) behind \(prefixes[row]): \(error)")
    }
  }
}
