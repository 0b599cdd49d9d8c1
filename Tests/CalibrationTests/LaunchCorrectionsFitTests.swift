import Systems
import Testing

@testable import Calibration
@testable import CostModels

/// Corrections of synthetic launches that switch to another kernel from 256 tokens on, which no coefficient knows of.
@Suite struct LaunchCorrectionsFitTests {
  private let figures = DeviceFigures(
    multiprocessors: 132, memoryBandwidth: 4.8e12, memoryEfficiency: 0.8, bf16FLOPs: 989e12, fp8FLOPs: 1978e12
  )
  private let shape = Experts.Shape(hidden: 2048, intermediate: 768, experts: 128, topK: 8)

  private func rows(tokens: [Int], isCold: Bool = true) -> [Experts.Row] {
    tokens.flatMap { tokens in
      [row(tokens: tokens, skew: 0, isCold: isCold), row(tokens: tokens, skew: 1, isCold: isCold)]
    }
  }

  private func row(tokens: Int, skew: Double, isCold: Bool) -> Experts.Row {
    let truth: SIMD8<Double> = [20e-6, 1 / 4e12, 1 / 5e14, 0, 0, 0, 0, 1 / 2e15]
    let active = Double(min(8 * tokens, 128)) * (1 - 0.2 * skew)
    let slower = tokens >= 256 ? 1.3 + 0.1 * skew : 1
    let work = Experts.Work(rows: Double(tokens), active: active, skew: skew)
    let seconds = Experts.seconds(truth, shape, work, on: figures)
    return Experts.Row(
      type: "bf16", hidden: 2048, intermediate: 768, topK: 8, experts: 128, isCold: isCold, tokens: tokens,
      active: active, skew: skew, tiles: .zero, seconds: slower * seconds)
  }

  private func kernel(_ rows: [Experts.Row], l2Bytes: Double = 0) throws -> FittedKernel {
    var figures = figures
    figures.l2Bytes = l2Bytes
    var measurements = KernelMeasurements(gpu: "test")
    measurements[Experts.self] = rows
    return try Calibrator(measurements: measurements, figures: figures).kernels()[0]
  }

  @Test func measuredLaunchesArePricedAsTheyWere() throws {
    let rows = rows(tokens: (0..<14).map { 1 << $0 })
    let fitted = try #require(try kernel(rows).shapes.first)
    let corrections = try #require(fitted.corrections)
    #expect(corrections.even.map(\.rows) == corrections.skewed.map(\.rows) && corrections.even.count == 14)
    for row in rows {
      let law = Experts.seconds(
        fitted.vector, shape, .init(rows: Double(row.tokens), active: row.active, skew: row.skew), on: figures
      )
      let price = law * corrections.factor(rows: Double(row.tokens), skew: row.skew)
      #expect(abs(price / row.seconds - 1) < 1e-3, "\(row.tokens)")
    }
  }

  /// Held-out launches lie between those of the other half: only around the switch the line between them misses.
  @Test func heldOutLaunchesAreJudgedWithTheCorrectionsOfTheOthers() throws {
    let errors = try #require(try kernel(rows(tokens: (0..<14).map { 1 << $0 })).heldOut)
    #expect(errors.median < 1.5 && errors.p90 > 3 && errors.rows == 14, "\(errors)")
  }

  /// Eight experts of 2,048 x 768 are 75 MB: launches with fewer lay in a cache of 90 MB if they were repeated.
  @Test func whatLayInTheCacheCorrectsNothing() throws {
    let tokens = (0..<14).map { 1 << $0 }
    let warm = try #require(
      try kernel(rows(tokens: tokens, isCold: false), l2Bytes: 90e6).shapes.first?.corrections)
    #expect(warm.even.map(\.rows).min() == 2)
    let cold = try #require(try kernel(rows(tokens: tokens), l2Bytes: 90e6).shapes.first?.corrections)
    #expect(cold.even.map(\.rows).min() == 1)
  }

  /// A launch that took three times as long as both neighbours is left out, and they stay; a switch of kernels is no such thing.
  @Test func disturbedLaunchesAreLeftOut() throws {
    var rows = rows(tokens: (0..<14).map { 1 << $0 })
    let disturbed = try #require(rows.firstIndex { $0.tokens == 64 && $0.skew == 1 })
    rows[disturbed].seconds *= 3
    let corrections = try #require(try kernel(rows).shapes.first?.corrections)
    #expect(corrections.leftOut == 1 && corrections.even.count == 14)
    #expect(corrections.skewed.count == 13 && !corrections.skewed.contains { $0.rows == 64 })
    #expect(kept([1, 1, 1.9, 1.9, 0.4, 1.9]) == [1, 2, 3, 4, 6])
    // At an end nothing says which of two is right, and a neighbour of what is left out stays.
    #expect(kept([4, 1, 1, 1, 1, 4]) == [1, 2, 3, 4, 5, 6])
    #expect(kept([1, 4, 1.1, 3, 3, 3]) == [1, 3, 4, 5, 6])
  }

  /// The numbers, from 1 on, of the points that are kept.
  private func kept(_ factors: [Double]) -> [Double] {
    let points = factors.indices.map {
      LaunchCorrections.Point(rows: Double($0 + 1), factor: factors[$0])
    }
    return LaunchCorrections.withoutOutliers(points).map(\.rows)
  }
}
