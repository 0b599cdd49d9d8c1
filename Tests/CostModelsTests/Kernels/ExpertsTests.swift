import Testing

@testable import CostModels

@Suite struct ExpertsTests {
  @Test func needsATileForEachActiveExpertAtLeast() {
    #expect(Experts.expectedTiles(choices: 8, active: 8, tileTokens: 16, skew: 0) == 8)
    #expect(abs(Experts.expectedTiles(choices: 8, active: 8, tileTokens: 16, skew: 1) - 8) < 1e-5)
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
