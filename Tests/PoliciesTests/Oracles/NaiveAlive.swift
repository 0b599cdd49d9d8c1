import Serving

/// Rows of a chunk in one layer, as the descriptions of the methods have it: block by block, layer by layer.
struct NaiveAlive {
  /// Rows that the attention computes, and whose entries it stores.
  var attention: Int
  /// Rows behind it.
  var mlp: Int
  /// Whether they are scored there.
  var isScored: Bool

  /// Rows in each layer.
  ///
  /// - Parameters:
  ///   - count: number of layers.
  ///   - tokens: of the chunk.
  ///   - profile: the profile.
  ///   - images: image tokens among them, of a prompt that is computed whole.
  /// - Returns: one entry for each layer.
  static func layers(_ count: Int, tokens: Int, _ profile: TokenProfile, images: Int = 0) -> [NaiveAlive] {
    var rows = tokens
    return (0..<count).map { layer in
      var it = NaiveAlive(attention: rows, mlp: rows, isScored: false)
      guard let drop = profile.drops.first(where: { $0.layer == layer }) else { return it }
      switch drop.kept {
      case .share(let share):
        // A chunk that the first and the last rows fill is not scored.
        guard tokens > profile.first + profile.last else { return it }
        it.isScored = true
        rows = kept(rows, share: share(tokens), profile)
      case .images(let kept, let all):
        guard images > 0 else { return it }
        it.isScored = true
        rows = min(rows, tokens - images + Int((Double(images) * Double(kept) / Double(all)).rounded()))
      case .notReused:
        // Held position by position by ChunkReuseTests.
        return it
      }
      if profile.place == .behindAttention { it.mlp = rows }
      return it
    }
  }

  /// Rows that a drop keeps: blocks with any of the first or the last rows, and of the others as many as are wanted.
  private static func kept(_ rows: Int, share: Double, _ profile: TokenProfile) -> Int {
    let blocks = stride(from: 0, to: rows, by: profile.block).map { $0..<min($0 + profile.block, rows) }
    var stays = blocks.map { $0.lowerBound < profile.first || $0.upperBound > rows - profile.last }
    let wanted = Int((share * Double(blocks.count)).rounded())
    for i in blocks.indices where !stays[i] {
      if stays.count(where: { $0 }) < wanted { stays[i] = true }
    }
    return zip(blocks, stays).reduce(0) { $0 + ($1.1 ? $1.0.count : 0) }
  }
}
