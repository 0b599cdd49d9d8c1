/// Some of one sequence's positions, through some of the model's layers: the unit of planning, pricing and drawing.
///
/// Prefill fills the plane *tokens x layers* of a prompt. A policy decides how the plane is tiled:
///
///     whole prompt   tokens 0..<n   layers 0..<L    one tile
///     chunked        tokens a..<b   layers 0..<L    columns
///     layered        tokens 0..<n   layers p..<q    rows
///     both           tokens a..<b   layers p..<q    blocks
public struct Tile: Sendable, Hashable {
  /// The sequence.
  public var sequence: Slot
  /// Positions that the tile covers.
  public var tokens: Range<Tokens>
  /// Layers that the tile covers.
  public var layers: Range<Int>

  /// Creates a tile.
  public init(sequence: Slot, tokens: Range<Tokens>, layers: Range<Int>) {
    self.sequence = sequence
    self.tokens = tokens
    self.layers = layers
  }

  /// Tokens x layers.
  var area: Double { Double(tokens.count) * Double(layers.count) }

  /// Pairs of a query and a key it attends to, over all of its layers.
  var attended: Double {
    Double(tokens.count) * (Double(tokens.lowerBound) + 0.5 * Double(tokens.count + 1)) * Double(layers.count)
  }
}
