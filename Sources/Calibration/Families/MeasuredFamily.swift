import CostModels
import Foundation

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
  /// Further tables of the family, without `.csv`.
  static var furtherTables: [String] { get }
  /// Reads the family's own table, or a further one.
  static func rows(of table: KernelTable) throws(CalibrationError) -> [Row]
  /// Picks the family's measurements among those of the project's own harness.
  ///
  /// Where a kernel has several implementations, the fastest for the shape counts, as in a tuned engine.
  static func rows(of harness: [HarnessRow]) -> [Row]
  /// What a row is a measurement of: another source adds only what the first one lacks.
  static func key(_ row: Row) -> [String]
  /// What tells a launch from others of its ``key(_:)``, for kernels of which the faster source counts; nil for others.
  ///
  /// Latent attention is one: on GPUs before Blackwell SGLang's tables hold back ends that reach a third of the arithmetic
  /// rate, or a tenth of the bandwidth, of TensorRT-LLM's; on Blackwell both are alike.
  static func launch(_ row: Row) -> [Int]?
  /// The time of a measurement.
  static func seconds(of row: Row) -> Double
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
  /// None.
  static var furtherTables: [String] { [] }
  /// None: the first source counts.
  static func launch(_ row: Row) -> [Int]? { nil }
  /// Not asked for.
  static func seconds(of row: Row) -> Double { 0 }
}

/// The families that calibrations are made of, in their order.
let measuredFamilies: [any MeasuredFamily.Type] = [
  MatrixProduct.self, Experts.self, PrefillAttention.self, DecodeAttention.self, AllReduce.self,
  Recurrence.self, Elementwise.self,
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
    let better = keysThatAreFaster(in: other)
    rows.removeAll { better.contains(Family.key($0)) }
    rows += other.rows.filter { !known.contains(Family.key($0)) || better.contains(Family.key($0)) }
  }

  /// What another source measured faster, in the geometric mean of the launches that both have, where that counts.
  private func keysThatAreFaster(in other: FamilyMeasurements) -> Set<[String]> {
    func times(_ rows: [Family.Row]) -> [[String]: [[Int]: Double]] {
      rows.reduce(into: [:]) { times, row in
        guard let launch = Family.launch(row) else { return }
        times[Family.key(row), default: [:]][launch] = Family.seconds(of: row)
      }
    }
    let (mine, others) = (times(rows), times(other.rows))
    return Set(
      mine.filter { key, launches in
        let ratios = launches.compactMap { launch, seconds in
          others[key]?[launch].map { log($0 / seconds) }
        }
        return !ratios.isEmpty && ratios.sorted().reduce(0, +) < 0
      }.keys)
  }

  func fit(_ calibrator: Calibrator) throws(CalibrationError) -> [FittedKernel] {
    try Family.fit(rows, calibrator)
  }
}

extension MeasuredFamily {
  /// Room for the family's measurements.
  static func noMeasurements() -> any Measurements { FamilyMeasurements<Self>() }
}
