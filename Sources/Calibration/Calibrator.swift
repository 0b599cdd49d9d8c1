import CostModels
import Support
import Systems

/// Fits the kernels of one GPU.
///
/// Each kernel is fitted twice: to every second measurement, whose errors on the others are reported, and then to
/// all of them. Which measurements are held out follows from their place in the table: every second number of
/// rows of a matrix product or an MoE layer, every second size of an all-reduce, and the black squares of the
/// board of batch and length for attention.
struct Calibrator {
  /// What is fitted.
  let measurements: KernelMeasurements
  /// What the fits need to know of the GPU.
  let figures: DeviceFigures

  /// All fits that the measurements allow.
  func kernels() throws(CalibrationError) -> [FittedKernel] {
    var kernels: [FittedKernel] = []
    for family in measurements.families { kernels += try family.fit(self) }
    return kernels
  }

  /// Fits a linear form to the measurements of one shape.
  ///
  /// - Parameters:
  ///   - family: The family, whose coefficients are sought.
  ///   - kernel: The kernel's name in the calibration.
  ///   - dimensions: The shape.
  ///   - samples: The measurements.
  ///   - measured: Quantities whose ranges are to be kept.
  ///   - places: Where ``LaunchCorrections`` keep each sample; nil of one that they leave out, and of all for none.
  /// - Returns: The fit, and the relative errors on the held-out samples.
  /// - Throws: `CalibrationError.tooFewRows`.
  func fit<Family: MeasuredFamily>(
    _ family: Family.Type, _ kernel: String, _ dimensions: [Int], _ samples: [RelativeFit.Sample],
    measured: [[Double]], places: [CorrectedPlace?]? = nil
  ) throws(CalibrationError) -> (shape: FittedShape, errors: [HeldOutError]) {
    let count = Family.coefficients.count
    let features = (0..<count).filter { feature in samples.contains { $0.features[feature] != 0 } }
    try check(kernel, dimensions, table: Family.table, rows: samples.count, needed: 2 * features.count)
    let fit = RelativeFit(samples, count: count)
    guard let places else {
      let errors = RelativeFit.heldOutErrors(samples, count: count)
      return (shape(dimensions, fit, rows: samples.count, errors: errors, measured: measured), errors)
    }
    let half = RelativeFit(samples.filter { !$0.isHeldOut }, count: count)
    let seen = LaunchCorrections(of: samples, under: half, at: places) { !$0.isHeldOut }
    let errors = zip(samples, places).filter(\.0.isHeldOut).map { sample, place in
      let factor = place.map { seen.factor(rows: $0.rows, skew: $0.isSkewed ? 1 : 0) } ?? 1
      return HeldOutError(
        relative: half.predict(sample.features) * factor / sample.seconds - 1, seconds: sample.seconds)
    }
    let all = LaunchCorrections(of: samples, under: fit, at: places) { _ in true }
    let shape = shape(
      dimensions, fit, rows: samples.count, errors: errors, measured: measured,
      corrections: all.even.isEmpty && all.skewed.isEmpty ? nil : all)
    return (shape, errors)
  }

  /// Refuses too few measurements.
  func check(
    _ kernel: String, _ dimensions: [Int], table: String, rows: Int, needed: Int
  ) throws(CalibrationError) {
    guard rows >= needed else {
      let name = "\(kernel) \(dimensions.map(String.init).joined(separator: " x "))"
      let path = source(of: table)
      throw .tooFewRows(
        path: path.isEmpty ? measurements.gpu : path, kernel: name, rows: rows, needed: needed)
    }
  }

  /// The format of weights that a family's table names.
  func format<Family: MeasuredFamily>(
    _ type: String, of family: Family.Type
  ) throws(CalibrationError) -> WeightFormat {
    guard let format = WeightFormat(rawValue: type) else {
      let known = WeightFormat.allCases.map(\.rawValue).joined(separator: ", ")
      let problem = "dtype is '\(type)', expected one of: \(known)"
      throw .malformed(path: source(of: Family.table), line: 0, problem: problem)
    }
    return format
  }

  /// The file that a table's measurements come from, or the files.
  func source(of table: String) -> String {
    let names = ["/kernels.csv", "/\(table).csv"]
    return measurements.files.map(\.path).filter { path in names.contains { path.hasSuffix($0) } }
      .joined(separator: " + ")
  }

  /// A family's fits of one type, as a calibration keeps them.
  func kernel<Family: MeasuredFamily>(
    _ family: Family.Type, _ kernel: String, _ type: String, _ formula: String, dimensions: [String],
    _ errors: [HeldOutError], _ bar: ErrorBar?, _ shapes: [FittedShape], table: String? = nil
  ) -> FittedKernel {
    FittedKernel(
      kernel: kernel, type: type, formula: formula, quality: .measured,
      source: source(of: table ?? Family.table),
      dimensions: dimensions, coefficients: Family.coefficients, ranges: Family.ranges,
      heldOut: ErrorSummary(errors), beyondClock: beyondClock(errors), bar: bar, shapes: shapes)
  }

  /// What is left of errors where the clock of the tables counts in steps: half of one may be the measurement's.
  func beyondClock(_ errors: [HeldOutError]) -> ErrorSummary? {
    MeasuringClock.step(of: measurements.gpu).flatMap { ErrorSummary(errors, beyond: $0 / 2) }
  }

  /// A shape's fit, rounded to what a calibration keeps.
  func shape(
    _ dimensions: [Int], _ fit: RelativeFit, rows: Int, errors: [HeldOutError], measured: [[Double]],
    corrections: LaunchCorrections? = nil
  ) -> FittedShape {
    FittedShape(
      dimensions: dimensions, values: fit.values.map { rounded($0) }, rows: rows,
      heldOut: ErrorSummary(errors),
      measured: measured.map { [rounded($0.min() ?? 0), rounded($0.max() ?? 0)] },
      corrections: corrections)
  }

  /// Numbers the distinct values of a quantity in ascending order.
  func ranks(_ values: [Int]) -> [Int: Int] {
    Dictionary(uniqueKeysWithValues: Set(values).sorted().enumerated().map { ($1, $0) })
  }
}

extension Sequence {
  /// The elements in groups of the same key, groups in ascending order of their keys, elements in their own.
  func grouped<Key: Hashable>(by key: (Element) -> Key, _ ascending: (Key, Key) -> Bool) -> [(Key, [Element])]
  {
    Dictionary(grouping: self, by: key).sorted { ascending($0.key, $1.key) }.map { ($0.key, $0.value) }
  }
}
