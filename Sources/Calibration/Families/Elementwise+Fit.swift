import CostModels
import Support
import Systems

extension Elementwise: MeasuredFamily {
  /// A launch, and what it took.
  struct Row: Sendable {
    var kernel: String
    var bytes: Double
    var seconds: Double
  }

  static let name = "elementwise"
  static let table = "kernels"

  /// None: there are only the harness's measurements, and estimates.
  static func rows(of table: KernelTable) throws(CalibrationError) -> [Row] { [] }

  static func rows(of harness: [HarnessRow]) -> [Row] {
    let kernels: Set = [
      "embedding", "rms_norm", "qk_norm_rope_kv", "router_topk", "permute", "silu_mul", "combine", "sampling",
    ]
    return harness.filter { kernels.contains($0.kernel) && $0.bytes > 0 }
      .grouped(by: { [$0.kernel, $0.model, "\($0.tp)", "\($0.m)"] }, { $0.lexicographicallyPrecedes($1) })
      .compactMap { $0.1.min { $0.seconds < $1.seconds } }
      .map { Row(kernel: $0.kernel, bytes: $0.bytes, seconds: $0.seconds) }
  }

  static func key(_ row: Row) -> [String] { [row.kernel] }

  /// Fits kernels that stream through memory, as far as they were measured.
  static func fit(_ rows: [Row], _ calibrator: Calibrator) throws(CalibrationError) -> [FittedKernel] {
    var kernels: [FittedKernel] = []
    for (type, group) in rows.grouped(by: \.kernel, <) {
      let rows = group.sorted { $0.bytes < $1.bytes }
      let samples = rows.enumerated().map { index, row in
        RelativeFit.Sample(
          features: features(of: Shape(type), Work(activationBytes: row.bytes), on: calibrator.figures),
          seconds: row.seconds, isHeldOut: index % 2 == 1)
      }
      let fit = try calibrator.fit(self, name, [], samples, measured: [rows.map(\.bytes)])
      kernels.append(
        calibrator.kernel(self, name, type, formula, dimensions: [], fit.errors, nil, [fit.shape]))
    }
    return kernels
  }

  private static let formula = "t0 + bytes * b"

  /// The kernels that stream through memory, by estimate.
  ///
  /// - Parameters:
  ///   - table: The columns kernel, launch_us and bandwidth_share, with the source of the estimates in `# note:`
  ///     lines.
  ///   - source: Where the table lies.
  ///   - figures: The GPU's bandwidth.
  /// - Returns: A kernel for each row.
  /// - Throws: `CalibrationError`, which names the file and the line.
  static func estimates(
    _ table: KernelTable, source: String, figures: DeviceFigures
  ) throws(CalibrationError) -> [FittedKernel] {
    let names = try table.texts("kernel")
    let launches = try table.seconds("launch_us")
    let shares = try table.numbers("bandwidth_share")
    var kernels: [FittedKernel] = []
    for (i, type) in names.enumerated() {
      guard shares[i] > 0, shares[i] <= 1 else {
        let problem = "bandwidth_share is \(shares[i]), expected a share above 0 and up to 1"
        throw .malformed(path: table.path, line: table.line(ofRow: i), problem: problem)
      }
      let perByte = 1 / (figures.memoryBandwidth * shares[i])
      let shape = FittedShape(
        dimensions: [], values: [rounded(launches[i]), rounded(perByte)], rows: 0, heldOut: nil, measured: [])
      kernels.append(
        FittedKernel(
          kernel: name, type: type, formula: formula, quality: .estimate, source: source, dimensions: [],
          coefficients: coefficients, ranges: [], heldOut: nil, bar: nil, shapes: [shape]))
    }
    return kernels
  }

  static func shape(_ kernel: FittedKernel, _ dimensions: [Int]) -> Shape? {
    kernel.kernel == name ? Shape(kernel.type) : nil
  }

  static func typicalWork(_ shape: Shape, middle: Double) -> Work { Work(activationBytes: 1_048_576) }
}
