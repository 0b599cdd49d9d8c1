import Glibc
import Serving
import Systems

/// Dense matrix products on one GPU: rows x k activations by k x n weights.
///
/// `t0 + ((bytes · b)³ + (flops · f)³)^⅓`: the two resources overlap, but not perfectly, so that the cubic norm
/// rounds the corner of the roofline. All of the weights are read in each call.
public enum MatrixProduct: KernelFamily {
  /// The sizes of the weights.
  public struct Shape: KernelShape {
    /// The family.
    public typealias Family = MatrixProduct
    /// Output features on this GPU.
    public var n: Int
    /// Input features on this GPU.
    public var k: Int
    /// How the weights are stored.
    public var format: WeightFormat
    /// Whether there is a bias of 16 bits for each output feature; its time is not counted.
    public var hasBias: Bool

    /// Creates a shape.
    public init(n: Int, k: Int, format: WeightFormat = .bf16, hasBias: Bool = false) {
      self.n = n
      self.k = k
      self.format = format
      self.hasBias = hasBias
    }

    /// The name in a calibration.
    public var kernel: String { "gemm" }
    /// The type in a calibration.
    public var type: String { format.rawValue }
    /// The sizes in a calibration.
    public var dimensions: [Int] { [n, k] }
    /// The sizes, for tables.
    public var description: String { "\(n) x \(k)" }
    /// Bytes of all weights on this GPU.
    public var weightBytes: Int { format.bytes(rows: n, columns: k) + (hasBias ? 2 * n : 0) }
  }

  /// Rows.
  public typealias Work = Double

  /// Names and units of the coefficients.
  public static let coefficients: [FittedKernel.Coefficient] = [
    .init(name: "t0", unit: "s"), .init(name: "b", unit: "s/B"), .init(name: "f", unit: "s/FLOP"),
  ]
  /// Names of the coordinates.
  public static let ranges = ["rows"]

  /// The name of the interpolation between shapes in a calibration.
  package static let betweenShapes = "gemm_between_shapes"
  /// The name of the fit for all shapes in a calibration.
  package static let allShapes = "gemm_all_shapes"

  /// The time of a launch; 0 without work.
  public static func seconds(
    _ coefficients: SIMD8<Double>, _ shape: Shape, _ rows: Double, on device: DeviceFigures
  ) -> Seconds {
    guard rows > 0 else { return 0 }
    let memory = bytes(shape, rows) * coefficients[1]
    let arithmetic = flops(shape, rows) * coefficients[2]
    return coefficients[0] + cbrt(memory * memory * memory + arithmetic * arithmetic * arithmetic)
  }

  /// What a launch moves and computes.
  public static func traffic(_ shape: Shape, _ rows: Double) -> KernelTraffic {
    KernelTraffic(
      weightBytes: Double(shape.weightBytes), activationBytes: 2 * rows * Double(shape.n + shape.k),
      flops: flops(shape, rows))
  }

  /// The quantities whose measured ranges are kept.
  public static func coordinates(of shape: Shape, _ rows: Double) -> SIMD4<Double> { SIMD4(rows, 0, 0, 0) }

  /// Bytes read and written by a call: the weights once, and its 16-bit activations.
  package static func bytes(_ shape: Shape, _ rows: Double) -> Double {
    Double(shape.n) * Double(shape.k) * shape.format.bytesPerWeight + rows * Double(shape.n + shape.k) * 2
  }

  /// Floating-point operations of a call.
  package static func flops(_ shape: Shape, _ rows: Double) -> Double {
    2 * rows * Double(shape.n) * Double(shape.k)
  }

  /// The exact shape; else coefficients interpolated between its neighbours in log n and log k, or those of the nearest
  /// edge up to a factor of four beyond it (a vocabulary is wider than any measured shape); else one fit for all
  /// shapes; and for formats that were not measured, the data sheet.
  public static func find(_ shape: Shape, in calibration: Calibration) -> Fit<MatrixProduct> {
    if let exact = calibration.exact(shape) { return exact }
    let shapes = calibration.shapes(of: shape.kernel, shape.type)
    if let values = interpolate(shapes, n: shape.n, k: shape.k) {
      let errors = calibration.heldOut(betweenShapes, shape.type)
      return calibration.fit(shape, SIMD8(padding: values), .neighbours, errors)
    }
    if let any = calibration.shapes(of: allShapes, shape.type).first {
      return calibration.fit(shape, any, .allShapes, any.heldOut)
    }
    let launch = calibration.shapes(of: allShapes, WeightFormat.bf16.rawValue).first?.values.first ?? 0
    let figures = calibration.figures
    return calibration.fit(
      shape, SIMD8(launch, figures.secondsPerByte, 1 / figures.flops(shape.format), 0, 0, 0, 0, 0), .dataSheet
    )
  }
}
