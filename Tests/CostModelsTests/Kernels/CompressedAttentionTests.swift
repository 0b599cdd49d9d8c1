import Serving
import Systems
import Testing

@testable import CostModels

/// Operations and bytes of compressed convolutional attention, by closed forms.
@Suite struct CompressedAttentionTests {
  /// 8 query and 4 key-value heads of 64 beside a residual stream of 256, in each of two layers.
  private func compressedModel() -> ToyModel {
    var model = ToyModel()
    (model.experts, model.topK, model.isCompressed) = (8, 2, true)
    return model
  }

  private let h = 256
  private let q = 8
  private let g = 4
  private let d = 64

  @Test(arguments: [1, 2]) func aTokenTakesItsProjectionsConvolutionsAndPairs(gpus: Int) throws {
    let model = compressedModel()
    var meter = try ToySystem(model, gpus: gpus).costModel()
    let step = Step(tiles: [.init(tokens: 1000, prefix: 500, layers: 0..<2)])
    let uses = meter.use(of: step)
    func flops(_ names: String...) throws -> Double {
      try names.reduce(0) { try $0 + #require(uses[$1]).flops }
    }
    // Each GPU computes all of it.
    let layers = Double(2 * gpus)
    #expect(try flops("qkv_gemm", "o_gemm") == layers * 1000 * Double(2 * h * (2 * q + 2 * g) * d))
    #expect(
      try flops("convolution", "convolution_gemm") == layers * 1000 * Double(2 * (q + g) * d * (2 + 2 * d)))
    let pairs = 1000 * 500 + 1000 * 1001 / 2
    #expect(try flops("prefill_attention") == layers * Double(4 * q * d * pairs))
  }

  @Test func decodeReadsNarrowHeads() throws {
    var meter = try ToySystem(compressedModel()).costModel()
    let use = try #require(meter.use(of: Step(contexts: [100, 200]))["decode_attention"])
    #expect(use.bytes == Double(2 * (2 * 2 * g * d * 300 + 2 * 2 * q * d * 2)))
    #expect(use.flops == Double(2 * 4 * q * d * 300))
  }

  @Test func whatEveryGPUComputesIsNotSummed() throws {
    let model = compressedModel()
    var plain = model
    plain.isCompressed = false
    func sums(_ model: ToyModel) throws -> Int {
      var meter = try ToySystem(model, gpus: 2).costModel()
      return try #require(meter.use(of: Step(contexts: [100]))["all_reduce"]).calls
    }
    // One of the embedding, one or two in each layer.
    #expect(try sums(model) == 3)
    #expect(try sums(plain) == 5)
  }
}
