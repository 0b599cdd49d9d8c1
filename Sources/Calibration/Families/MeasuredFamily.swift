import CostModels

/// A family whose coefficients are fitted to tables: what a measurement is, where it stands, and how it is fitted.
protocol MeasuredFamily: KernelFamily {
  /// One measurement.
  associatedtype Row: Sendable

  /// The family's name in a calibration.
  static var name: String { get }
  /// Names of what is judged apart from ``name`` and may be missing.
  static var judgedApart: [String] { get }
  /// The family's own table, without `.csv`; `kernels` where only the project's own harness measures it.
  static var table: String { get }
  /// Reads the family's own table.
  static func rows(of table: KernelTable) throws(CalibrationError) -> [Row]
  /// Picks the family's measurements among those of the project's own harness.
  ///
  /// Where a kernel has several implementations, the fastest for the shape counts, as in a tuned engine.
  static func rows(of harness: [HarnessRow]) -> [Row]
  /// What a row is a measurement of: another source adds only what the first one lacks.
  static func key(_ row: Row) -> [String]
  /// Fits the measurements.
  static func fit(_ rows: [Row], _ calibrator: Calibrator) throws(CalibrationError) -> [FittedKernel]
  /// The shape of a fit that stands in a calibration; nil for one of all shapes.
  static func shape(_ kernel: FittedKernel, _ dimensions: [Int]) -> Shape?
  /// A typical launch, by which calibrations are compared; `middle` is that of the first measured range.
  static func typicalWork(_ shape: Shape, middle: Double) -> Work
}

extension MeasuredFamily {
  /// Nothing.
  static var judgedApart: [String] { [] }
}

/// The families that calibrations are made of, in their order.
let measuredFamilies: [any MeasuredFamily.Type] = [
  MatrixProduct.self, Experts.self, PrefillAttention.self, DecodeAttention.self, AllReduce.self,
  Elementwise.self,
]

/// A family's measurements, whatever the family.
protocol Measurements: Sendable {
  mutating func read(_ table: KernelTable) throws(CalibrationError)
  mutating func read(_ harness: [HarnessRow])
  mutating func addNew(of other: any Measurements)
  func fit(_ calibrator: Calibrator) throws(CalibrationError) -> [FittedKernel]
}

/// The measurements of one family.
struct FamilyMeasurements<Family: MeasuredFamily>: Measurements {
  var rows: [Family.Row] = []

  mutating func read(_ table: KernelTable) throws(CalibrationError) { rows += try Family.rows(of: table) }

  mutating func read(_ harness: [HarnessRow]) { rows += Family.rows(of: harness) }

  mutating func addNew(of other: any Measurements) {
    guard let other = other as? FamilyMeasurements else { return }
    let known = Set(rows.map(Family.key))
    rows += other.rows.filter { !known.contains(Family.key($0)) }
  }

  func fit(_ calibrator: Calibrator) throws(CalibrationError) -> [FittedKernel] {
    try Family.fit(rows, calibrator)
  }
}

extension MeasuredFamily {
  /// Room for the family's measurements.
  static func noMeasurements() -> any Measurements { FamilyMeasurements<Self>() }
}
