import Testing

@testable import Serving

/// A load is what its step carries, whatever the step before it carried.
@Suite struct StepLoadTests {
  private let decode = DecodeLoad(sequences: 3, context: 300)
  private let tile = Tile(sequence: Slot(0), tokens: 0..<64, layers: 0..<2)

  @Test func aFilledLoadIsLikeANewOne() {
    let kinds: [(DecodeLoad, [Tile])] = [
      (decode, []), (decode, [tile]), (DecodeLoad(), [tile]), (DecodeLoad(), []),
    ]
    for (firstDecode, firstTiles) in kinds {
      for (secondDecode, secondTiles) in kinds {
        var load = StepLoad()
        load.fill(decode: firstDecode, tiles: firstTiles, layers: 4)
        load.fill(decode: secondDecode, tiles: secondTiles, layers: 4)
        #expect(load == StepLoad(decode: secondDecode, tiles: secondTiles, layers: 4, finishing: 0))
      }
    }
  }

  @Test func anEmptyStepHasNoBands() {
    var load = StepLoad(decode: decode, tiles: [], layers: 4, finishing: 0)
    #expect(load.bands == [LayerBand(layers: 0..<4, segments: 0..<0)])
    load.fill(decode: DecodeLoad(), tiles: [], layers: 4)
    #expect(load.bands.isEmpty)
  }
}
