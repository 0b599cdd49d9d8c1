import Systems

/// The heads of an attention kernel on one GPU.
public struct AttentionHeads: Sendable, Hashable, CustomStringConvertible {
  /// Query heads.
  public var heads: Int
  /// KV heads.
  public var keyValueHeads: Int
  /// Width of a head.
  public var headDim: Int
  /// Keys that a token sees at most, itself included; 0 for no limit.
  public var window: Int

  /// Creates heads.
  public init(heads: Int, keyValueHeads: Int, headDim: Int, window: Int = 0) {
    self.heads = heads
    self.keyValueHeads = keyValueHeads
    self.headDim = headDim
    self.window = window
  }

  /// Creates heads from the sizes that a calibration keeps.
  ///
  /// - Precondition: there are four.
  package init(dimensions: [Int]) {
    self.init(
      heads: dimensions[0], keyValueHeads: dimensions[1], headDim: dimensions[2], window: dimensions[3])
  }

  /// The sizes as a calibration keeps them.
  package var dimensions: [Int] { [heads, keyValueHeads, headDim, window] }
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
  var bytesPerToken: Double { 4 * Double(heads) * Double(headDim) }
  /// Bytes of the key and the value of a token in a format.
  func bytesPerEntry(_ format: WeightFormat) -> Double {
    2 * format.bytesPerWeight * Double(keyValueHeads) * Double(headDim)
  }
  /// Operations of a query with a key and its value.
  var flopsPerPair: Double { 4 * Double(heads) * Double(headDim) }

  /// `32 / 4 heads of 128`.
  public var description: String {
    "\(heads) / \(keyValueHeads) heads of \(headDim)" + (window > 0 ? ", window \(window)" : "")
  }
}
