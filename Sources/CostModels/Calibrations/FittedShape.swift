/// The fit of a kernel to the measurements of one shape.
public struct FittedShape: Codable, Sendable, Hashable {
  /// The shape, as numbers that `FittedKernel.dimensions` names; empty if the fit is for all shapes.
  public let dimensions: [Int]
  /// The coefficients; `FittedKernel.coefficients` names them and their units.
  public let values: [Double]
  /// The measurements that the coefficients were fitted to.
  public let rows: Int
  /// The errors on held-out rows of a fit to the others; nil for an estimate.
  public let heldOut: ErrorSummary?
  /// Least and greatest value of each of `FittedKernel.ranges` among the measurements.
  public let measured: [[Double]]
  /// What measured launches take, over what the coefficients say; nil where the coefficients alone are used.
  public let corrections: LaunchCorrections?

  package init(
    dimensions: [Int], values: [Double], rows: Int, heldOut: ErrorSummary?, measured: [[Double]],
    corrections: LaunchCorrections? = nil
  ) {
    self.corrections = corrections
    self.dimensions = dimensions
    self.values = values
    self.rows = rows
    self.heldOut = heldOut
    self.measured = measured
  }

  enum CodingKeys: String, CodingKey {
    case dimensions, values, rows, measured, corrections
    case heldOut = "held_out"
  }

  /// The range of a quantity that was measured; empty if it was not.
  package func range(_ index: Int) -> Range<Double> {
    guard measured.indices.contains(index), measured[index].count == 2 else { return 0..<0 }
    let least = measured[index][0]
    return least..<max(least, measured[index][1]).nextUp
  }

  /// The ranges of all quantities that were measured.
  package var ranges: [Range<Double>] { measured.indices.map { range($0) } }

  /// The coefficients, followed by zeros.
  package var vector: SIMD8<Double> { SIMD8(padding: values) }
}

extension SIMD8<Double> {
  /// Up to eight numbers, followed by zeros.
  init(padding values: [Double]) {
    self = .zero
    for (i, value) in values.prefix(8).enumerated() { self[i] = value }
  }
}
