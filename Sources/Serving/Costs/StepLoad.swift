/// The decode rows of a step: one for each sequence that takes it, and one for each draft that is verified.
public struct DecodeLoad: Sendable, Hashable {
  /// Sequences that take a decode step.
  public var sequences: Int
  /// KV entries that they attend to, the new ones included, summed over the sequences.
  public var context: Tokens
  /// The same where each sequence sees at most ``CostModel/slidingWindow`` entries; 0 without a window.
  public var windowContext: Tokens
  /// Rows: one for each sequence, and its drafts.
  public var rows: Int

  /// Creates a load; without speculation there are as many rows as sequences.
  public init(sequences: Int = 0, context: Tokens = 0, windowContext: Tokens = 0, rows: Int? = nil) {
    self.sequences = sequences
    self.context = context
    self.windowContext = windowContext
    self.rows = rows ?? sequences
  }
}

/// One prompt's rows in a layer: `tokens` new positions behind `prefix` earlier ones whose KV entries exist.
public struct PrefillSegment: Sendable, Hashable {
  /// New positions.
  public var tokens: Tokens
  /// Positions before them.
  public var prefix: Tokens

  /// Creates a segment.
  public init(tokens: Tokens, prefix: Tokens) {
    self.tokens = tokens
    self.prefix = prefix
  }
}

/// Successive layers with the same work.
public struct LayerBand: Sendable, Hashable {
  /// The layers.
  public var layers: Range<Int>
  /// Their prefill, as a range of ``StepLoad/segments``.
  public var segments: Range<Int>

  /// Creates a band.
  public init(layers: Range<Int>, segments: Range<Int>) {
    self.layers = layers
    self.segments = segments
  }
}

/// What a step works on: all that a cost model needs to price it.
public struct StepLoad: Sendable, Hashable {
  /// The decode rows, which pass every layer.
  public var decode = DecodeLoad()
  /// The prefill of all bands.
  public var segments: [PrefillSegment] = []
  /// The layers, cut wherever a tile begins or ends; layers without work are in none.
  public var bands: [LayerBand] = []
  /// What a ``TokenProfile`` makes of each band; empty where it makes no difference.
  public var profiles: [BandProfile] = []
  /// KV entries x layers that are loaded for prefill, of which ``ChunkReuse`` says how long one takes; of use only where
  /// ``profiles`` are there.
  public var loadedEntries = 0
  /// Prompts with at least one tile.
  public var prefillSequences = 0
  /// Prompts whose last tile it is: they emit a token.
  public var finishingSequences = 0
  /// Prefill rows, each prompt's counted once however many layers they pass.
  public var prefillRows = 0
  /// Prefill rows that start at the first layer.
  public var enteringRows = 0
  /// Whether some tile leaves out some of the layers.
  public var hasPartialDepth = false
  /// Names the step among all of its instance, for seeded draws.
  public var draw: UInt64 = 0
  /// Images of prompts that begin, where an encoder makes tokens of them; untouched elsewhere.
  public var images = 0
  /// What is done about KV entries where sequences keep a part of them; untouched elsewhere.
  public var retention = RetentionLoad()

  /// Creates an empty load.
  public init() {}

  /// Creates the load of some tiles beside decode rows.
  ///
  /// - Parameters:
  ///   - decode: the decode rows.
  ///   - tiles: the tiles of prefill.
  ///   - layers: layers of the model.
  ///   - finishing: prompts whose last tile is among them.
  public init(decode: DecodeLoad, tiles: [Tile], layers: Int, finishing: Int) {
    fill(decode: decode, tiles: tiles, layers: layers)
    finishingSequences = finishing
  }

  /// Share of the decode rows among all rows.
  var decodeShare: Double { Double(decode.rows) / Double(decode.rows + prefillRows) }

  /// The first layer that carries prefill, and one past the last; both the number of layers and 0 if none does.
  func prefillDepth(layers: Int) -> (begin: Int, end: Int) {
    var (begin, end) = (prefillSequences == 0 ? 0 : layers, 0)
    for band in bands where !band.segments.isEmpty {
      begin = min(begin, band.layers.lowerBound)
      end = max(end, band.layers.upperBound)
    }
    return (begin, end)
  }

  /// Replaces the load; the arrays' memory is used again.
  package mutating func fill(decode: DecodeLoad, tiles: [Tile], layers: Int) {
    let hadDecode = self.decode.sequences > 0
    self.decode = decode
    // A step that only decodes is mostly followed by another.
    if tiles.isEmpty, prefillSequences == 0, hadDecode, decode.sequences > 0 {
      finishingSequences = 0
      return
    }
    prefillSequences = tiles.count
    prefillRows = 0
    enteringRows = 0
    finishingSequences = 0
    hasPartialDepth = false
    while !segments.isEmpty { segments.removeLast() }
    while !bands.isEmpty { bands.removeLast() }
    guard !tiles.isEmpty else {
      if decode.sequences > 0 { bands.append(LayerBand(layers: 0..<layers, segments: 0..<0)) }
      return
    }
    for i in tiles.indices {
      let (rows, depth) = (tiles[i].tokens.count, tiles[i].layers)
      prefillRows += rows
      if depth.lowerBound == 0 { enteringRows += rows }
      if depth.count < layers { hasPartialDepth = true }
    }
    cutBands(tiles, layers: layers)
  }

  /// Cuts the layers wherever a tile begins or ends; those between two cuts carry the same load.
  private mutating func cutBands(_ tiles: [Tile], layers: Int) {
    var layer = 0
    while layer < layers {
      var end = layers
      let first = segments.count
      for i in tiles.indices {
        let depth = tiles[i].layers
        if depth.lowerBound > layer {
          end = min(end, depth.lowerBound)
        } else if layer < depth.upperBound {
          end = min(end, depth.upperBound)
          segments.append(PrefillSegment(tokens: tiles[i].tokens.count, prefix: tiles[i].tokens.lowerBound))
        }
      }
      if decode.sequences > 0 || segments.count > first {
        bands.append(LayerBand(layers: layer..<end, segments: first..<segments.count))
      }
      layer = end
    }
  }
}
