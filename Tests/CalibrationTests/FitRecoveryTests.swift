import Systems
import Testing

@testable import Calibration
@testable import CostModels

/// Each fit gives back the coefficients that synthetic measurements were made with.
@Suite struct FitRecoveryTests {
  private let figures = DeviceFigures(
    multiprocessors: 132, memoryBandwidth: 4.8e12, memoryEfficiency: 0.8, bf16FLOPs: 989e12, fp8FLOPs: 1978e12
  )

  private func close(_ a: Double, _ b: Double) -> Bool { abs(a / b - 1) < 1e-4 }

  private func truth<Shape: KernelShape>(
    _ shape: Shape, _ coefficients: SIMD8<Double>
  ) -> Fit<Shape.Family> {
    Fit(shape, coefficients: coefficients, quality: .measured, device: figures)
  }

  /// The coefficients of the only shape that was measured, on a GPU with so much cache.
  private func fitted(_ rows: KernelMeasurements, l2Bytes: Double = 0) throws -> [Double] {
    var figures = figures
    figures.l2Bytes = l2Bytes
    return try Calibrator(measurements: rows, figures: figures).kernels()[0].shapes[0].values
  }

  @Test func ofAMatrixProduct() throws {
    var rows = KernelMeasurements(gpu: "test")
    let truth = truth(
      MatrixProduct.Shape(n: 5120, k: 2048), SIMD8(3e-6, 1 / 4e12, 1 / 7e14, 0.2, 0.15, 0, 0, 0))
    for m in (0..<14).flatMap({ [1 << $0, 3 << $0] }) {
      rows[MatrixProduct.self].append(
        .init(type: "bf16", m: m, n: 5120, k: 2048, seconds: truth.seconds(Double(m))))
    }
    let kernels = try Calibrator(measurements: rows, figures: figures).kernels()
    let values = kernels[0].shapes[0].values
    // The search for the launch stops a four-hundredth of the least time away from it.
    #expect(abs(values[0] / 3e-6 - 1) < 0.02)
    #expect(abs(values[1] * 4e12 - 1) < 0.01)
    #expect(abs(values[2] * 7e14 - 1) < 0.01)
    #expect(abs(values[3] - 0.2) < 0.02 && abs(values[4] - 0.15) < 0.01)
    let worst = try #require(kernels[0].heldOut?.worst)
    #expect(worst < 1)
  }

  @Test func ofExpertsThatWorkInRows() throws {
    var rows = KernelMeasurements(gpu: "test")
    let shape = Experts.Shape(hidden: 2048, intermediate: 768, experts: 128, topK: 8)
    let truth = truth(shape, SIMD8(20e-6, 1 / 4e12, 1 / 5e14, 0, 0, 0, 0, 0))
    for tokens in (0..<14).map({ 1 << $0 }) {
      for active in [Double(min(8 * tokens, 128)), Double(min(8 * tokens, 128)) * 0.7] {
        rows[Experts.self].append(
          .init(
            type: "bf16", hidden: 2048, intermediate: 768, topK: 8, experts: 128, tokens: tokens,
            active: active, tiles: .zero, seconds: truth.seconds(.init(rows: Double(tokens), active: active)))
        )
      }
    }
    let values = try fitted(rows)
    #expect(close(values[0], 20e-6) && close(values[1], 1 / 4e12) && close(values[2], 1 / 5e14))
  }

  /// Layers of several widths tell what choices stream from what they multiply; one layer does not.
  @Test func ofExpertsOfAllShapes() throws {
    var rows = KernelMeasurements(gpu: "test")
    let coefficients = SIMD8<Double>(20e-6, 1 / 4e12, 1 / 5e14, 0, 0, 0, 1 / 3e12, 0)
    for (hidden, intermediate) in [(2048, 768), (4096, 256), (7168, 2048), (3072, 1536)] {
      let truth = truth(
        Experts.Shape(hidden: hidden, intermediate: intermediate, experts: 128, topK: 8), coefficients)
      for tokens in (0..<14).map({ 1 << $0 }) {
        let active = Double(min(8 * tokens, 128))
        rows[Experts.self].append(
          .init(
            type: "bf16", hidden: hidden, intermediate: intermediate, topK: 8, experts: 128, tokens: tokens,
            active: active, tiles: .zero, seconds: truth.seconds(.init(rows: Double(tokens), active: active)))
        )
      }
    }
    let kernels = try Calibrator(measurements: rows, figures: figures).kernels()
    let all = try #require(kernels.first { $0.kernel == Experts.allShapes }?.shapes.first?.values)
    #expect([0, 1, 2, 6].allSatisfy { close(all[$0], coefficients[$0]) })
    let layers = try #require(kernels.first { $0.kernel == "moe" }?.shapes)
    #expect(layers.count == 4 && layers.allSatisfy { $0.values[6] == 0 && $0.values[2] > 1 / 5e14 })
  }

