import Glibc
import Serving
import Systems

/// Dense matrix products on one GPU: rows x k activations by k x n weights.
///
/// `t0 + ((bytes · b)³ + (flops · f · (1 + waste · q) · (1 + sustained · r))³)^⅓`: the two resources overlap, but not
/// perfectly, so that the cubic norm rounds the corner of the roofline. All of the weights are read in each call.
///
/// `waste` is what the last wave of tiles leaves idle: see ``waste(_:_:multiprocessors:)``. `sustained` goes from 0
/// for short launches to 1 for long ones, `1 − e^(−x / 0.5 ms)` of the time x that the operations take at the data
/// sheet's rate: in the runs that timed long launches the board had reached its power limit and lowered its clock. (Of
/// 187 shapes of an H200 between 64 and 700 us, timed once in short runs and once in runs of 0.3 to 1 s at 690 W, the
/// latter took 18 % longer, median; from 2 ms on both took the same.)
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
    /// The product, and the quantising of what goes in where that is narrow, too.
    public var launches: Int { format.multipliesNarrow ? 2 : 1 }
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
    public var type: String { format.measuredAs.rawValue }
    /// The sizes in a calibration.
    public var dimensions: [Int] { [n, k] }
    /// The sizes, for tables.
    public var description: String { "\(n) x \(k)" + (format == .bf16 ? "" : ", \(format.rawValue)") }
    /// Bytes of all weights on this GPU.
    public var weightBytes: Int { format.bytes(rows: n, columns: k) + (hasBias ? 2 * n : 0) }
  }

  /// Rows.
  public typealias Work = Double

  /// Names and units of the coefficients.
  public static let coefficients: [FittedKernel.Coefficient] = [
    .init(name: "t0", unit: "s"), .init(name: "b", unit: "s/B"), .init(name: "f", unit: "s/FLOP"),
    .init(name: "q", unit: ""), .init(name: "r", unit: ""),
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
    let (memory, arithmetic) = parts(coefficients, shape, rows, on: device)
    return coefficients[0] + cbrt(memory * memory * memory + arithmetic * arithmetic * arithmetic)
  }

  /// The share that arithmetic has in the cubic norm.
  public static func clockedShare(
    _ coefficients: SIMD8<Double>, _ shape: Shape, _ rows: Double, on device: DeviceFigures
  ) -> Double {
    guard rows > 0 else { return 0 }
    let (memory, arithmetic) = parts(coefficients, shape, rows, on: device)
    let cubes = (memory * memory * memory, arithmetic * arithmetic * arithmetic)
    let body = cbrt(cubes.0 + cubes.1)
    guard body > 0 else { return 0 }
    return cubes.1 / (cubes.0 + cubes.1) * body / (coefficients[0] + body)
  }

  /// Two of the coefficients are pure numbers.
  public static func scaled(_ coefficients: SIMD8<Double>, by factor: Double) -> SIMD8<Double> {
    coefficients * SIMD8(factor, factor, factor, 1, 1, 1, 1, 1)
  }

  /// What moving and computing take, each alone.
  private static func parts(
    _ coefficients: SIMD8<Double>, _ shape: Shape, _ rows: Double, on device: DeviceFigures
  ) -> (memory: Double, arithmetic: Double) {
    let operations = flops(shape, rows)
    let slower =
      (1 + coefficients[3] * waste(shape, rows, multiprocessors: device.multiprocessors))
      * (1 + coefficients[4] * sustained(operations / device.flops(shape.format)))
    return (bytes(shape, rows) * coefficients[1], operations * coefficients[2] * slower)
  }

  /// What multiprocessors leave idle, as a share of what they do: tiles come in whole ones, and in whole waves.
  ///
  /// Of eight usual tile sizes the one that wastes least counts; a waste above 1 counts as 1.
  ///
  /// - Complexity: O(1).
  package static func waste(_ shape: Shape, _ rows: Double, multiprocessors: Int) -> Double {
    let n = Double(shape.n)
    let units = Double(multiprocessors)
    var least = 1.0
    for (tall, wide) in tiles {
      let waves = ((rows / tall).rounded(.up) * (n / wide).rounded(.up) / units).rounded(.up)
      least = min(least, waves * units * tall * wide / (rows * n) - 1)
    }
    return least
  }

  private static let tiles = [
    (128.0, 256.0), (256, 128), (128, 128), (64, 256), (192, 128), (128, 192), (64, 128), (128, 64),
  ]

  /// How far a launch was slowed down, 0...1, in the run that timed it, by what its operations take at full rate.
  package static func sustained(_ seconds: Seconds) -> Double { -expm1(-seconds / 0.5e-3) }

  /// What a launch moves and computes.
  public static func traffic(_ shape: Shape, _ rows: Double) -> KernelTraffic {
    KernelTraffic(
      weightBytes: Double(shape.weightBytes), activationBytes: 2 * rows * Double(shape.n + shape.k),
      flops: flops(shape, rows), narrowFLOPs: shape.format.multipliesNarrow ? flops(shape, rows) : 0)
  }

  /// cuBLAS in 16 bits, where our own measurements and vLLM's differ by 2 %; in 8 bits SGLang's and TensorRT-LLM's kernels take
  /// 0.84 to 1.13 times as long as vLLM's.
  public static func spreadOfEngines(_ shape: Shape) -> Double {
    shape.format.multipliesNarrow ? Spread.enginesNarrowProducts : Spread.enginesProducts
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
  ///
  /// None of one row is shorter than the shortest that was measured.
  public static func find(_ shape: Shape, in calibration: Calibration) -> Fit<MatrixProduct> {
    if let exact = calibration.exact(shape) { return exact }
    let shapes = calibration.shapes(of: shape.kernel, shape.type)
    if let values = interpolate(shapes, n: shape.n, k: shape.k) {
      let errors = calibration.heldOut(betweenShapes, shape.type)
      var coefficients = SIMD8(padding: values)
      let device = calibration.figures
      // Neighbours that are larger may have put all of their time down to bytes: no launch is shorter than the shortest measured.
      let shortest = shapes.map { measured in
        let sizes = Shape(n: measured.dimensions[0], k: measured.dimensions[1], format: shape.format)
        return seconds(SIMD8(padding: measured.values), sizes, 1, on: device)
      }.min()
      coefficients[0] += max(0, (shortest ?? 0) - seconds(coefficients, shape, 1, on: device))
      return calibration.fit(shape, coefficients, .neighbours, errors)
    }
    if let any = calibration.shapes(of: allShapes, shape.type).first {
      return calibration.fit(shape, any, .allShapes, any.heldOut)
    }
    let launch =
      calibration.shapes(of: allShapes, WeightFormat.bf16.rawValue).first?.values.first
      ?? calibration.launch()
    let figures = calibration.figures
    return calibration.fit(
      shape, SIMD8(launch, figures.secondsPerByte, figures.secondsPerFLOP(shape.format), 0, 0, 0, 0, 0),
      .dataSheet)
  }
}
