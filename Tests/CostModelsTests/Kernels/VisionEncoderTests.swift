import Foundation
import Serving
import Systems
import TestSupport
import Testing

@testable import CostModels

/// What makes tokens of images.
@Suite struct VisionEncoderTests {
  private func model(_ encoder: String?, gpus: Int = 2) throws -> KernelCostModel {
    let system = try ServedSystem(
      model: shipped("qwen3-8b"), hardware: shippedProfiles.hardware("h100-sxm"),
      engine: shippedProfiles.engine("sglang-0.5"), tensorParallel: gpus)
    let calibration = try Calibration(gpu: "h100-sxm", profiles: shippedProfiles, for: system.shard.model)
    return KernelCostModel(
      system: system, calibration: calibration, routing: nil,
      encoder: try encoder.map { try ServedEncoder(shippedProfiles.visionEncoder($0), beside: system) })
  }

  private func price(_ model: KernelCostModel, images: Int) -> (cost: StepCost, kernels: [KernelUse]) {
    var load = Step(contexts: [100, 200], tiles: [.init(tokens: 700, prefix: 0, layers: 0..<36)]).load(
      on: model)
    load.images = images
    var (cost, ledger) = (StepCost(), KernelLedger())
    model.price(load, into: &cost, ledger: &ledger)
    return (cost, model.kernels(in: ledger))
  }

  @Test func aStepWithoutImagesIsAsWithoutAnEncoder() throws {
    let (with, without) = (
      price(try model("clip-vit-large-336"), images: 0), price(try model(nil), images: 0)
    )
    #expect(with.cost == without.cost)
    #expect(with.kernels == without.kernels)
  }

  /// Of each position four projections and two products of the MLP; and scores and values of all pairs of positions.
  @Test(arguments: [("clip-vit-large-336", 577, 1024, 4096, 24), ("siglip-so400m-896", 4096, 1152, 4304, 27)])
  func operationsAreThoseOfAVisionTransformer(
    name: String, positions: Int, hidden: Int, intermediate: Int, layers: Int
  ) throws {
    let (cost, kernels) = price(try model(name), images: 3)
    let encoder = kernels.filter { $0.kernel.hasPrefix("encoder_") }
    let perPosition = 2 * (4 * hidden * hidden + 2 * hidden * intermediate) + 4 * positions * hidden
    // Of an even number of positions one pair in two rows is not counted.
    let flops = encoder.reduce(0) { $0 + $1.flops }
    #expect(isClose(flops, Double(3 * layers * positions * perPosition), within: 1e-3))
    let plain = price(try model(nil), images: 0).cost
    let seconds = encoder.reduce(0) { $0 + $1.seconds }
    #expect(isClose(cost.kernelSeconds - plain.kernelSeconds, seconds, within: 1e-9))
    #expect(cost.prefillRowJoules > plain.prefillRowJoules)
    #expect(cost.decodeRowJoules == plain.decodeRowJoules)
    #expect(cost.launchSeconds > plain.launchSeconds)
  }

  @Test func imagesOfAStepPassTogether() throws {
    let model = try model("clip-vit-large-336")
    let base = price(model, images: 0).cost.kernelSeconds
    let (one, eight) = (price(model, images: 1).cost, price(model, images: 8).cost)
    #expect(eight.kernelSeconds - base < 8 * (one.kernelSeconds - base))
    #expect(eight.kernelSeconds - base > 4 * (one.kernelSeconds - base))
  }

  @Test func whatIsNoEncoderIsNamed() throws {
    #expect(throws: DescriptionError.self) { try shippedProfiles.visionEncoder("clip") }
    let path = shippedProfiles.url.appending(path: "models/qwen3-8b.json").path
    let error = #expect(throws: DescriptionError.self) { try shippedProfiles.visionEncoder(path) }
    #expect("\(try #require(error))".contains("clip_vision_model or siglip_vision_model"))
    #expect(throws: DescriptionError.self) { try model("clip-vit-large-336", gpus: 32) }
  }
}
