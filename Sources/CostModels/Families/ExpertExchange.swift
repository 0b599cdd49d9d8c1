import Serving
import Systems

/// How rows get to the experts of other ranks, and back: where ranks have sequences of their own, none has all rows.
///
/// `min over the ways of t0 + bytes · b`, of the rank with most rows. The bytes are what its rows come to, a copy for each
/// expert that they go to, or for each rank if those are fewer: the way in which the measured tables count. Rows go to
/// experts in the format that those multiply in, and come back in 16 bits. Where experts are sliced, every row goes to
/// every GPU.
///
/// The coefficients are no calibration's: they come from `exchanges.csv` of the profiles, by GPU and number of GPUs.
public enum ExpertExchange: KernelFamily {
  /// There, or back.
  public enum Phase: String, Sendable, Hashable, CaseIterable {
    /// Rows go to their experts.
    case dispatch
    /// What comes of them goes back, and is added up.
    case combine
  }

  /// What an exchange among some GPUs takes.
  public struct Law: Sendable, Hashable {
    /// Launch and time of a byte each, of up to two ways to dispatch; a second way that is missing is the first.
    public let dispatch: SIMD4<Double>
    /// The same for the way back.
    public let combine: SIMD4<Double>
    /// How the figures came about.
    public let quality: Quality

    /// Creates a law.
    ///
    /// - Parameters:
    ///   - dispatch: ways to dispatch, one or two, each in seconds and seconds a byte.
    ///   - combine: ways back.
    ///   - quality: how the figures came about.
    public init(
      dispatch: [(launch: Double, perByte: Double)], combine: [(launch: Double, perByte: Double)],
      quality: Quality
    ) {
      func ways(_ all: [(launch: Double, perByte: Double)]) -> SIMD4<Double> {
        precondition((1...2).contains(all.count), "one or two ways")
        return SIMD4(all[0].launch, all[0].perByte, all[all.count - 1].launch, all[all.count - 1].perByte)
      }
      self.dispatch = ways(dispatch)
      self.combine = ways(combine)
      self.quality = quality
    }

    /// What eight H200 take with DeepEP's kernels; for GPUs of which nothing is known.
    public static let estimate = Law(
      dispatch: [(10.2e-6, 3.66e-12), (27.0e-6, 2.21e-12)],
      combine: [(10.2e-6, 3.97e-12), (38.8e-6, 1.99e-12)], quality: .estimate)
  }

  /// One of the two exchanges of a layer.
  public struct Shape: KernelShape {
    /// The family.
    public typealias Family = ExpertExchange
    /// There, or back.
    public var phase: Phase
    /// GPUs that take part.
    public var gpus: Int
    /// GPUs of a rank, which share its rows.
    public var gpusOfRank: Int
    /// Copies of a row.
    public var copies: Int
    /// Width of the residual stream.
    public var hidden: Int
    /// What the row goes to its experts in.
    public var format: WeightFormat
    /// What it takes.
    public var law: Law

    /// Creates the shape of an exchange in front of, or behind, some experts.
    public init(
      _ phase: Phase, of experts: Experts.Shape, gpusOfRank: Int, dataParallel: Int, law: Law
    ) {
      self.phase = phase
      self.gpusOfRank = gpusOfRank
      gpus = gpusOfRank * dataParallel
      copies = experts.ranks > 1 ? min(experts.topK, experts.ranks) : gpus
      hidden = experts.hidden
      format = experts.format
      self.law = law
    }

    /// The name in results.
    public var kernel: String { "exchange" }
    /// There, or back.
    public var type: String { phase.rawValue }
    /// GPUs that take part.
    public var dimensions: [Int] { [gpus] }
    /// The sizes, for tables.
    public var description: String { "\(copies) x \(hidden) among \(gpus) GPUs" }

    /// Bytes of a row.
    public var bytesPerRow: Double {
      let bytes = phase == .combine || !format.multipliesNarrow ? 2 : format.bytesPerActivation
      return Double(hidden) * bytes
    }

    /// Bytes that a GPU sends of its share of some rows.
    public func bytes(rows: Double) -> Double { rows / Double(gpusOfRank) * Double(copies) * bytesPerRow }
  }

  /// Rows of a rank.
  public typealias Work = Double

  /// Names and units of the coefficients.
  public static let coefficients: [FittedKernel.Coefficient] = [
    .init(name: "t0", unit: "s"), .init(name: "b", unit: "s/B"), .init(name: "t0_2", unit: "s"),
    .init(name: "b_2", unit: "s/B"),
  ]
  /// Names of the coordinates.
  public static let ranges = ["rows"]

  /// The faster of the ways.
  public static func seconds(
    _ coefficients: SIMD8<Double>, _ shape: Shape, _ rows: Double, on device: DeviceFigures
  ) -> Seconds {
    guard rows > 0 else { return 0 }
    let bytes = shape.bytes(rows: rows)
    return min(coefficients[0] + bytes * coefficients[1], coefficients[2] + bytes * coefficients[3])
  }

  /// A GPU sends its rows, and receives as many.
  public static func traffic(_ shape: Shape, _ rows: Double) -> KernelTraffic {
    KernelTraffic(activationBytes: 2 * shape.bytes(rows: rows))
  }

  /// The rows.
  public static func coordinates(of shape: Shape, _ rows: Double) -> SIMD4<Double> { SIMD4(rows, 0, 0, 0) }

  /// Always: a straight line carries far, and tables reach from one row to 100,000.
  public static func isInside(_ ranges: MeasuredRanges, _ shape: Shape, _ rows: Double) -> Bool { true }

  /// The law of its shape.
  public static func find(_ shape: Shape, in calibration: Calibration) -> Fit<ExpertExchange> {
    let ways = shape.phase == .dispatch ? shape.law.dispatch : shape.law.combine
    return calibration.fit(
      shape, SIMD8(lowHalf: ways, highHalf: .zero), shape.law.quality == .measured ? .measured : .estimate)
  }
}

extension WeightFormat {
  /// Bytes of a number that a product with such weights takes, its share of the scale included, where that is no 16-bit
  /// number.
  fileprivate var bytesPerActivation: Double {
    switch self {
    case .nvfp4: 4.5 / 8
    case .mxfp4MXFP8: 1 + 1.0 / 32
    default: 1 + 4.0 / 128
    }
  }
}
