import Serving
import Support

/// The time of one launch of decode attention on one GPU: one new token for each sequence of a batch.
///
/// The coefficients are of
///
///     [1, KV bytes, sequences, waves, cut, waves · cut],   waves = ⌈sequences · kvHeads / SMs⌉
///
/// in seconds, seconds per byte, and seconds. `cut` is 1 if contexts are longer than the window, else 0 (as it is
/// without a window): a window that begins inside a block of keys costs a second block and its masks.
public struct DecodeAttentionFit: KernelFit {
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
  /// The six coefficients, then zeros.
  public private(set) var coefficients: SIMD8<Double>
  /// Where the coefficients come from.
  public let origin: FitOrigin
  /// The batches that were measured; empty if nothing was.
  public let measuredBatch: Range<Double>
  /// The tokens in KV memory, of all sequences together, that were measured; empty if nothing was.
  public let measuredContext: Range<Double>
  /// The errors, on rows that they have not seen, of fits found as this one was; nil if that was never tried.
  public var heldOut: ErrorSummary?

  package init(
    heads: Int, kvHeads: Int, headDim: Int, window: Int, multiprocessors: Int, coefficients: SIMD8<Double>,
    origin: FitOrigin, measuredBatch: Range<Double>, measuredContext: Range<Double>,
    heldOut: ErrorSummary? = nil
  ) {
    self.heads = heads
    self.kvHeads = kvHeads
    self.headDim = headDim
    self.window = window
    self.multiprocessors = multiprocessors
    self.coefficients = coefficients
    self.origin = origin
    self.measuredBatch = measuredBatch
    self.measuredContext = measuredContext
    self.heldOut = heldOut
  }

  /// The time of a launch; 0 for an empty batch.
  ///
  /// - Parameters:
  ///   - batch: Sequences.
  ///   - contextTokens: Tokens in KV memory that the sequences see together, the new ones included. Each may be
  ///     cut to the window or not: the fit cuts the mean, and takes windows that are full for windows that cut
  ///     their context. It does not matter how the tokens are spread over the sequences.
  /// - Returns: The time in seconds.
  public func seconds(batch: Double, contextTokens: Double) -> Seconds {
    guard batch > 0 else { return 0 }
    return dot(
      coefficients,
      Self.features(
        batch: batch, contextTokens: contextTokens, kvHeads: kvHeads, headDim: headDim, window: window,
        multiprocessors: Double(multiprocessors)))
  }

  /// Whether a launch lies inside what was measured.
  public func isMeasured(batch: Double, contextTokens: Double) -> Bool {
    origin == .measured && measuredBatch.contains(batch) && measuredContext.contains(contextTokens)
  }

  /// Bytes of keys and values that a launch reads.
  public func bytes(batch: Double, contextTokens: Double) -> Double {
    let seen = window > 0 ? min(contextTokens, batch * Double(window)) : contextTokens
    return seen * 4 * Double(kvHeads) * Double(headDim)
  }

  /// The same kernel, `factor` times as slow.
  public func scaled(by factor: Double) -> DecodeAttentionFit {
    var copy = self
    copy.coefficients *= factor
    return copy
  }

  package static func features(
    batch: Double, contextTokens: Double, kvHeads: Int, headDim: Int, window: Int, multiprocessors: Double
  ) -> SIMD8<Double> {
    let limit = window > 0 ? batch * Double(window) : .infinity
    let bytes = min(contextTokens, limit) * 4 * Double(kvHeads) * Double(headDim)
    let waves = (batch * Double(kvHeads) / multiprocessors).rounded(.up)
    let cut = contextTokens >= limit ? 1.0 : 0
    return SIMD8(1, bytes, batch, waves, cut, waves * cut, 0, 0)
  }
}
