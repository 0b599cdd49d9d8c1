/// How the plane of a prompt thins out from layer to layer: how many of its rows are alive in each layer, and how many keys
/// each of them sees.
///
/// Rows are dropped at some layers and never come back, so that tokens x layers is a staircase. Behind a drop only survivors
/// are computed, and only they leave KV entries. What is dropped is decided for the rows of a prompt that pass together: of a
/// prompt that is cut into chunks for each chunk by itself. Rows that decode are never dropped. No memory is freed: all
/// layers share one table of blocks.
///
///     layer       a drop at layer 2, behind its attention
///     5 ------....
///     3 ------....
///     2 ----------   attention of all rows, MLP of survivors
///     1 ----------
///     0 ----------   rows
public struct TokenProfile: Sendable, Hashable {
  /// Most drops: each sequence keeps a number for each of them.
  public static let mostDrops = 16

  /// Where a layer drops rows.
  public enum Place: UInt8, Sendable {
    /// Between its attention and its MLP.
    case behindAttention
    /// Behind the whole layer.
    case behindLayer
  }

  /// What a drop leaves.
  public enum Kept: Sendable, Hashable {
    /// A share of the blocks of ``TokenProfile/block`` rows that reach it, the first and the last ones among them.
    case share(KeptShare)
    /// So many of a prompt's image tokens for each `of` of them; all of the text.
    case images(Tokens, of: Tokens)
    /// Rows whose stored entries are not used again: the others are not computed behind the drop, and yet have entries there.
    case notReused(ChunkReuse)
  }

  /// A layer that drops rows.
  public struct Drop: Sendable, Hashable {
    /// The layer, from 0.
    public var layer: Int
    /// What it leaves.
    public var kept: Kept

    /// Creates a drop.
    public init(layer: Int, kept: Kept) {
      self.layer = layer
      self.kept = kept
    }
  }

  /// How rows are scored before a drop; a cost model knows what that takes.
  public enum Scoring: Sendable, Hashable {
    /// The last queries of the pass with all of its keys.
    case lastQueries(Tokens)
    /// All probabilities of the layer's attention, written out.
    case probabilities
    /// Keys and values of all rows in the next layer, of which the values are held against stored ones.
    case values
  }

  /// The drops, by layer.
  public let drops: [Drop]
  /// Where in their layers they are.
  public let place: Place
  /// How rows are scored.
  public let scoring: Scoring
  /// Rows that are kept or dropped together.
  public let block: Tokens
  /// Rows at the beginning of a pass that are always kept.
  public let first: Tokens
  /// Rows at its end that are always kept.
  public let last: Tokens
  /// How long the host needs to read back what is kept, while the GPU waits.
  public let synchronisation: Seconds
  /// Which keys a row sees; `nil` where it sees all.
  public let keys: KeySelection?

  /// Creates a profile, of which drops that keep everything are no part.
  ///
  /// - Parameters:
  ///   - drops: at most ``mostDrops``, by layer.
  ///   - place: where in their layers they are.
  ///   - scoring: how rows are scored.
  ///   - block: rows that are kept or dropped together.
  ///   - first: rows at the beginning of a pass that are always kept.
  ///   - last: rows at its end that are always kept.
  ///   - synchronisation: how long the host needs to read back what is kept.
  ///   - keys: which keys a row sees.
  /// - Precondition: layers increase, and what is kept of image tokens does not.
  public init(
    drops: [Drop] = [], place: Place = .behindAttention, scoring: Scoring = .lastQueries(128),
    block: Tokens = 64, first: Tokens = 128, last: Tokens = 128, synchronisation: Seconds = 0,
    keys: KeySelection? = nil
  ) {
    precondition(
      drops.count <= Self.mostDrops && block > 0 && first >= 0 && last > 0
        && zip(drops, drops.dropFirst()).allSatisfy { $0.layer < $1.layer }, "drops go up the layers")
    self.drops = drops.filter {
      switch $0.kept {
      case .share(let share): !share.isWhole
      case .images(let kept, let all): kept < all
      case .notReused: true
      }
    }
    self.place = place
    self.scoring = scoring
    self.block = block
    self.first = first
    self.last = last
    self.synchronisation = synchronisation
    self.keys = keys
  }

  /// The stored entries that are used again; `nil` where all are computed.
  public var reuse: ChunkReuse? {
    if case .notReused(let reuse) = drops.first?.kept { reuse } else { nil }
  }

  /// Whether it changes nothing.
  public var isPlain: Bool { drops.isEmpty && keys == nil }

  /// Rows behind a drop.
  ///
  /// - Parameters:
  ///   - drop: its number.
  ///   - rows: those that reach it.
  ///   - tokens: those that the pass began with.
  ///   - images: image tokens among those.
  /// - Returns: at least 1, and at most `rows`.
  func rows(behind drop: Int, of rows: Tokens, tokens: Tokens, images: Tokens) -> Tokens {
    switch drops[drop].kept {
    case .share(let share):
      let blocks = (rows + block - 1) / block
      // The last block may be cut short; it is among those that stay.
      let lacking = blocks * block - rows
      let always = (first + block - 1) / block + (last + lacking + block - 1) / block
      let wanted = Int((share(tokens) * Double(blocks)).rounded())
      return min(rows, max(wanted, always) * block - lacking)
    case .images(let kept, let all):
      let left = Int((Double(images) * Double(kept) / Double(all)).rounded())
      return min(rows, tokens - images + left)
    case .notReused: return rows
    }
  }

  /// Whether anything is dropped of a pass: short ones are kept whole, and not scored.
  ///
  /// Image tokens are scored with the whole of their prompt: a prompt that is cut keeps them all.
  func drops(tokens: Tokens, images: Tokens, isWholePrompt: Bool) -> Bool {
    guard let drop = drops.first else { return false }
    if case .images = drop.kept { return images > 0 && isWholePrompt }
    if case .notReused = drop.kept { return true }
    return tokens > first + last
  }

  /// How many drops lie below a layer: the class of layers that it belongs to.
  func classOf(layer: Int) -> Int {
    var count = 0
    while count < drops.count, drops[count].layer < layer { count += 1 }
    return count
  }
}
