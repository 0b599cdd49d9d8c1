/// What a token profile makes of a band.
public struct BandProfile: Sendable, Hashable {
  /// The prefill rows behind the attention, as a range of ``StepLoad/segments``: fewer where the layer drops some.
  public var feedForward: Range<Int>
  /// The prompts that are scored there, with the rows that reach the drop; empty where nothing is dropped.
  public var scored: Range<Int>
  /// Prefill rows that the drop leaves.
  public var kept: Int
  /// KV entries that the decoding sequences lack in these layers.
  public var missing: Tokens

  /// Creates a band that drops nothing.
  public init(feedForward: Range<Int>, missing: Tokens) {
    self.feedForward = feedForward
    scored = feedForward.upperBound..<feedForward.upperBound
    kept = 0
    self.missing = missing
  }
}

extension StepLoad {
  /// Replaces the load where prompts thin out on their way.
  ///
  /// Layers are cut where a tile begins or ends, and where the rows of some tile or the entries of decoding sequences
  /// change. Where neither do, the load is that without a profile.
  ///
  /// - Parameters:
  ///   - decode: the decode rows.
  ///   - missing: KV entries that they lack behind each drop.
  ///   - tiles: the tiles of prefill.
  ///   - rows: what the profile makes of each.
  ///   - layers: layers of the model.
  ///   - profile: the profile.
  /// - Complexity: O((drops + tiles) x tiles).
  package mutating func fill(
    decode: DecodeLoad, missing: [Tokens], tiles: [Tile], rows: [TileRows], layers: Int,
    profile: TokenProfile
  ) {
    if !profiles.isEmpty {
      // The bands are not those of a load without a profile.
      profiles.removeAll(keepingCapacity: true)
      self.decode = DecodeLoad()
    }
    // What those who decode lack is of no matter where none of them steps.
    let isPlain =
      rows.allSatisfy(\.isPlain) && (decode.sequences == 0 || missing.allSatisfy { $0 == 0 })
    guard !isPlain else { return fill(decode: decode, tiles: tiles, layers: layers) }
    self.decode = decode
    prefillSequences = tiles.count
    prefillRows = 0
    enteringRows = 0
    finishingSequences = 0
    hasPartialDepth = false
    loadedEntries = 0
    for i in tiles.indices where rows[i].loaded > 0 {
      // The first layer computes all of its own.
      loadedEntries += rows[i].loaded * (tiles[i].layers.count - (tiles[i].layers.lowerBound == 0 ? 1 : 0))
    }
    segments.removeAll(keepingCapacity: true)
    bands.removeAll(keepingCapacity: true)
    for i in tiles.indices {
      let depth = tiles[i].layers
      prefillRows += rows[i].segment(profile.classOf(layer: depth.lowerBound)).tokens
      if depth.lowerBound == 0 { enteringRows += tiles[i].tokens.count }
      if depth.count < layers { hasPartialDepth = true }
    }
    var layer = 0
    while layer < layers {
      layer = cutBand(at: layer, missing: missing, tiles: tiles, rows: rows, layers: layers, profile: profile)
    }
  }

  /// Cuts a band.
  ///
  /// - Returns: one past its last layer.
  private mutating func cutBand(
    at layer: Int, missing: [Tokens], tiles: [Tile], rows: [TileRows], layers: Int, profile: TokenProfile
  ) -> Int {
    let number = profile.classOf(layer: layer)
    let last = number < profile.drops.count ? profile.drops[number].layer : layers - 1
    let scores =
      number < profile.drops.count
      && tiles.indices.contains { rows[$0].isDropped && tiles[$0].layers.contains(last) }
    // A layer that drops rows is a band of its own.
    var end = scores && layer < last ? last : min(last + 1, layers)
    let first = segments.count
    for i in tiles.indices {
      let depth = tiles[i].layers
      if depth.lowerBound > layer {
        end = min(end, depth.lowerBound)
      } else if layer < depth.upperBound {
        end = min(end, depth.upperBound)
        segments.append(rows[i].segment(number))
      }
    }
    let mixer = first..<segments.count
    guard decode.sequences > 0 || !mixer.isEmpty else { return end }
    bands.append(LayerBand(layers: layer..<end, segments: mixer))
    let isLacking = number > 0 && decode.sequences > 0
    profiles.append(BandProfile(feedForward: mixer, missing: isLacking ? missing[number - 1] : 0))
    guard scores, layer == last else { return end }
    let band = profiles.count - 1
    for i in tiles.indices where tiles[i].layers.contains(layer) {
      profiles[band].kept += rows[i].segment(number + 1).tokens
      if profile.place == .behindAttention { segments.append(rows[i].segment(number + 1)) }
    }
    if profile.place == .behindAttention { profiles[band].feedForward = mixer.upperBound..<segments.count }
    let begin = segments.count
    for i in tiles.indices where rows[i].isDropped && tiles[i].layers.contains(layer) {
      segments.append(rows[i].segment(number))
    }
    profiles[band].scored = begin..<segments.count
    return end
  }
}
