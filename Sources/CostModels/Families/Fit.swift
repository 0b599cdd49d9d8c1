import Serving
import Systems

/// A family's coefficients for one shape, how they were found, and where they hold.
///
///     let fit = calibration.fit(MatrixProduct.Shape(n: 5120, k: 2048))
///     fit.seconds(512)        // 0.0000146...
///     fit.quality             // .measured
///
/// A small value; evaluating it allocates nothing.
public struct Fit<Family: KernelFamily>: Sendable, Hashable {
  /// The shape.
  public let shape: Family.Shape
  /// The coefficients in the order of the family's, then zeros.
  public private(set) var coefficients: SIMD8<Double>
  /// How the coefficients were found.
  public let quality: Quality
  /// The launches that were measured; none unless this very shape was.
  public let measured: MeasuredRanges
  /// The errors, on rows that they have not seen, of fits found as this one was; nil if that was never tried.
  public let heldOut: ErrorSummary?
  /// What the measured launches take over what the coefficients say; nil where there are none of this very shape.
  public let corrections: LaunchCorrections?
  /// The GPU.
  public let device: DeviceFigures

  package init(
    _ shape: Family.Shape, coefficients: SIMD8<Double>, quality: Quality, measured: MeasuredRanges = .nothing,
    heldOut: ErrorSummary? = nil, corrections: LaunchCorrections? = nil, device: DeviceFigures
  ) {
    self.corrections = corrections
    self.shape = shape
    self.coefficients = coefficients
    self.quality = quality
    self.measured = measured
    self.heldOut = heldOut
    self.device = device
  }

  /// The time of a launch; 0 without work.
  public func seconds(_ work: Family.Work) -> Seconds {
    let seconds = Family.seconds(coefficients, shape, work, on: device)
    guard let corrections, let place = Family.corrected(shape, work) else { return seconds }
    return seconds * corrections.factor(rows: place.rows, skew: place.skew)
  }

  /// What a launch moves and computes.
  public func traffic(_ work: Family.Work) -> KernelTraffic { Family.traffic(shape, work) }

  /// Whether a launch lies inside what was measured for this very shape.
  public func isMeasured(_ work: Family.Work) -> Bool {
    quality == .measured && Family.isInside(measured, shape, work)
  }

  /// The same kernel, all of whose launches take `factor` times as long.
  public func scaled(by factor: Double) -> Fit {
    var copy = self
    copy.coefficients = Family.scaled(coefficients, by: factor)
    return copy
  }

  /// The same fit with other coefficients, which its features are counted otherwise for.
  func replacing(_ coefficients: SIMD8<Double>) -> Fit {
    var copy = self
    copy.coefficients = coefficients
    return copy
  }

  /// The standard deviation of the logarithm of the true time over the predicted one.
  public var spread: Double { Spread.ofFit(quality, heldOut) }
}

/// The ranges of up to four quantities, each with its bounds.
public struct MeasuredRanges: Sendable, Hashable {
  private var lower: SIMD4<Double>
  private var upper: SIMD4<Double>

  /// Ranges that nothing lies in.
  public static let nothing = MeasuredRanges([0..<0, 0..<0, 0..<0, 0..<0])

  /// Creates ranges; quantities beyond their number are not bounded.
  public init(_ ranges: [Range<Double>]) {
    lower = SIMD4(repeating: -.infinity)
    upper = SIMD4(repeating: .infinity)
    for (i, range) in ranges.prefix(4).enumerated() {
      lower[i] = range.lowerBound
      upper[i] = range.upperBound
    }
  }

  /// One of the ranges.
  public subscript(index: Int) -> Range<Double> { lower[index]..<upper[index] }

  /// Whether each quantity lies in its range.
  public func contains(_ point: SIMD4<Double>) -> Bool { all((point .>= lower) .& (point .< upper)) }
}
