import CostModels
import Support

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
    try gemm() + moe() + prefillAttention() + decodeAttention() + allReduce() + elementwise()
  }

  /// Fits a linear form to the measurements of one shape.
  ///
  /// - Parameters:
  ///   - kernel: The kernel.
  ///   - dimensions: The shape.
  ///   - samples: The measurements.
  ///   - count: How many of the eight features there are.
  ///   - measured: Quantities whose ranges are to be kept.
  /// - Returns: The fit, and the relative errors on the held-out samples.
  /// - Throws: `CalibrationError.tooFewRows`.
  func fit(
    _ kernel: Kernel, _ dimensions: [Int], _ samples: [RelativeFit.Sample], count: Int, measured: [[Double]]
  ) throws(CalibrationError) -> (shape: FittedShape, errors: [Double]) {
    let features = (0..<count).filter { feature in samples.contains { $0.features[feature] != 0 } }
    try check(kernel, dimensions, rows: samples.count, needed: 2 * features.count)
    let errors = RelativeFit.heldOutErrors(samples, count: count)
    let fit = RelativeFit(samples, count: count)
    return (shape(dimensions, fit, rows: samples.count, errors: errors, measured: measured), errors)
  }

  /// Refuses too few measurements.
  func check(_ kernel: Kernel, _ dimensions: [Int], rows: Int, needed: Int) throws(CalibrationError) {
    guard rows >= needed else {
      let name = "\(kernel.rawValue) \(dimensions.map(String.init).joined(separator: " x "))"
      let path = source(of: kernel)
      throw .tooFewRows(
        path: path.isEmpty ? measurements.gpu : path, kernel: name, rows: rows, needed: needed)
    }
  }

  /// The table that a kernel's measurements come from.
  func table(of kernel: Kernel) -> String {
    switch kernel {
    case .gemm, .gemmBetweenShapes, .gemmAllShapes: "gemm"
    case .moe, .moeAllShapes: "moe"
    case .prefillAttention, .prefillAttentionPrefix, .windowedPrefillAttention: "prefill_attention"
    case .decodeAttention, .windowedDecodeAttention: "decode_attention"
    case .allReduce: "all_reduce"
    case .elementwise: "kernels"
    }
  }

  /// The file that a kernel's measurements come from, or the files.
  func source(of kernel: Kernel) -> String {
    let names = ["/kernels.csv", "/\(table(of: kernel)).csv"]
    return measurements.files.map(\.path).filter { path in names.contains { path.hasSuffix($0) } }
      .joined(separator: " + ")
  }

  /// A shape's fit, rounded to what a calibration keeps.
  func shape(
    _ dimensions: [Int], _ fit: RelativeFit, rows: Int, errors: [Double], measured: [[Double]]
  ) -> FittedShape {
    FittedShape(
      dimensions: dimensions, values: fit.values.map { rounded($0) },
      standardErrors: fit.standardErrors.map { rounded($0, digits: 3) }, rows: rows,
      heldOut: ErrorSummary(errors),
      measured: measured.map { [rounded($0.min() ?? 0), rounded($0.max() ?? 0)] })
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
