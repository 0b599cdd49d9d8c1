extension PrefillAttention {
  /// What a launch of prefill attention has to do: one segment of new tokens for each prompt that takes part.
  ///
  /// The kernel works in tiles of 128 rows. The rows of all query heads that share a KV head are packed together,
  /// so that a tile holds 128 · kvHeads / heads tokens; it walks over the keys that its tokens see, in blocks of
  /// 128 (FlashAttention-3's `PackGQA`, https://github.com/Dao-AILab/flash-attention/tree/main/hopper).
  public struct Work: Sendable, Hashable {
    /// Rows in a tile, and keys in a block.
    public static let tile = 128.0

    /// Query heads that share a KV head.
    public let headsPerKVHead: Double
    /// Keys that a token sees at most, itself included; 0 for no limit.
    public let window: Int
    /// Tiles of each KV head, over all segments.
    public internal(set) var queryTiles = 0.0
    /// Keys that each tile walks over, summed over the tiles of a KV head.
    public internal(set) var tileKeys = 0.0
    /// Keys that the last tile of a segment walks over, of the segment where these are most.
    public internal(set) var longestTileKeys = 0.0
    /// New tokens.
    public internal(set) var queryTokens = 0.0
    /// Tokens whose keys and values are read: new ones, and those before them that any of the new ones sees.
    public internal(set) var keyTokens = 0.0
    /// Tokens that were in KV memory before a tile's segment, summed over the tiles of a KV head.
    public internal(set) var tilePrefix = 0.0

    /// Pairs of a query and a key that it attends to.
    public internal(set) var visiblePairs = 0.0
    /// ``PrefillAttention/splitWaves(blocks:multiprocessors:)``, where it has been looked up.
    var splitWaves: Double?

    /// Creates a launch without segments.
    ///
    /// - Parameters:
    ///   - heads: Query heads on one GPU.
    ///   - keyValueHeads: KV heads on one GPU.
    ///   - window: Keys that a token sees at most, itself included; 0 for no limit.
    public init(heads: Int, keyValueHeads: Int, window: Int = 0) {
      headsPerKVHead = Double(heads) / Double(keyValueHeads)
      self.window = window
    }

    /// Adds segments.
    ///
    /// - Parameters:
    ///   - tokens: New tokens of a segment.
    ///   - prefix: Tokens of the same prompt that are in KV memory already.
    ///   - count: How many such segments.
    /// - Complexity: O(`tokens` / 128).
    public mutating func add(tokens: Int, prefix: Int, count: Int = 1) {
      guard tokens > 0, count > 0 else { return }
      let new = Double(tokens)
      let before = Double(prefix)
      let segments = Double(count)
      let height = Self.tile / headsPerKVHead
      let tiles = (new / height).rounded(.up)
      let seen = window > 0 ? min(before, Double(window)) : before

      // The last key block of a tile that ends with token e is ⌈e / 128⌉, and the first one of a tile that begins
      // with token b is ⌊(b − window + 1) / 128⌋; count for each boundary of blocks the tiles beyond it.
      let first = (before / Self.tile).rounded(.down)
      var blocks = first * tiles
      var boundary = first * Self.tile
      while boundary < before + new {
        let ended = ((boundary - before) / height).rounded(.down)
        blocks += tiles - max(0, min(tiles - 1, ended))
        boundary += Self.tile
      }
      if window > 0 {
        let start = before - Double(window) + 1
        let last = start + (tiles - 1) * height
        boundary = max(Self.tile, (start / Self.tile).rounded(.down) * Self.tile)
        if start >= boundary { blocks -= (boundary / Self.tile - 1) * tiles }
        while boundary <= last {
          let reached = tiles - max(0, ((boundary - start) / height).rounded(.up))
          blocks -= reached
          boundary += Self.tile
        }
      }
      let beginsAt = before + (tiles - 1) * height
      let hidden = window > 0 ? max(0, ((beginsAt - Double(window) + 1) / Self.tile).rounded(.down)) : 0
      let lastBlocks = ((before + new) / Self.tile).rounded(.up) - hidden
      longestTileKeys = max(longestTileKeys, lastBlocks * Self.tile)
      queryTiles += segments * tiles
      tileKeys += segments * blocks * Self.tile
      queryTokens += segments * new
      keyTokens += segments * (new + seen)
      tilePrefix += segments * tiles * before
      visiblePairs += segments * pairs(new, behind: before)
    }

    /// Pairs of one of the new tokens and a token that it sees.
    private func pairs(_ new: Double, behind before: Double) -> Double {
      guard window > 0 else { return new * (before + (new + 1) / 2) }
      // The tokens up to the window's length see everything before them; those after, a window.
      let short = max(0, min(new, Double(window) - before))
      return short * (before + (short + 1) / 2) + (new - short) * Double(window)
    }
  }
}