  @Test(arguments: [WeightFormat.mxfp4, .int4]) func ofExpertsThatWorkInTiles(format: WeightFormat) throws {
    var rows = KernelMeasurements(gpu: "test")
    let shape = Experts.Shape(hidden: 2880, intermediate: 2880, experts: 32, topK: 4, format: format)
    let truth = truth(shape, SIMD8(40e-6, 1 / 3e12, 1 / 9e14, 1 / 8e12, 1 / 6e14, 0, 0, 1 / 5e15))
    for tokens in (0..<14).map({ 1 << $0 }) {
      // Loads of random routing spread; those of tables are even, whose tiles of 8 and 48 no table has.
      for skew in format == .int4 ? [0.5, 1] : [0.0, 0.5, 1] {
        let active = 32 - 8 * skew
        let tiles = SIMD4(
          [16.0, 32, 64, 128].map {
            Experts.expectedTiles(choices: Double(4 * tokens), active: active, tileTokens: $0, skew: skew)
          })
        let seconds = truth.seconds(.init(rows: Double(tokens), active: active, skew: skew))
        rows[Experts.self].append(
          .init(
            type: format.rawValue, hidden: 2880, intermediate: 2880, topK: 4, experts: 32, tokens: tokens,
            active: active, skew: skew, tiles: tiles, seconds: seconds))
      }
    }
    let values = try fitted(rows)
    #expect([0, 1, 2, 3, 4, 7].allSatisfy { close(values[$0], truth.coefficients[$0]) })
  }

  @Test(arguments: [0, 128]) func ofPrefillAttention(window: Int) throws {
    var rows = KernelMeasurements(gpu: "test")
    let heads = AttentionHeads(heads: 32, keyValueHeads: 4, headDim: 128, window: window)
    let truth = truth(
      PrefillAttention.Shape(heads), SIMD8(1e-5, 1.9e-13, 2e-13, 1.5e-6, 4e-14, 0, 0, 0))
    for batch in [1, 2, 4, 16] {
      for tokens in [16, 128, 512, 1024, 4096] {
        for prefix in [0, 500, 8192] {
          var work = truth.shape.nothing
          work.add(tokens: tokens, prefix: prefix, count: batch)
          rows[PrefillAttention.self].append(
            .init(heads: heads, batch: batch, tokens: tokens, prefix: prefix, seconds: truth.seconds(work)))
        }
      }
    }
    let values = try fitted(rows)
    #expect((0..<5).allSatisfy { close(values[$0], truth.coefficients[$0]) })
  }

