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

  /// What was measured is one rank with all experts; which part the busiest of several has is reasoned.
  @Test func severalRanksAreAnEstimateWhateverWasMeasured() throws {
    let calibration = try Calibration(path: "\(shippedProfiles.url.path)/calibrations/h200-sxm.json")
    func fit(intermediate: Int, ranks: Int) -> Fit<Experts> {
      calibration.fit(
        Experts.Shape(hidden: 2048, intermediate: intermediate, experts: 128, topK: 8, ranks: ranks))
    }
    #expect(fit(intermediate: 768, ranks: 1).quality == .measured)
    #expect(fit(intermediate: 768, ranks: 4).quality == .estimate)
    #expect(fit(intermediate: 768, ranks: 4).coefficients == fit(intermediate: 768, ranks: 1).coefficients)
    #expect(fit(intermediate: 700, ranks: 1).quality == .allShapes)
    #expect(fit(intermediate: 700, ranks: 4).quality == .estimate)
    let shard = try shipped("qwen3-30b-a3b").shard(over: 4, expertRanks: 4)
    #expect(
      calibration.unmeasured(shard)?.contains(
        "expert_mlp (128 x 2048 x 768, top 8, bf16, over 4 ranks: an estimate")
        == true)
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
    let shape = Experts.Shape(hidden: 1, intermediate: 1, experts: 32, topK: 4)
    #expect(shape.tileTokens(rows: Double(rows)) == tokens)
  }
}
