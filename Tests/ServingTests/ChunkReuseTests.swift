import Testing

@testable import Serving

/// Stored chunks that are used again anywhere.
@Suite struct ChunkReuseTests {
  /// Pairs of a query and a key, by the positions of the rows that are computed: evenly spread over what is stored, and all of the rest.
  func pairs(_ n: Int, ratio: Double, suffix: Int) -> (rows: Int, pairs: Double) {
    let stored = n - suffix
    let count = Int((Double(stored) * ratio).rounded(.up))
    let spread = (0..<count).map { (Double($0) + 0.5) * Double(stored) / Double(count) + 0.5 }
    let own = (stored..<n).map { Double($0 + 1) }
    return (count + suffix, (spread + own).reduce(0, +))
  }

  @Test(arguments: [0.0, 0.15, 0.5, 1], [0, 32, 500])
  func pairsAreThoseOfTheChosenPositions(ratio: Double, suffix: Int) {
    let n = 3072
    let reuse = ChunkReuse(ratio: ratio, suffix: suffix)
    let segment = reuse.segment(0..<n, of: n)
    let expected = pairs(n, ratio: ratio, suffix: suffix)
    guard expected.rows > 0 else { return #expect(segment.tokens == 1) }
    #expect(segment.tokens == expected.rows)
    let rows = Double(segment.tokens)
    let got = rows * (Double(segment.prefix) + (rows + 1) / 2)
    // A prefix is whole.
    #expect(abs(got - expected.pairs) <= rows)
  }

  /// All anew, or nothing stored: the whole prompt, as without.
  @Test func allAnewIsPlain() {
    for reuse in [
      ChunkReuse(ratio: 1, suffix: 32), ChunkReuse(ratio: 0, suffix: 4000),
      ChunkReuse(ratio: 0.2, hits: 0, suffix: 32),
    ] {
      #expect(reuse.segment(0..<3000, of: 3000) == PrefillSegment(tokens: 3000, prefix: 0))
      #expect(reuse.segment(512..<1024, of: 3000) == PrefillSegment(tokens: 512, prefix: 512))
    }
  }

  /// Chunks of a prompt have the rows of the whole, up to rounding, and the suffix belongs to the last of them.
  @Test func chunksAddUp() {
    let reuse = ChunkReuse(ratio: 0.15, suffix: 100)
    let chunks = stride(from: 0, to: 3072, by: 512).map { reuse.segment($0..<$0 + 512, of: 3072) }
    let rows = chunks.reduce(0) { $0 + $1.tokens }
    #expect(abs(rows - reuse.segment(0..<3072, of: 3072).tokens) <= 6)
    #expect(chunks.dropLast().allSatisfy { $0.tokens == 77 } && chunks[5].tokens == 62 + 100)
    #expect((0..<6).reduce(0) { $0 + reuse.loaded(512 * $1..<512 * ($1 + 1), of: 3072) } == 3072 - 100)
  }

  /// In tiles: the first layer has all rows, later ones those that are left; entries that are loaded lack nowhere.
  @Test func tilesThinOutBehindTheFirstLayer() {
    let profile = TokenProfile(
      drops: [.init(layer: 0, kept: .notReused(ChunkReuse(ratio: 0.25, suffix: 8)))], place: .behindLayer,
      scoring: .values, block: 1)
    let tile = Tile(sequence: Slot(0), tokens: 0..<108, layers: 0..<4)
    let rows = TileRows(tile, profile, missing: .init(repeating: 0), prompt: 108, images: 0)
    #expect(rows.isDropped && !rows.isPlain && rows.loaded == 100)
    #expect(rows.segment(0) == PrefillSegment(tokens: 108, prefix: 0))
    #expect(rows.segment(1).tokens == 33)
    var load = StepLoad()
    load.fill(
      decode: DecodeLoad(), missing: [0], tiles: [tile], rows: [rows], layers: 4, profile: profile)
    #expect(load.bands.map(\.layers) == [0..<1, 1..<4])
    #expect(load.loadedEntries == 300)
    #expect(load.segments[load.bands[1].segments.lowerBound].tokens == 33)
  }
}
