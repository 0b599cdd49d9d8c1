import Testing

@testable import CostModels

@Suite struct PrefillWorkTests {
  /// Tiles and keys of a segment, tile by tile, and the keys of the last one.
  private func walk(
    tokens: Int, prefix: Int, group: Int, window: Int
  ) -> (tiles: Double, keys: Double, last: Double) {
    let height = 128 / Double(group)
    let tiles = (Double(tokens) / height).rounded(.up)
    var (keys, last) = (0.0, 0.0)
    for tile in 0..<Int(tiles) {
      let end = Double(prefix) + min(Double(tile + 1) * height, Double(tokens))
      let begin = window > 0 ? max(0, Double(prefix) + Double(tile) * height - Double(window) + 1) : 0
      last = ((end / 128).rounded(.up) - (begin / 128).rounded(.down)) * 128
      keys += last
    }
    return (tiles, keys, last)
  }

  @Test(arguments: [0, 128, 200], [1, 4, 5, 8])
  func countsWhatAWalkOverTheTilesCounts(window: Int, group: Int) {
    for tokens in [1, 15, 16, 17, 127, 128, 129, 512, 1000, 4096] {
      for prefix in [0, 1, 64, 127, 128, 129, 500, 4096] {
        var shape = PrefillAttention.Work(heads: group, keyValueHeads: 1, window: window)
        shape.add(tokens: tokens, prefix: prefix)
        let expected = walk(tokens: tokens, prefix: prefix, group: group, window: window)
        #expect(shape.queryTiles == expected.tiles, "\(tokens) after \(prefix)")
        #expect(shape.tileKeys == expected.keys, "\(tokens) after \(prefix)")
        #expect(shape.longestTileKeys == expected.last, "\(tokens) after \(prefix)")
      }
    }
  }

  @Test func addsSegmentsUp() {
    var one = PrefillAttention.Work(heads: 32, keyValueHeads: 4)
    one.add(tokens: 512, prefix: 1024)
    var three = PrefillAttention.Work(heads: 32, keyValueHeads: 4)
    three.add(tokens: 512, prefix: 1024, count: 2)
    three.add(tokens: 512, prefix: 1024)
    #expect(three.queryTiles == 3 * one.queryTiles)
    #expect(three.tileKeys == 3 * one.tileKeys)
    #expect(three.queryTokens == 1536)
    #expect(three.keyTokens == 3 * 1536)
    #expect(three.tilePrefix == 1024 * three.queryTiles)
    #expect(three.longestTileKeys == 1536)
    three.add(tokens: 64, prefix: 4096)
    #expect(three.longestTileKeys == 4224)
  }

  @Test func readsNoMoreOfThePrefixThanTheWindowShows() {
    var shape = PrefillAttention.Work(heads: 8, keyValueHeads: 1, window: 128)
    shape.add(tokens: 16, prefix: 10_000)
    #expect(shape.keyTokens == 16 + 128)
  }

  @Test func ignoresEmptySegments() {
    var shape = PrefillAttention.Work(heads: 8, keyValueHeads: 1)
    shape.add(tokens: 0, prefix: 100)
    #expect(shape == PrefillAttention.Work(heads: 8, keyValueHeads: 1))
  }
}
