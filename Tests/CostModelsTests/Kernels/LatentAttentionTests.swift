import Serving
import Systems
import TestSupport
import Testing

@testable import CostModels

/// Attention over latent vectors, and experts that ranks share out.
@Suite struct LatentAttentionTests {
  private func latentModel() -> ToyModel {
    var model = ToyModel()
    (model.experts, model.topK, model.isLatent) = (8, 2, true)
    return model
  }

  /// DeepSeek's models expand the latent vectors of a prefix again for every chunk; a pass over the whole prompt has none.
  @Test func eachChunkExpandsItsPrefixAgain() throws {
    let model = latentModel()
    let system = try ToySystem(model)
    func flops(chunks: [(tokens: Int, prefix: Int)]) throws -> Double {
      var meter = try system.costModel()
      for chunk in chunks {
        _ = meter.cost(
          of: Step(tiles: [.init(tokens: chunk.tokens, prefix: chunk.prefix, layers: 0..<model.layers)]))
      }
      return try #require(meter.kernels.byName["latent_products"]).flops
    }
    let whole = try flops(chunks: [(1000, 0)])
    let chunked = try flops(chunks: [(250, 0), (250, 250), (250, 500), (250, 750)])
    let perToken = 2 * model.latent * model.heads * (model.nope + model.value)
    #expect(whole == Double(model.layers * 1000 * perToken))
    #expect(chunked - whole == Double(model.layers * (250 + 500 + 750) * perToken))
  }

  /// The latent vectors of a token are read once, whatever the number of heads.
  @Test func decodeReadsOneVectorForAllHeads() throws {
    let model = latentModel()
    var meter = try ToySystem(model).costModel()
    let use = try #require(meter.use(of: Step(contexts: [100, 200]))["decode_attention"])
    let activations = 2.0 * 2 * Double(model.heads * (2 * model.latent + model.rope))
    #expect(use.bytes == Double(model.layers) * (2 * 300 * Double(model.latent + model.rope) + activations))
  }

  /// Rows that are verified share the reading; each has scores and values of its own.
  ///
  /// To the kernel they are as many more heads: it takes what those heads were measured to take, and in proportion beyond.
  @Test func verifiedRowsMultiplyTheOperationsAndReadOnce() throws {
    let model = latentModel()
    var system = try ToySystem(model)
    let name = "latent_decode_attention bf16"
    let own = try #require(system.calibration.fits[name]?[[8, 1, 80, 64]])
    // Twice as many heads take 1.5 times as long a byte, and a key.
    system.calibration.fits[name]?[[16, 1, 80, 64]] = own
    system.calibration.fits[name]?[[16, 1, 80, 64]]?.values[1] = 1.5 * own.values[1]
    system.calibration.fits[name]?[[16, 1, 80, 64]]?.values[7] = 1.5 * own.values[7]
    func use(width: Int) throws -> KernelUse {
      var meter = try system.costModel(width: width)
      var step = Step(contexts: [1000])
      step.width = width
      return try #require(meter.use(of: step)["decode_attention"])
    }
    func read(width: Int) throws -> Double {
      let constant = own.values[0] + own.values[2] + own.values[3]
      return try use(width: width).seconds / Double(model.layers) - constant
    }
    func bytes(width: Int) -> Double { 2 * Double((999 + width) * 80) }
    for (width, factor) in [(1, 1.0), (2, 1.5), (4, 3), (6, 4.5)] {
      let walking = own.values[7] * Double(999 + width)
      #expect(
        isClose(
          try read(width: width), factor * (own.values[1] * bytes(width: width) + walking), within: 1e-9))
      let use = try use(width: width)
      let activations = 2.0 * Double(model.heads * 144 * width)
      #expect(isClose(use.bytes, Double(model.layers) * (bytes(width: width) + activations)))
      #expect(isClose(use.flops, Double(model.layers * 2 * model.heads * 144 * (999 + width) * width)))
    }
  }

  @Test func theBusiestRankHasAtLeastItsShareAndAtMostItsExperts() throws {
    for (rows, active) in [(1.0, 4.0), (16, 40), (1000, 64)] {
      let shape = Experts.Shape(hidden: 256, intermediate: 128, experts: 64, topK: 4, ranks: 8)
      let (even, skewed) = (
        Experts.busiestRank(shape, .init(rows: rows, active: active)),
        Experts.busiestRank(shape, .init(rows: rows, active: active, skew: 1))
      )
      #expect(even.choices >= rows * 4 / 8 && even.choices <= rows * 4)
      #expect(skewed.choices >= even.choices)
      #expect(even.active >= active / 8 && even.active <= 8)
    }
    let one = Experts.Shape(hidden: 256, intermediate: 128, experts: 64, topK: 4)
    #expect(Experts.busiestRank(one, .init(rows: 7, active: 20)) == (28, 20))
  }

  /// Published order statistics of the normal distribution, to Blom's accuracy.
  @Test func expectsTheMaximumOfNormalNumbers() {
    for (count, expected) in [(1, 0), (2, 0.564), (4, 1.029), (8, 1.424), (16, 1.766)] {
      #expect(abs(Experts.expectedMaximum(of: count) - expected) < 0.03)
    }
  }

  /// Widths are equal in GLM-5's attention over expanded keys, and it is latent all the same.
  @Test func latentAttentionIsSoWhateverItsWidths() throws {
    let model = try shipped("glm-5")
    let expanded = AttentionHeads(expanded: try #require(model.latent))
    #expect(expanded.headDim == expanded.valueDim && expanded.isLatent)
    #expect(PrefillAttention.Shape(expanded).kernel == PrefillAttention.latent)
    #expect(!AttentionHeads(heads: 32, keyValueHeads: 8, headDim: 128).isLatent)
    let calibration = try Calibration(gpu: "h200-sxm", profiles: shippedProfiles, for: model)
    let fit = calibration.fit(PrefillAttention.Shape(expanded))
    var known = expanded
    known.window = 0
    #expect(fit.coefficients == calibration.fit(PrefillAttention.Shape(known)).coefficients)
    #expect(fit.quality == .estimate)
  }
}
