import Serving

/// The time of a kernel that streams through memory: `launch + bytes · secondsPerByte`.
public struct ElementwiseFit: KernelFit {
  /// The kernel, such as `rms_norm`.
  public let kernel: String
  /// Time of a launch that moves next to nothing, in seconds.
  public private(set) var launch: Seconds
  /// Inverse of the bandwidth that the kernel reaches, in seconds per byte.
  public private(set) var secondsPerByte: Double
  /// Where the coefficients come from.
  public let origin: FitOrigin
  /// The sizes that were measured, in bytes; empty if nothing was.
  public let measuredBytes: Range<Double>
  /// The errors, on rows that they have not seen, of fits found as this one was; nil if that was never tried.
  public var heldOut: ErrorSummary?

  package init(
    kernel: String, launch: Seconds, secondsPerByte: Double, origin: FitOrigin, measuredBytes: Range<Double>,
    heldOut: ErrorSummary? = nil
  ) {
    self.kernel = kernel
    self.launch = launch
    self.secondsPerByte = secondsPerByte
    self.origin = origin
    self.measuredBytes = measuredBytes
    self.heldOut = heldOut
  }

  /// The time of a launch that reads and writes so many bytes; 0 for none.
  public func seconds(bytes: Double) -> Seconds { bytes > 0 ? launch + bytes * secondsPerByte : 0 }

  /// Whether a size lies inside what was measured.
  public func isMeasured(bytes: Double) -> Bool { origin == .measured && measuredBytes.contains(bytes) }

  /// The same kernel, `factor` times as slow.
  public func scaled(by factor: Double) -> ElementwiseFit {
    var copy = self
    copy.launch *= factor
    copy.secondsPerByte *= factor
    return copy
  }
}
