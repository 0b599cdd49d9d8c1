import Serving

/// The time of an all-reduce among the GPUs of one node.
///
/// The coefficients are of
///
///     [1, B₁, [B₂ > 0], B₂, [B₃ > 0], B₃, √B]
///
/// in seconds, seconds per byte and seconds per √byte, where B is split by algorithm.
///
/// vLLM's kernel: B₁ if every GPU reads all of the others' data (one-shot), B₂ if each reduces a part and shares
/// it (two-shot), B₃ beyond its limit, where NCCL takes over. The limits are vLLM's: `csrc/custom_all_reduce.cuh`
/// and `device_communicators/custom_all_reduce.py` of github.com/vllm-project/vllm.
///
/// NCCL: B₁ up to 1 MiB (its low-latency protocol; the measured tables bend there for 2, 4 and 8 GPUs alike), B₂
/// beyond, and √B, since a pipelined ring cut into the best number of pieces takes α + βB + 2√(αβB).
public struct AllReduceFit: KernelFit {
  /// Whose all-reduce it is.
  public enum Implementation: String, Codable, Sendable, Hashable, CaseIterable {
    /// vLLM's own kernel inside a CUDA graph.
    case custom
    /// NCCL.
    case nccl
  }

  /// Whose all-reduce it is.
  public let implementation: Implementation
  /// GPUs that take part.
  public let gpus: Int
  /// The seven coefficients, then a zero.
  public private(set) var coefficients: SIMD8<Double>
  /// Where the coefficients come from.
  public let origin: FitOrigin
  /// The sizes that were measured, in bytes; empty if nothing was.
  public let measuredBytes: Range<Double>
  /// The errors, on rows that they have not seen, of fits found as this one was; nil if that was never tried.
  public var heldOut: ErrorSummary?

  package init(
    implementation: Implementation, gpus: Int, coefficients: SIMD8<Double>, origin: FitOrigin,
    measuredBytes: Range<Double>, heldOut: ErrorSummary? = nil
  ) {
    self.implementation = implementation
    self.gpus = gpus
    self.coefficients = coefficients
    self.origin = origin
    self.measuredBytes = measuredBytes
    self.heldOut = heldOut
  }

  /// The time to reduce so many bytes held by each GPU; 0 for a single GPU and for no bytes.
  public func seconds(bytes: Double) -> Seconds {
    guard bytes > 0, gpus > 1 else { return 0 }
    return dot(coefficients, Self.features(implementation, gpus: gpus, bytes: bytes))
  }

  /// Whether a size lies inside what was measured.
  public func isMeasured(bytes: Double) -> Bool {
    gpus == 1 || (origin == .measured && measuredBytes.contains(bytes))
  }

  /// The same kernel, `factor` times as slow.
  public func scaled(by factor: Double) -> AllReduceFit {
    var copy = self
    copy.coefficients *= factor
    return copy
  }

  package static func features(_ implementation: Implementation, gpus: Int, bytes: Double) -> SIMD8<Double> {
    let kibi = 1024.0
    switch implementation {
    case .nccl:
      let root = bytes.squareRoot()
      return bytes <= kibi * kibi
        ? SIMD8(1, bytes, 0, 0, 0, 0, root, 0) : SIMD8(1, 0, 1, bytes, 0, 0, root, 0)
    case .custom:
      if bytes >= 8 * kibi * kibi { return SIMD8(1, 0, 0, 0, 1, bytes, 0, 0) }
      let oneShot = gpus == 2 || bytes < (gpus <= 4 ? 512 : 256) * kibi
      return oneShot ? SIMD8(1, bytes, 0, 0, 0, 0, 0, 0) : SIMD8(1, 0, 1, bytes, 0, 0, 0, 0)
    }
  }
}
