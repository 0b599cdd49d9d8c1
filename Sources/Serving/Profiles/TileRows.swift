/// What a profile makes of a tile: its rows, and the keys before them, in each class of layers.
///
/// Class 0 are the layers up to the first drop, that one included; class c those behind drop c - 1, up to the next.
package struct TileRows: Sendable {
  /// Rows alive.
  private(set) var rows = InlineArray<17, Int32>(repeating: 0)
  /// KV entries that the prompt's earlier tokens have.
  private(set) var prefix = InlineArray<17, Int32>(repeating: 0)
  /// Whether the tile is scored and thinned out.
  let isDropped: Bool
  /// Rows whose entries are loaded behind the first layer.
  private(set) var loaded: Tokens = 0
  /// Whether it is what it would be without a profile.
  private(set) var isPlain: Bool

  /// Works out the rows of a tile.
  ///
  /// - Parameters:
  ///   - tile: the tile.
  ///   - profile: the profile.
  ///   - missing: KV entries that the prompt's earlier tokens lack behind each drop.
  ///   - prompt: tokens of the prompt.
  ///   - images: image tokens of the prompt.
  package init(
    _ tile: Tile, _ profile: TokenProfile, missing: InlineArray<16, Int32>, prompt: Tokens, images: Tokens
  ) {
    let tokens = tile.tokens.count
    if let reuse = profile.reuse {
      let segment = reuse.segment(tile.tokens, of: prompt)
      (rows[0], prefix[0]) = (Int32(tokens), Int32(tile.tokens.lowerBound))
      (rows[1], prefix[1]) = (Int32(segment.tokens), Int32(segment.prefix))
      loaded = reuse.loaded(tile.tokens, of: prompt)
      isDropped = segment.tokens < tokens
      isPlain = !isDropped
      return
    }
    isDropped = profile.drops(
      tokens: tokens, images: images, isWholePrompt: tile.tokens == 0..<prompt)
    isPlain = !isDropped
    var alive = tokens
    rows[0] = Int32(alive)
    prefix[0] = Int32(tile.tokens.lowerBound)
    for drop in profile.drops.indices {
      if isDropped { alive = profile.rows(behind: drop, of: alive, tokens: tokens, images: images) }
      rows[drop + 1] = Int32(alive)
      // What begins at the first token has nothing before it, whatever is known of an earlier attempt.
      let lacking = tile.tokens.lowerBound > 0 ? missing[drop] : 0
      prefix[drop + 1] = prefix[0] - lacking
      if lacking > 0 { isPlain = false }
    }
  }

  /// The rows in a class of layers.
  func segment(_ layers: Int) -> PrefillSegment {
    PrefillSegment(tokens: Int(rows[layers]), prefix: Int(prefix[layers]))
  }

  /// Rows x layers of a tile; a layer that drops rows behind its attention counts with the mean of its halves.
  func area(_ tile: Tile, _ profile: TokenProfile) -> Double {
    var area = 0.0
    forEachClass(of: tile.layers, profile) { layers, count in
      area += Double(rows[layers]) * Double(count)
    }
    guard isDropped, profile.place == .behindAttention else { return area }
    for (drop, it) in profile.drops.enumerated() where tile.layers.contains(it.layer) {
      area -= Double(rows[drop] - rows[drop + 1]) / 2
    }
    return area
  }

  /// Pairs of a query and a key that it sees, over all layers of a tile.
  func attended(_ tile: Tile, _ profile: TokenProfile) -> Double {
    var pairs = 0.0
    forEachClass(of: tile.layers, profile) { layers, count in
      let segment = segment(layers)
      let seen =
        profile.keys?.pairs(segment)
        ?? Double(segment.tokens) * (Double(segment.prefix) + 0.5 * Double(segment.tokens + 1))
      pairs += seen * Double(count)
    }
    return pairs
  }

  /// KV entries x layers that the prompt has once its tile is through a layer: what there is to send.
  func entries(through end: Int, of layers: Int, _ profile: TokenProfile) -> Int {
    var area = 0
    forEachClass(of: 0..<layers, profile) { area += Int(prefix[$0]) * $1 }
    forEachClass(of: 0..<end, profile) { area += Int(rows[$0]) * $1 }
    return area
  }

  /// Visits the classes of some layers, with how many of the layers each holds.
  private func forEachClass(
    of range: Range<Int>, _ profile: TokenProfile, _ body: (_ layers: Int, _ count: Int) -> Void
  ) {
    var begin = range.lowerBound
    for number in 0...profile.drops.count where begin < range.upperBound {
      let end =
        number < profile.drops.count
        ? min(profile.drops[number].layer + 1, range.upperBound) : range.upperBound
      if begin < end {
        body(number, end - begin)
        begin = end
      }
    }
  }
}
