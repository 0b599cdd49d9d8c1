import Glibc
import Serving

/// The time of a dense matrix product on one GPU: `rows` × k activations by k × n weights.
///
/// `launch + ((bytes · secondsPerByte)³ + (flops · secondsPerFLOP)³)^⅓`: the two resources overlap, but not
/// perfectly, so that the cubic norm rounds the corner of the roofline. All of the weights are read in each call.
public struct GEMMFit: KernelFit {
  /// Output features on this GPU.
  public let n: Int
  /// Input features on this GPU.
  public let k: Int
  /// Bytes of a weight.
  public let weightBytes: Double
  /// Bytes of an activation, read or written.
  public let activationBytes: Double
  /// Time of a launch that moves and computes next to nothing, in seconds.
  public private(set) var launch: Seconds
  /// Inverse of the memory bandwidth that the kernel reaches, in seconds per byte.
  public private(set) var secondsPerByte: Double
  /// Inverse of the arithmetic rate that the kernel reaches, in seconds per floating-point operation.
  public private(set) var secondsPerFLOP: Double
  /// Where the coefficients come from.
  public let origin: FitOrigin
  /// The numbers of rows that were measured; empty if nothing was.
  public let measuredRows: Range<Double>
  /// The errors, on rows that they have not seen, of fits found as this one was; nil if that was never tried.
  public var heldOut: ErrorSummary?

  package init(
    n: Int, k: Int, weightBytes: Double, activationBytes: Double, launch: Seconds, secondsPerByte: Double,
    secondsPerFLOP: Double, origin: FitOrigin, measuredRows: Range<Double>, heldOut: ErrorSummary? = nil
  ) {
    self.n = n
    self.k = k
    self.weightBytes = weightBytes
    self.activationBytes = activationBytes
    self.launch = launch
    self.secondsPerByte = secondsPerByte
    self.secondsPerFLOP = secondsPerFLOP
    self.origin = origin
    self.measuredRows = measuredRows
    self.heldOut = heldOut
  }

  /// The time of a call; 0 for no rows.
  public func seconds(rows: Double) -> Seconds {
    guard rows > 0 else { return 0 }
    let memory = bytes(rows: rows) * secondsPerByte
    let arithmetic = flops(rows: rows) * secondsPerFLOP
    return launch + cbrt(memory * memory * memory + arithmetic * arithmetic * arithmetic)
  }

  /// The time of a call; 0 for no rows.
  public func seconds(rows: Int) -> Seconds { seconds(rows: Double(rows)) }

  /// Whether a call with so many rows lies inside what was measured for this shape.
  public func isMeasured(rows: Double) -> Bool { origin == .measured && measuredRows.contains(rows) }

  /// The same product, `factor` times as slow.
  public func scaled(by factor: Double) -> GEMMFit {
    var copy = self
    copy.launch *= factor
    copy.secondsPerByte *= factor
    copy.secondsPerFLOP *= factor
    return copy
  }

  /// Bytes read and written by a call: the weights once, and its activations.
  public func bytes(rows: Double) -> Double {
    Double(n) * Double(k) * weightBytes + rows * Double(n + k) * activationBytes
  }

  /// Floating-point operations of a call, a multiplication and an addition counted as two.
  public func flops(rows: Double) -> Double { 2 * rows * Double(n) * Double(k) }
}
