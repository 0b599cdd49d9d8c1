import Serving
import Systems

/// Kernels that stream through memory: `t0 + bytes · b`.
///
/// Engines differ most in them. Fused ones (vLLM's) move what must be moved; those of an engine written in PyTorch come
/// as several kernels, or as generated ones that reach a third of the bandwidth.
public enum Elementwise: LinearKernelFamily {
  /// How an engine has them.
  public enum Style: String, Sendable, Hashable {
    /// As one kernel each, written for the purpose.
    case fused
    /// As several kernels, or generated ones.
    case unfused
  }

  /// The kernel's name.
  public struct Shape: KernelShape {
    /// The family.
    public typealias Family = Elementwise
    /// `embedding`, `rms_norm`, `qk_norm_rope_kv`, `router_topk`, `permute`, `silu_mul`, `combine` or `sampling`; in a
    /// calibration unfused ones begin with `unfused_`.
    public var name: String
    /// Whether another kernel does it as its last part: nothing is launched for it.
    public var isAppended: Bool

    /// Creates the shape of a kernel.
    public init(_ name: String, _ style: Style = .fused, isAppended: Bool = false) {
      self.name = style == .fused ? name : "unfused_" + name
      self.isAppended = isAppended
    }

    /// None where it is a part of another.
    public var launches: Int { isAppended ? 0 : 1 }

    /// The name in a calibration.
    public var kernel: String { "elementwise" }
    /// The type in a calibration.
    public var type: String { name }
    /// The sizes in a calibration.
    public var dimensions: [Int] { [] }
    /// Nothing: the name says it.
    public var description: String { "" }
  }

  /// Bytes read and written.
  public struct Work: Sendable, Hashable {
    /// Of activations.
    public var activationBytes: Double
    /// Of KV entries.
    public var kvBytes: Double
    /// Operations, of kernels whose operations are counted: most have next to none.
    public var flops: Double
    /// All of them.
    public var bytes: Double { activationBytes + kvBytes }

    /// Creates work.
    public init(activationBytes: Double, kvBytes: Double = 0, flops: Double = 0) {
      self.activationBytes = activationBytes
      self.kvBytes = kvBytes
      self.flops = flops
    }
  }

  /// Names and units of the coefficients.
  public static let coefficients: [FittedKernel.Coefficient] = [
    .init(name: "t0", unit: "s"), .init(name: "b", unit: "s/B"),
  ]
  /// Names of the coordinates.
  public static let ranges = ["bytes"]
  /// False: most of these kernels are estimates, which reports name, and a straight line carries far.
  public static let flagsExtrapolation = false

  /// What the coefficients are multiplied by.
  public static func features(of shape: Shape, _ work: Work, on device: DeviceFigures) -> SIMD8<Double> {
    work.bytes > 0 ? SIMD8(shape.isAppended ? 0 : 1, work.bytes, 0, 0, 0, 0, 0, 0) : .zero
  }

  /// What a launch moves and computes.
  public static func traffic(_ shape: Shape, _ work: Work) -> KernelTraffic {
    KernelTraffic(kvBytes: work.kvBytes, activationBytes: work.activationBytes, flops: work.flops)
  }

  /// The quantities whose measured ranges are kept.
  public static func coordinates(of shape: Shape, _ work: Work) -> SIMD4<Double> {
    SIMD4(work.bytes, 0, 0, 0)
  }

  /// The kernel's own fit or estimate, or that of the fused kernel; for other names, the data sheet's bandwidth and the
  /// launch of `rms_norm`.
  public static func find(_ shape: Shape, in calibration: Calibration) -> Fit<Elementwise> {
    let fused = shape.name.hasPrefix("unfused_") ? String(shape.name.dropFirst(8)) : shape.name
    let kernel = [shape.name, fused].lazy.compactMap { name in
      calibration.kernels.first { $0.kernel == shape.kernel && $0.type == name }
    }.first
    if let kernel, let fitted = kernel.shapes.first {
      return calibration.fit(
        shape, fitted, kernel.quality == .measured ? .measured : .estimate, fitted.heldOut)
    }
    let launch = calibration.shapes(of: shape.kernel, "rms_norm").first?.values[0] ?? calibration.launch()
    return calibration.fit(
      shape, SIMD8(launch, calibration.figures.secondsPerByte, 0, 0, 0, 0, 0, 0), .dataSheet)
  }
}
