import Serving
import Systems

/// Kernels whose time follows the same law.
///
/// A family says what is fixed when a model is set up (``Shape``), what varies from launch to launch (``Work``), how
/// long a launch takes for given coefficients, and what it moves and computes. Its coefficients come from a
/// ``Calibration``; their table and their fit are in the module Calibration, in a file of the same name.
public protocol KernelFamily: Sendable {
  /// Sizes that stay the same from launch to launch.
  associatedtype Shape: KernelShape where Shape.Family == Self
  /// How much one launch has to do.
  associatedtype Work

  /// Names and units of the coefficients, at most eight.
  static var coefficients: [FittedKernel.Coefficient] { get }
  /// Names of the ``coordinates(of:_:)``, at most four.
  static var ranges: [String] { get }
  /// Whether launches outside the measured ranges count as extrapolated.
  static var flagsExtrapolation: Bool { get }

  /// The time of a launch; 0 without work.
  static func seconds(
    _ coefficients: SIMD8<Double>, _ shape: Shape, _ work: Work, on device: DeviceFigures
  ) -> Seconds
  /// The share of a launch's time that is bound by arithmetic, and so grows as the clock falls, 0...1.
  static func clockedShare(
    _ coefficients: SIMD8<Double>, _ shape: Shape, _ work: Work, on device: DeviceFigures
  ) -> Double
  /// The rows of a launch and how unevenly they are spread, by which a fit's ``LaunchCorrections`` are looked up; `nil` where
  /// none apply.
  static func corrected(_ shape: Shape, _ work: Work) -> (rows: Double, skew: Double)?
  /// The coefficients of a kernel all of whose launches take `factor` times as long.
  static func scaled(_ coefficients: SIMD8<Double>, by factor: Double) -> SIMD8<Double>
  /// What a launch moves and computes on one GPU.
  static func traffic(_ shape: Shape, _ work: Work) -> KernelTraffic
  /// The quantities of a launch whose measured ranges a fit keeps.
  static func coordinates(of shape: Shape, _ work: Work) -> SIMD4<Double>
  /// Whether a launch lies inside what was measured.
  static func isInside(_ ranges: MeasuredRanges, _ shape: Shape, _ work: Work) -> Bool
  /// The factor of an engine whose kernels are not tuned.
  static func scale(in engine: KernelScale) -> Double
  /// How far the kernel of another engine is from the measured one: the standard deviation of the logarithm of their times.
  static func spreadOfEngines(_ shape: Shape) -> Double
  /// How far a kernel in one format is from that in the format that it is priced by, likewise.
  static func spreadOfFormats(_ shape: Shape) -> Double
  /// The fit of a shape, or the nearest thing that a calibration has.
  static func find(_ shape: Shape, in calibration: Calibration) -> Fit<Self>
}

extension KernelFamily {
  /// True: a launch is flagged unless its shape was measured and it lies inside the ranges.
  public static var flagsExtrapolation: Bool { true }
  /// None.
  public static func corrected(_ shape: Shape, _ work: Work) -> (rows: Double, skew: Double)? { nil }
  /// All of them are times.
  public static func scaled(_ coefficients: SIMD8<Double>, by factor: Double) -> SIMD8<Double> {
    coefficients * factor
  }
  /// None: most kernels are bound by memory.
  public static func clockedShare(
    _ coefficients: SIMD8<Double>, _ shape: Shape, _ work: Work, on device: DeviceFigures
  ) -> Double { 0 }
  /// Each coordinate in its range.
  public static func isInside(_ ranges: MeasuredRanges, _ shape: Shape, _ work: Work) -> Bool {
    ranges.contains(coordinates(of: shape, work))
  }
  /// None: libraries that all engines share, or kernels that are estimates anyway.
  public static func spreadOfEngines(_ shape: Shape) -> Double { 0 }
  /// None: priced by its own format.
  public static func spreadOfFormats(_ shape: Shape) -> Double { 0 }
  /// The factor of kernels that have none of their own.
  public static func scale(in engine: KernelScale) -> Double { engine.other }
}

/// A family whose time is a sum of coefficients times features.
public protocol LinearKernelFamily: KernelFamily {
  /// What the coefficients are multiplied by; zero without work.
  static func features(of shape: Shape, _ work: Work, on device: DeviceFigures) -> SIMD8<Double>
}

extension LinearKernelFamily {
  /// The inner product of coefficients and features, summed in order: the same bits on every machine.
  public static func seconds(
    _ coefficients: SIMD8<Double>, _ shape: Shape, _ work: Work, on device: DeviceFigures
  ) -> Seconds { linearSeconds(coefficients, shape, work, on: device) }

  /// The inner product of coefficients and features.
  static func linearSeconds(
    _ coefficients: SIMD8<Double>, _ shape: Shape, _ work: Work, on device: DeviceFigures
  ) -> Seconds {
    let features = features(of: shape, work, on: device)
    var sum = coefficients[0] * features[0]
    for i in 1..<8 { sum += coefficients[i] * features[i] }
    return sum
  }
}

/// The sizes of a kernel that stay the same from launch to launch, and how a calibration knows them.
public protocol KernelShape: Sendable, Hashable, CustomStringConvertible {
  /// The family that has such shapes.
  associatedtype Family: KernelFamily where Family.Shape == Self
  /// The kernel's name in a calibration, such as `gemm`.
  var kernel: String { get }
  /// The data type (`bf16`), the implementation (`nccl`), or the name of an elementwise kernel.
  var type: String { get }
  /// The sizes as a calibration keeps them.
  var dimensions: [Int] { get }
  /// Bytes of weights that a GPU holds for the kernel in one layer.
  var weightBytes: Int { get }
  /// Kernels that an engine launches one by one for it in a step of prompts, helpers such as quantising among them.
  var launches: Int { get }
  /// Whether another kernel does it as its last part: it takes time, and is no call of its own.
  var isAppended: Bool { get }
}

extension KernelShape {
  /// None.
  public var weightBytes: Int { 0 }
  /// One.
  public var launches: Int { 1 }
  /// No.
  public var isAppended: Bool { false }
}

/// What one launch moves and computes on one GPU.
public struct KernelTraffic: Sendable, Hashable {
  /// Weights read, in bytes.
  public var weightBytes = 0.0
  /// KV entries read and written, in bytes.
  public var kvBytes = 0.0
  /// Activations read and written, and bytes exchanged, in bytes.
  public var activationBytes = 0.0
  /// Floating-point operations; a multiplication and an addition are two.
  public var flops = 0.0
  /// The part of ``flops`` that has operands of 8 or 4 bits.
  public var narrowFLOPs = 0.0
  /// The part of ``weightBytes`` that is stored as MXFP4, and dequantised.
  public var mxfp4Bytes = 0.0

  /// Creates the traffic of nothing.
  public init(
    weightBytes: Double = 0, kvBytes: Double = 0, activationBytes: Double = 0, flops: Double = 0,
    narrowFLOPs: Double = 0, mxfp4Bytes: Double = 0
  ) {
    self.narrowFLOPs = narrowFLOPs
    self.mxfp4Bytes = mxfp4Bytes
    self.weightBytes = weightBytes
    self.kvBytes = kvBytes
    self.activationBytes = activationBytes
    self.flops = flops
  }
}
