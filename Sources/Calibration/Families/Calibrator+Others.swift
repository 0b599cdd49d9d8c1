import CostModels
import Support
import Systems

extension Calibrator {
  /// Fits all-reduces, each number of GPUs.
  func allReduce() throws(CalibrationError) -> [FittedKernel] {
    var kernels: [FittedKernel] = []
    for (implementation, rows) in measurements.allReduce.grouped(
      by: \.implementation, { $0.rawValue < $1.rawValue })
    {
      var shapes: [FittedShape] = []
      var errors: [Double] = []
      for (gpus, group) in rows.grouped(by: \.gpus, <) {
        let rows = group.sorted { $0.bytes < $1.bytes }
        let samples = rows.enumerated().map { index, row in
          RelativeFit.Sample(
            features: AllReduceFit.features(implementation, gpus: gpus, bytes: row.bytes),
            seconds: row.seconds,
            isHeldOut: index % 2 == 1)
        }
        let fit = try fit(.allReduce, [gpus], samples, count: 7, measured: [rows.map(\.bytes)])
        shapes.append(fit.shape)
        errors += fit.errors
      }
      kernels.append(
        FittedKernel(
          kernel: .allReduce, type: implementation.rawValue,
          formula: implementation == .nccl
            ? "t0 + bytes * b_1 (up to 1 MiB) or t0 + t_2 + bytes * b_2 (beyond), + sqrt(bytes) * r"
            : "t0 + bytes * b_1 (one-shot), t0 + t_2 + bytes * b_2 (two-shot) or t0 + t_3 + bytes * b_3 (beyond)",
          quality: .measured, source: source(of: .allReduce), dimensions: ["gpus"],
          coefficients: [
            .init(name: "t0", unit: "s"), .init(name: "b_1", unit: "s/B"), .init(name: "t_2", unit: "s"),
            .init(name: "b_2", unit: "s/B"), .init(name: "t_3", unit: "s"), .init(name: "b_3", unit: "s/B"),
            .init(name: "r", unit: "s/B^0.5"),
          ], ranges: ["bytes"], heldOut: ErrorSummary(errors), bar: ErrorBar(median: 4, p90: 16),
          shapes: shapes))
    }
    return kernels
  }

  /// Fits kernels that stream through memory, as far as they were measured.
  func elementwise() throws(CalibrationError) -> [FittedKernel] {
    var kernels: [FittedKernel] = []
    for (name, group) in measurements.elementwise.grouped(by: \.kernel, <) {
      let rows = group.sorted { $0.bytes < $1.bytes }
      let samples = rows.enumerated().map { index, row in
        RelativeFit.Sample(
          features: SIMD8(1, row.bytes, 0, 0, 0, 0, 0, 0), seconds: row.seconds, isHeldOut: index % 2 == 1)
      }
      let fit = try fit(.elementwise, [], samples, count: 2, measured: [rows.map(\.bytes)])
      kernels.append(
        Self.elementwise(
          name, .measured, source(of: .elementwise), fit.shape, errors: ErrorSummary(fit.errors)))
    }
    return kernels
  }

  /// The kernels that stream through memory, by estimate.
  ///
  /// - Parameters:
  ///   - table: The columns kernel, launch_us and bandwidth_share, with the source of the estimates in `# note:`
  ///     lines.
  ///   - source: Where the table lies.
  /// - Returns: A kernel for each row.
  /// - Throws: `CalibrationError`, which names the file and the line.
  func estimates(_ table: KernelTable, source: String) throws(CalibrationError) -> [FittedKernel] {
    let names = try table.texts("kernel")
    let launches = try table.seconds("launch_us")
    let shares = try table.numbers("bandwidth_share")
    var kernels: [FittedKernel] = []
    for (i, name) in names.enumerated() {
      guard shares[i] > 0, shares[i] <= 1 else {
        let problem = "bandwidth_share is \(shares[i]), expected a share above 0 and up to 1"
        throw .malformed(path: table.path, line: table.line(ofRow: i), problem: problem)
      }
      let perByte = 1 / (figures.memoryBandwidth * shares[i])
      let shape = FittedShape(
        dimensions: [], values: [rounded(launches[i]), rounded(perByte)], standardErrors: [0, 0], rows: 0,
        heldOut: nil, measured: [])
      kernels.append(Self.elementwise(name, .estimate, source, shape, errors: nil))
    }
    return kernels
  }

  private static func elementwise(
    _ name: String, _ quality: FittedKernel.Quality, _ source: String, _ shape: FittedShape,
    errors: ErrorSummary?
  ) -> FittedKernel {
    FittedKernel(
      kernel: .elementwise, type: name, formula: "t0 + bytes * b", quality: quality, source: source,
      dimensions: [],
      coefficients: [.init(name: "t0", unit: "s"), .init(name: "b", unit: "s/B")],
      ranges: quality == .measured ? ["bytes"] : [], heldOut: errors, bar: nil, shapes: [shape])
  }
}
