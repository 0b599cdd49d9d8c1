import Systems

/// All fits of one kernel in one data type or implementation, and how good they are.
public struct FittedKernel: Codable, Sendable, Hashable {
  /// A name and its unit.
  public struct Coefficient: Codable, Sendable, Hashable {
    /// What the coefficient is of.
    public let name: String
    /// Its unit.
    public let unit: String

    package init(name: String, unit: String) {
      self.name = name
      self.unit = unit
    }
  }

  /// The kernel: a family, or one of its variants, such as `gemm_all_shapes`.
  public let kernel: String
  /// The data type (`bf16`), the implementation (`nccl`), or the name of an elementwise kernel.
  public let type: String
  /// The form of the fit, in words and symbols.
  public let formula: String
  /// How the coefficients were found: measured, or an estimate.
  public let quality: Quality
  /// The file that they come from, or the source of an estimate.
  public let source: String
  /// Names of the numbers in `FittedShape.dimensions`.
  public let dimensions: [String]
  /// Names and units of the numbers in `FittedShape.values`.
  public let coefficients: [Coefficient]
  /// Names of the quantities whose measured ranges the shapes keep.
  public let ranges: [String]
  /// The errors on held-out rows, all shapes together; nil for an estimate.
  public let heldOut: ErrorSummary?
  /// What is left of ``heldOut`` where the clock of the measurements counts in steps, half of one of which may be the
  /// measurement's; nil where no steps are known.
  public let beyondClock: ErrorSummary?
  /// The errors that the fit must stay below; nil where there is no bar.
  public let bar: ErrorBar?
  /// A fit for each shape.
  public let shapes: [FittedShape]

  package init(
    kernel: String, type: String, formula: String, quality: Quality, source: String, dimensions: [String],
    coefficients: [Coefficient], ranges: [String], heldOut: ErrorSummary?, beyondClock: ErrorSummary? = nil,
    bar: ErrorBar?,
    shapes: [FittedShape]
  ) {
    self.kernel = kernel
    self.type = type
    self.formula = formula
    self.quality = quality
    self.source = source
    self.dimensions = dimensions
    self.coefficients = coefficients
    self.ranges = ranges
    self.heldOut = heldOut
    self.beyondClock = beyondClock
    self.bar = bar
    self.shapes = shapes
  }

  enum CodingKeys: String, CodingKey {
    case kernel, type, formula, quality, source, dimensions, coefficients, ranges, bar, shapes
    case heldOut = "held_out"
    case beyondClock = "beyond_clock"
  }
}
