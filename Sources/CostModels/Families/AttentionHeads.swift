import Systems

/// The heads of an attention kernel on one GPU.
public struct AttentionHeads: Sendable, Hashable, CustomStringConvertible {
  /// Query heads.
  public var heads: Int
  /// KV heads.
  public var keyValueHeads: Int
  /// Width of a head's query and key.
  public var headDim: Int
  /// Width of a head's value.
  public var valueDim: Int
  /// Whether keys and values are made of latent vectors, whose kernels are measured apart from others, whatever the widths.
  public private(set) var isLatent = false
  /// Whether values are a part of the keys, and not stored or read again: latent vectors.
  public var sharesValues = false
  /// Keys that a token sees at most, itself included; 0 for no limit.
  public var window: Int

  /// Creates heads.
  ///
  /// The width of a value is that of a key unless it is given.
  public init(heads: Int, keyValueHeads: Int, headDim: Int, window: Int = 0, valueDim: Int? = nil) {
    self.heads = heads
    self.keyValueHeads = keyValueHeads
    self.headDim = headDim
    self.window = window
    self.valueDim = valueDim ?? headDim
  }

  /// The heads of a latent attention in decode: one key, whose first part is the value.
  public init(absorbed attention: LatentAttention) {
    self.init(
      heads: attention.heads, keyValueHeads: 1, headDim: attention.entryWidth,
      window: attention.indexer?.topK ?? 0, valueDim: attention.latent)
    isLatent = true
    sharesValues = true
  }

  /// The heads of a latent attention in prefill: keys and values of every head.
  public init(expanded attention: LatentAttention) {
    self.init(
      heads: attention.heads, keyValueHeads: attention.heads, headDim: attention.nope + attention.rope,
      window: attention.indexer?.topK ?? 0, valueDim: attention.value)
    isLatent = true
  }

  /// Creates heads from the sizes that a calibration keeps.
  ///
  /// - Precondition: there are four.
  package init(dimensions: [Int]) {
    self.init(
      heads: dimensions[0], keyValueHeads: dimensions[1], headDim: dimensions[2], window: dimensions[3])
  }

  /// Creates the heads of a latent attention from the sizes that a calibration keeps.
  ///
  /// - Precondition: there are four.
  package init(latentDimensions dimensions: [Int], isAbsorbed: Bool) {
    self.init(
      heads: dimensions[0], keyValueHeads: dimensions[1], headDim: dimensions[2], valueDim: dimensions[3])
    isLatent = true
    sharesValues = isAbsorbed
  }

  /// The sizes as a calibration keeps them; of latent attention, which nobody measured with a window, the value's width in
  /// its place.
  package var dimensions: [Int] {
    [heads, keyValueHeads, headDim, isLatent ? valueDim : window]
  }

  /// The kernels that stand in where none of this kind and format was measured, the most similar first: that of 16-bit keys
  /// and values, and those without a window.
  ///
  /// Their terms count the bytes of this one's own format, and the keys that its window leaves.
  func standIns(_ format: WeightFormat) -> [(AttentionHeads, WeightFormat)] {
    var unwindowed = self
    unwindowed.window = 0
    return [(self, .bf16), (unwindowed, format), (unwindowed, .bf16)].filter { $0 != (self, format) }
  }

  /// How much a difference in each of the sizes counts: width of a head before all else.
  static let weights = [1.0, 2, 8, 1]

  /// Bytes of the queries and the outputs of a token, two each.
  var bytesPerToken: Double { 2 * Double(heads) * Double(headDim + valueDim) }
  /// Bytes of the key and the value of a token in a format.
  func bytesPerEntry(_ format: WeightFormat) -> Double {
    format.bytesPerWeight * Double(keyValueHeads) * Double(sharesValues ? headDim : headDim + valueDim)
  }
  /// Operations of a query with a key and its value.
  var flopsPerPair: Double { 2 * Double(heads) * Double(headDim + valueDim) }

  /// `32 / 4 heads of 128`.
  public var description: String {
    "\(heads) / \(keyValueHeads) heads of \(headDim)" + (isLatent ? " and \(valueDim)" : "")
      + (window > 0 ? ", window \(window)" : "")
  }
}
