import Foundation
import Systems
import TestSupport
import Testing

@testable import CostModels

@Suite struct ExpertsTests {
  @Test func needsATileForEachActiveExpertAtLeast() {
    #expect(Experts.expectedTiles(choices: 8, active: 8, tileTokens: 16, skew: 0) == 8)
    #expect(abs(Experts.expectedTiles(choices: 8, active: 8, tileTokens: 16, skew: 1) - 8) < 1e-5)
  }

  /// Several ranks take further what their own fit says, of this layer or of all; nothing where nobody measured them.
  @Test func severalRanksTakeMoreThanTheBusiestOnesPart() throws {
    let profiles = shippedProfiles
    let model = try profiles.model("qwen3-30b-a3b")
    let one = try Calibration(gpu: "h200-sxm", profiles: profiles, for: model)
    let several = try Calibration(gpu: "h200-sxm", profiles: profiles, for: model, expertRanks: 4)
    func shape(_ intermediate: Int, _ ranks: Int) -> Experts.Shape {
      Experts.Shape(hidden: 2048, intermediate: intermediate, experts: 128, topK: 8, ranks: ranks)
    }
    #expect(several.fit(shape(768, 1)).coefficients == one.fit(shape(768, 1)).coefficients)
    #expect(one.fit(shape(768, 1)).quality == .measured)
    #expect(
      several.fit(shape(768, 4)).quality == .measured && several.fit(shape(768, 32)).quality == .measured)
    #expect(several.fit(shape(768, 64)).quality == .allShapes, "64 ranks were not measured")
    #expect(several.fit(shape(700, 4)).quality == .allShapes)
    // Without the further formats there is nothing to go by.
    #expect(one.fit(shape(768, 4)).quality == .estimate)
    #expect(one.fit(shape(768, 4)).coefficients == one.fit(shape(768, 1)).coefficients)
    #expect(
      try one.unmeasured(model.shard(over: 4, expertRanks: 4))?.contains(
        "expert_mlp (128 x 2048 x 768, top 8, bf16, over 4 ranks: an estimate")
        == true)
    // By hand: a constant, and a time for each byte of all choices.
    let further = try #require(
      several.kernels.first { $0.kernel == "moe_over_ranks" && $0.type == "bf16" }?.shapes
        .first { $0.dimensions == [2048, 768, 128, 8] })
    for rows in [1.0, 64, 4096] {
      let work = Experts.Work(rows: rows, active: min(128, 8 * rows))
      let (less, more) = (one.fit(shape(768, 4)).seconds(work), several.fit(shape(768, 4)).seconds(work))
      let bytes = rows * 8 * 2 * (5 * 2048 + 6 * 768)
      #expect(abs(more - less - further.values[0] - bytes * further.values[1]) < 1e-12)
    }
  }

  /// By hand: the law of all shapes of 4-bit integers, over the widths that are filled up.
  @Test func marlinIsPricedAsWeightsOfFourBits() throws {
    var model = try shipped("gpt-oss-120b")
    model.formats.experts = .mxfp4Marlin
    let fits = try Calibration(gpu: "h100-sxm", profiles: shippedProfiles, for: model)
    let law = try #require(fits.kernels.first { $0.kernel == "moe_all_shapes" && $0.type == "int4" })
    let values = try #require(law.shapes.first?.values)
    let shape = Experts.Shape(hidden: 2880, intermediate: 1440, experts: 128, topK: 4, format: .mxfp4Marlin)
    let weights = 3 * 3072.0 * 1536
    for (rows, active) in [(4.0, 15.0), (1024, 128)] {
      // A row each in most experts of the short call: tiles of 8; of the long one 32 rows each, which fill no 32.
      let (tile, load) = rows < 5 ? (8.0, rows * 4 / active) : (48, rows * 4 / active)
      let tiles = Experts.expectedTiles(choices: load * active, active: active, tileTokens: tile, skew: 0)
      let byHand =
        values[0] + active * weights * 4.25 / 8 * values[1]
        + rows * 4 * 2 * (5 * 3072 + 6 * 1536) * values[6]
        + 2 * weights * (rows * 4 * values[2] + tiles * (values[3] + tile * values[4]))
      #expect(abs(fits.fit(shape).seconds(.init(rows: rows, active: active)) / byHand - 1) < 1e-12)
    }
    #expect(fits.fit(shape).quality == .allShapes)
  }

  /// Four experts on two ranks, by hand: the most and the least loaded one together, and the two in between.
  @Test func expertsAreBalancedByHand() {
    let loads = [0.125, 0.375, 0.625, 0.875].map { -log(1 - $0) }
    let (a, b) = (loads[3] + loads[0], loads[2] + loads[1])
    let placed = ExpertPlacement(experts: 4, ranks: 2, redundant: 0)
    #expect(abs(placed.busiest - 2 * max(a, b) / (a + b)) < 1e-12)
    // Two copies more: both of the most loaded one, whose third part is still more than the half of the next.
    let third = loads[3] / 3
    let parts = [loads[2], third, third, third, loads[1], loads[0]]
    #expect(parts == parts.sorted(by: >))
    // In their order to the rank with less: the second gets the thirds until it has more, or is full.
    let (first, second) = (parts[0] + parts[3] + parts[5], parts[1] + parts[2] + parts[4])
    let more = ExpertPlacement(experts: 4, ranks: 2, redundant: 2)
    #expect(abs(more.busiest - 2 * max(first, second) / (first + second)) < 1e-12)
  }

  /// More copies leave less imbalance, of which the busiest rank has less to do; and none is left where routing is even.
  @Test func copiesTakeFromTheBusiestRank() {
    func busiest(_ redundant: Int?, skew: Double) -> Double {
      let placement = redundant.map { ExpertPlacement(experts: 256, ranks: 32, redundant: $0) }
      return Experts.busiestRank(
        .init(
          hidden: 1, intermediate: 1, experts: 256, topK: 8, ranks: 32, placement: placement),
        .init(rows: 4096, active: 250, skew: skew)
      ).choices
    }
    let mean = 4096.0 * 8 / 32
    let choices = [busiest(nil, skew: 1), busiest(0, skew: 1), busiest(32, skew: 1), busiest(256, skew: 1)]
    #expect(choices == choices.sorted(by: >) && choices[3] > mean)
    #expect(choices[0] > 1.5 * mean && choices[2] < 1.1 * mean, "\(choices)")
    #expect(busiest(nil, skew: 0) == busiest(0, skew: 0))
  }

  @Test func needsAThirdTileHalfTheTimeAtTheEdgeOfTheSecond() {
    let tiles = Experts.expectedTiles(choices: 256.5 * 10, active: 10, tileTokens: 128, skew: 0)
    #expect(abs(tiles / 10 - 2.5) < 1e-9)
  }

  @Test func needsHalfATileMoreForLargeLoadsWhateverTheSkew() {
    for skew in [0, 0.5, 1] {
      let tiles = Experts.expectedTiles(choices: 1e6, active: 1, tileTokens: 16, skew: skew)
      #expect(abs(tiles - (1e6 / 16 + 0.5)) < 0.1)
    }
  }

  @Test(arguments: [(1, 16.0), (128, 16), (129, 32), (256, 32), (257, 64), (513, 128), (16384, 128)])
  func takesTheTileThatHoldsAnExpertsShare(rows: Int, tokens: Double) {
    let shape = Experts.Shape(hidden: 1, intermediate: 1, experts: 32, topK: 4, format: .mxfp4)
    #expect(shape.tileTokens(rows: Double(rows)) == tokens)
  }

  /// Of eight rows an expert, and of the same on a rank that has a quarter of the experts.
  @Test(arguments: [
    (1, 8.0), (57, 8), (58, 16), (115, 16), (116, 32), (230, 32), (231, 48), (345, 48), (346, 64),
    (16384, 64),
  ])
  func takesTheFirstTileThatIsNotNearlyFullInMarlinsKernels(rows: Int, tokens: Double) {
    for format in [WeightFormat.int4, .int4Groups32, .mxfp4Marlin] {
      let shape = Experts.Shape(hidden: 1, intermediate: 1, experts: 32, topK: 4, format: format)
      #expect(shape.tileTokens(rows: Double(rows)) == tokens)
      let ranks = Experts.Shape(hidden: 1, intermediate: 1, experts: 128, topK: 4, format: format, ranks: 4)
      #expect(ranks.tileTokens(rows: Double(rows)) == tokens)
    }
  }

  @Test(arguments: [(98, 16.0), (99, 32), (196, 32), (197, 64), (393, 64), (394, 128), (16384, 128)])
  func takesTheTileThatHoldsMoreThanTheShareWhereActivationsAreMXFP8(rows: Int, tokens: Double) {
    let shape = Experts.Shape(hidden: 1, intermediate: 1, experts: 32, topK: 4, format: .mxfp4MXFP8)
    #expect(shape.tileTokens(rows: Double(rows)) == tokens)
  }
}