  @Test(arguments: [0, 128]) func ofDecodeAttention(window: Int) throws {
    var rows = KernelMeasurements(gpu: "test")
    let cut = window > 0 ? 1.0 : 0
    let heads = AttentionHeads(heads: 32, keyValueHeads: 4, headDim: 128, window: window)
    let truth = truth(
      DecodeAttention.Shape(heads), SIMD8(1e-5, 2.5e-13, 1e-7, 5e-7, 4e-6 * cut, 1e-6 * cut, 0, 2e-10))
    for batch in (0..<11).map({ 1 << $0 }) {
      for context in (1..<17).map({ 1 << $0 }) where context != window {
        let work = DecodeAttention.Work(sequences: Double(batch), context: Double(batch * context))
        rows[DecodeAttention.self].append(
          .init(heads: heads, batch: batch, context: context, seconds: truth.seconds(work)))
      }
    }
    let values = try fitted(rows)
    #expect(
      (0..<8).allSatisfy { truth.coefficients[$0] == values[$0] || close(values[$0], truth.coefficients[$0]) }
    )
  }

  /// Keys that lay in the cache were read at twice the bandwidth, which a coefficient of their own knows.
  @Test func ofDecodeAttentionInTheCache() throws {
    var rows = KernelMeasurements(gpu: "test")
    let l2Bytes = 50e6
    let heads = AttentionHeads(heads: 32, keyValueHeads: 4, headDim: 128)
    let truth = truth(DecodeAttention.Shape(heads), SIMD8(1e-5, 2.5e-13, 1e-7, 5e-7, 0, 0, 0, 0))
    for batch in (0..<11).map({ 1 << $0 }) {
      for context in (1..<17).map({ 1 << $0 }) {
        let bytes = Double(batch * context) * 2 * 4 * 128 * 2
        let work = DecodeAttention.Work(sequences: Double(batch), context: Double(batch * context))
        let seconds = truth.seconds(work) - (bytes <= l2Bytes ? bytes * 1.25e-13 : 0)
        rows[DecodeAttention.self].append(
          .init(heads: heads, batch: batch, context: context, seconds: seconds))
      }
    }
    let values = try fitted(rows, l2Bytes: l2Bytes)
    #expect(close(values[1], 2.5e-13) && close(values[6], 1.25e-13))
    #expect(try fitted(rows)[6] == 0)
  }

  /// Where nothing was measured beyond the cache, a byte takes what the data sheet's memory takes, and no less.
  @Test func ofDecodeAttentionInTheCacheAlone() throws {
    var rows = KernelMeasurements(gpu: "test")
    let heads = AttentionHeads(heads: 32, keyValueHeads: 4, headDim: 128)
    let truth = truth(DecodeAttention.Shape(heads), SIMD8(1e-5, 1e-13, 0, 0, 0, 0, 0, 0))
    for context in (6..<14).flatMap({ [1 << $0, 3 << ($0 - 1)] }) {
      let work = DecodeAttention.Work(sequences: 1, context: Double(context))
      rows[DecodeAttention.self].append(
        .init(heads: heads, batch: 1, context: context, seconds: truth.seconds(work)))
    }
    #expect(try close(fitted(rows, l2Bytes: 50e6)[1], 1 / (4.8e12 * 0.8)))
    for index in rows[DecodeAttention.self].indices { rows[DecodeAttention.self][index].isCold = true }
    #expect(try close(fitted(rows, l2Bytes: 50e6)[1], 1e-13))
  }

  /// Weights that lay in the cache say nothing of memory, nor does a calibration keep what they took.
  @Test(arguments: [WeightFormat.bf16, .mxfp4]) func ofExpertsInTheCache(format: WeightFormat) throws {
    var rows = KernelMeasurements(gpu: "test")
    let shape = Experts.Shape(hidden: 2048, intermediate: 768, experts: 128, topK: 8, format: format)
    let l2Bytes = 30 * shape.expertBytes
    let tiled = format == .bf16 ? 0.0 : 1
    let rates = SIMD8(0, 0, 1 / 5e14, tiled / 1e14, tiled / 6e14, 0, 0, 0)
    let truth = truth(shape, SIMD8(20e-6, 1 / 3e12, 0, 0, 0, 0, 0, 0) + rates)
    for tokens in (0..<14).map({ 1 << $0 }) {
      for active in [Double(min(8 * tokens, 128)), Double(min(8 * tokens, 128)) * 0.7] {
        let tiles = SIMD4(
          [16.0, 32, 64, 128].map {
            Experts.expectedTiles(choices: Double(8 * tokens), active: active, tileTokens: $0, skew: 0)
          })
        let bytes = active * shape.expertBytes
        let seconds =
          truth.seconds(.init(rows: Double(tokens), active: active))
          - (bytes <= l2Bytes ? bytes / 6e12 : 0)
        rows[Experts.self].append(
          .init(
            type: format.rawValue, hidden: 2048, intermediate: 768, topK: 8, experts: 128, tokens: tokens,
            active: active, tiles: tiles, seconds: seconds))
      }
    }
    let values = try fitted(rows, l2Bytes: l2Bytes)
    #expect(abs(values[1] * 3e12 - 1) < 0.01)
    #expect(values[Experts.indexOfCachedBytes] == 0)
  }

  /// States in the cache are told from those in memory; prompts have a price of each kind.
  @Test(arguments: Recurrence.Stage.allCases) func ofARecurrence(stage: Recurrence.Stage) throws {
    var rows = KernelMeasurements(gpu: "test")
    let l2Bytes = 2e6
    let delta = GatedDelta(keyHeads: 4, valueHeads: 8, keyDim: 128, valueDim: 128, kernel: 4)
    let shape = Recurrence.Shape(delta, stage)
    let isCore = stage == .corePrefill
    let isOfPrompts = isCore || stage == .convolutionPrefill
    let truth = truth(shape, SIMD8(3e-6, 3e-13, isCore ? 2e-6 : 0, isCore ? 1e-6 : 0, 1e-13, 0, 0, 0))
    for batch in (0..<12).map({ 1 << $0 }) {
      for length in isOfPrompts ? [64, 512, 4096] : [1] {
        var work = Recurrence.Work()
        work.add(tokens: length, count: batch)
        let traffic = Recurrence.traffic(shape, work)
        var features = SIMD8<Double>(1, 0, 0, 0, 0, 0, 0, 0)
        features[(isOfPrompts ? traffic.bytes : traffic.kvBytes / 2) <= l2Bytes ? 4 : 1] = traffic.bytes
        if isCore {
          let waves = (Double(batch * 8) / 132).rounded(.up)
          (features[2], features[3]) = (waves * Double(length / 64), waves)
        }
        rows[Recurrence.self].append(
          .init(
            delta: delta, stage: stage, batch: batch, length: length,
            seconds: (features * truth.coefficients).sum()))
      }
    }
    let values = try fitted(rows, l2Bytes: l2Bytes)
    #expect(
      (0..<5).allSatisfy { truth.coefficients[$0] == values[$0] || close(values[$0], truth.coefficients[$0]) }
    )
  }

  @Test(arguments: AllReduce.Implementation.allCases) func ofAnAllReduce(
    implementation: AllReduce.Implementation
  ) throws {
    var rows = KernelMeasurements(gpu: "test")
    let coefficients: SIMD8<Double> =
      implementation == .nccl
      ? SIMD8(6e-6, 4e-12, 5e-6, 3e-12, 0, 0, 2e-9, 0) : SIMD8(4e-6, 9e-12, 3e-6, 6e-12, 9e-6, 5e-12, 0, 0)
    let truth = truth(AllReduce.Shape(implementation, gpus: 4), coefficients)
    for bytes in (8..<31).map({ Double(1 << $0) }) {
      rows[AllReduce.self].append(
        .init(implementation: implementation, gpus: 4, bytes: bytes, seconds: truth.seconds(bytes)))
    }
    let values = try fitted(rows)
    #expect((0..<7).allSatisfy { coefficients[$0] == values[$0] || close(values[$0], coefficients[$0]) })
  }

  @Test func knowsHowSureItIs() {
    // Two thousand measurements of a constant with an error of ±10 %: its mean is sure to 10 % / √2000.
    let samples = (0..<2000).map { i in
      RelativeFit.Sample(
        features: SIMD8(1 / (i % 2 == 0 ? 0.9 : 1.1), 0, 0, 0, 0, 0, 0, 0), seconds: 1, isHeldOut: false)
    }
    let fit = RelativeFit(samples, count: 1)
    #expect(abs(fit.standardErrors[0] / (0.1 / 2000.0.squareRoot()) - 1) < 0.05)
  }

  @Test func refusesTooFewRows() {
    var rows = KernelMeasurements(gpu: "test")
    rows[MatrixProduct.self] = (1...7).map { .init(type: "bf16", m: $0, n: 64, k: 64, seconds: 1) }
    let error = #expect(throws: CalibrationError.self) {
      try Calibrator(measurements: rows, figures: figures).kernels()
    }
    #expect(error?.description == "test: gemm 64 x 64: 7 rows, but a fit with held-out rows needs at least 8")
  }
}
