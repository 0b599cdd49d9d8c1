import Serving
import Systems

/// All-reduces among the GPUs of one node.
///
/// The coefficients are of
///
///     [1, B₁, [B₂ > 0], B₂, [B₃ > 0], B₃, √B]
///
/// in seconds, seconds per byte and seconds per √byte, where B is split by algorithm.
///
/// Engines' own kernels: B₁ if every GPU reads all of the others' data (one-shot), B₂ if each reduces a part and shares
/// it (two-shot), B₃ beyond its limit, where NCCL takes over. The limits are those of vLLM's kernel: `csrc/custom_all_reduce.cuh`
/// and `device_communicators/custom_all_reduce.py` of github.com/vllm-project/vllm.
///
/// NCCL: B₁ up to 1 MiB (its low-latency protocol; the measured tables bend there for 2, 4 and 8 GPUs alike), B₂
/// beyond, and √B, since a pipelined ring cut into the best number of pieces takes α + βB + 2√(αβB).
public enum AllReduce: LinearKernelFamily {
  /// Whose all-reduce it is.
  public enum Implementation: String, Codable, Sendable, Hashable, CaseIterable {
    /// vLLM's own kernel inside a CUDA graph.
    case custom
    /// SGLang's.
    case sglang
    /// TensorRT-LLM's.
    case trtllm
    /// NCCL.
    case nccl

    /// Whether it is an engine's own, for messages up to a limit.
    var isOwn: Bool { self != .nccl }

    /// What stands in for it where it was not measured, the best first.
    fileprivate var others: [Implementation] {
      (isOwn ? [.custom, .nccl] : [.custom]).filter { $0 != self }
    }
  }

  /// Whose all-reduce it is, and among how many GPUs.
  public struct Shape: KernelShape {
    /// The family.
    public typealias Family = AllReduce
    /// Whose all-reduce it is.
    public var implementation: Implementation
    /// GPUs that take part.
    public var gpus: Int
    /// The least time of a launch.
    public var floor: Seconds
    /// The time that the GPUs wait for the last of them.
    public var skew: Seconds

    /// Creates a shape.
    public init(_ implementation: Implementation, gpus: Int, floor: Seconds = 0, skew: Seconds = 0) {
      self.implementation = implementation
      self.gpus = gpus
      self.floor = floor
      self.skew = skew
    }

    /// The name in a calibration.
    public var kernel: String { "all_reduce" }
    /// The type in a calibration.
    public var type: String { implementation.rawValue }
    /// The sizes in a calibration.
    public var dimensions: [Int] { [gpus] }
    /// The sizes, for tables.
    public var description: String { "\(implementation), \(gpus) GPUs" }
  }

  /// Bytes that each GPU holds.
  public typealias Work = Double

  /// Names and units of the coefficients.
  public static let coefficients: [FittedKernel.Coefficient] = [
    .init(name: "t0", unit: "s"), .init(name: "b_1", unit: "s/B"), .init(name: "t_2", unit: "s"),
    .init(name: "b_2", unit: "s/B"), .init(name: "t_3", unit: "s"), .init(name: "b_3", unit: "s/B"),
    .init(name: "r", unit: "s/B^0.5"),
  ]
  /// Names of the coordinates.
  public static let ranges = ["bytes"]

  /// What the coefficients are multiplied by.
  public static func features(of shape: Shape, _ bytes: Double, on device: DeviceFigures) -> SIMD8<Double> {
    guard bytes > 0, shape.gpus > 1 else { return .zero }
    let kibi = 1024.0
    switch shape.implementation {
    case .nccl:
      let root = bytes.squareRoot()
      return bytes <= kibi * kibi
        ? SIMD8(1, bytes, 0, 0, 0, 0, root, 0) : SIMD8(1, 0, 1, bytes, 0, 0, root, 0)
    case .custom, .sglang, .trtllm:
      if bytes >= 8 * kibi * kibi { return SIMD8(1, 0, 0, 0, 1, bytes, 0, 0) }
      let oneShot = shape.gpus == 2 || bytes < (shape.gpus <= 4 ? 512 : 256) * kibi
      return oneShot ? SIMD8(1, bytes, 0, 0, 0, 0, 0, 0) : SIMD8(1, 0, 1, bytes, 0, 0, 0, 0)
    }
  }

  /// What the kernel takes, but no less than the floor, and the wait before.
  public static func seconds(
    _ coefficients: SIMD8<Double>, _ shape: Shape, _ bytes: Double, on device: DeviceFigures
  ) -> Seconds {
    guard bytes > 0, shape.gpus > 1 else { return 0 }
    return max(linearSeconds(coefficients, shape, bytes, on: device), shape.floor) + shape.skew
  }

  /// A GPU reads its own bytes, and reads or writes as many of the others'.
  public static func traffic(_ shape: Shape, _ bytes: Double) -> KernelTraffic {
    KernelTraffic(activationBytes: 2 * bytes)
  }

  /// The quantities whose measured ranges are kept.
  public static func coordinates(of shape: Shape, _ bytes: Double) -> SIMD4<Double> { SIMD4(bytes, 0, 0, 0) }

  /// The exact number of GPUs; else the nearest one's coefficients, or another implementation's.
  ///
  /// Where nobody measured an engine's own kernel, vLLM's counts as measured, as its other kernels do for all engines.
  public static func find(_ shape: Shape, in calibration: Calibration) -> Fit<AllReduce> {
    for candidate in [shape.implementation] + shape.implementation.others {
      let asked = Shape(candidate, gpus: shape.gpus, floor: shape.floor, skew: shape.skew)
      func distance(_ fitted: FittedShape) -> Int { abs(fitted.dimensions[0] - shape.gpus) }
      let shapes = calibration.shapes(of: asked.kernel, asked.type)
      guard let nearest = shapes.min(by: { distance($0) < distance($1) }) else { continue }
      guard !calibration.isOfDataSheet else {
        return calibration.fit(asked, nearest.vector, .dataSheet)
      }
      let isOwn = candidate == shape.implementation || shape.implementation.isOwn && candidate == .custom
      let isExact = isOwn && nearest.dimensions == shape.dimensions
      return calibration.fit(
        asked, nearest, isExact ? .measured : .neighbours, isExact ? nearest.heldOut : nil)
    }
    return calibration.fit(shape, .zero, .dataSheet)
  }
}
