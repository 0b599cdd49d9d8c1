import Serving
import Support

/// The time of one launch of prefill attention on one GPU, over one or several segments.
///
/// A GPU runs as many thread blocks at once as it has multiprocessors, a wave; a block works on one tile of one
/// KV head, walking over the keys that it sees. With fewer blocks than multiprocessors the launch takes as long
/// as one block, which makes small chunks of a long prompt dear: that law, and not a table of chunk sizes,
/// carries over to chunks with a prefix. The coefficients are of
///
///     [1, max(1, waves) · flops of a tile, ⌈waves⌉ · flops of a tile, bytes, ⌈waves⌉],   waves = blocks / SMs
///
/// in seconds, seconds per FLOP of one multiprocessor (twice), seconds per byte, and seconds.
public struct PrefillAttentionFit: KernelFit {
  /// Query heads on this GPU.
  public let heads: Int
  /// KV heads on this GPU.
  public let kvHeads: Int
  /// Width of a head.
  public let headDim: Int
  /// Keys that a token sees at most, itself included; 0 for no limit.
  public let window: Int
  /// Multiprocessors of the GPU.
  public let multiprocessors: Int
  /// The five coefficients, then zeros.
  public private(set) var coefficients: SIMD8<Double>
  /// Where the coefficients come from.
  public let origin: FitOrigin
  /// The thread blocks of launches that were measured; empty if nothing was.
  public let measuredBlocks: Range<Double>
  /// The mean keys of a tile in launches that were measured; empty if nothing was.
  public let measuredKeys: Range<Double>
  /// The mean prefix of a tile in launches that were measured; empty if nothing was, or none had a prefix.
  public let measuredPrefix: Range<Double>
  /// The errors, on rows that they have not seen, of fits found as this one was; nil if that was never tried.
  public var heldOut: ErrorSummary?

  package init(
    heads: Int, kvHeads: Int, headDim: Int, window: Int, multiprocessors: Int, coefficients: SIMD8<Double>,
    origin: FitOrigin, measuredBlocks: Range<Double>, measuredKeys: Range<Double>,
    measuredPrefix: Range<Double>, heldOut: ErrorSummary? = nil
  ) {
    self.heads = heads
    self.kvHeads = kvHeads
    self.headDim = headDim
    self.window = window
    self.multiprocessors = multiprocessors
    self.coefficients = coefficients
    self.origin = origin
    self.measuredBlocks = measuredBlocks
    self.measuredKeys = measuredKeys
    self.measuredPrefix = measuredPrefix
    self.heldOut = heldOut
  }

  /// The shape of a launch of this kernel that has no segments yet.
  public func emptyShape() -> PrefillShape { PrefillShape(heads: heads, kvHeads: kvHeads, window: window) }

  /// The time of a launch; 0 without segments.
  ///
  /// - Precondition: `shape` was made for the same heads and window.
  public func seconds(_ shape: PrefillShape) -> Seconds {
    guard shape.queryTiles > 0 else { return 0 }
    return dot(
      coefficients,
      Self.features(
        shape, heads: heads, kvHeads: kvHeads, headDim: headDim, multiprocessors: Double(multiprocessors)))
  }

  /// Whether a launch lies inside what was measured: its number of blocks, their keys, and its prefixes.
  public func isMeasured(_ shape: PrefillShape) -> Bool {
    origin == .measured && measuredBlocks.contains(shape.queryTiles * Double(kvHeads))
      && measuredKeys.contains(shape.tileKeys / shape.queryTiles)
      && (shape.tilePrefix == 0 || measuredPrefix.contains(shape.tilePrefix / shape.queryTiles))
  }

  /// Bytes read and written: queries, outputs, keys and values, two bytes each.
  public func bytes(_ shape: PrefillShape) -> Double {
    Self.bytes(shape, heads: heads, kvHeads: kvHeads, headDim: headDim)
  }

  static func bytes(_ shape: PrefillShape, heads: Int, kvHeads: Int, headDim: Int) -> Double {
    4 * Double(headDim) * (shape.queryTokens * Double(heads) + shape.keyTokens * Double(kvHeads))
  }

  /// The same kernel, `factor` times as slow.
  public func scaled(by factor: Double) -> PrefillAttentionFit {
    var copy = self
    copy.coefficients *= factor
    return copy
  }

  package static func features(
    _ shape: PrefillShape, heads: Int, kvHeads: Int, headDim: Int, multiprocessors: Double
  ) -> SIMD8<Double> {
    let waves = shape.queryTiles * Double(kvHeads) / multiprocessors
    let whole = waves.rounded(.up)
    let tileFLOPs = shape.tileKeys / shape.queryTiles * PrefillShape.tile * 4 * Double(headDim)
    let bytes = bytes(shape, heads: heads, kvHeads: kvHeads, headDim: headDim)
    return SIMD8(1, max(1, waves) * tileFLOPs, whole * tileFLOPs, bytes, whole, 0, 0, 0)
  }
}
