import CostModels

extension AllReduce: MeasuredFamily {
  /// A call, and what it took.
  struct Row: Sendable {
    var implementation: Implementation
    var gpus: Int
    var bytes: Double
    var seconds: Double
  }

  static let name = "all_reduce"
  static let table = "all_reduce"

  static func rows(of table: KernelTable) throws(CalibrationError) -> [Row] {
    let names = try table.texts("implementation")
    let gpus = try table.integers("gpus")
    let bytes = try table.numbers("bytes")
    let seconds = try table.seconds()
    var rows: [Row] = []
    // Launched one by one: engines' eager all-reduces have a floor of their own.
    for i in 0..<table.count where !names[i].hasSuffix("_eager") {
      guard let implementation = Implementation(rawValue: names[i]) else {
        let known = Implementation.allCases.map(\.rawValue).joined(separator: ", ")
        let problem = "implementation is '\(names[i])', expected one of: \(known)"
        throw .malformed(path: table.path, line: table.line(ofRow: i), problem: problem)
      }
      rows.append(Row(implementation: implementation, gpus: gpus[i], bytes: bytes[i], seconds: seconds[i]))
    }
    return rows
  }

  static func rows(of harness: [HarnessRow]) -> [Row] {
    harness.filter { $0.kernel == "all_reduce" }
      .map { Row(implementation: .nccl, gpus: $0.tp, bytes: $0.bytes, seconds: $0.seconds) }
  }

  static func key(_ row: Row) -> [String] { [row.implementation.rawValue, "\(row.gpus)"] }

  /// Fits each number of GPUs.
  static func fit(_ rows: [Row], _ calibrator: Calibrator) throws(CalibrationError) -> [FittedKernel] {
    var kernels: [FittedKernel] = []
    for (implementation, rows) in rows.grouped(by: \.implementation, { $0.rawValue < $1.rawValue }) {
      var shapes: [FittedShape] = []
      var errors: [HeldOutError] = []
      for (gpus, group) in rows.grouped(by: \.gpus, <) {
        let rows = group.sorted { $0.bytes < $1.bytes }
        let shape = Shape(implementation, gpus: gpus)
        let samples = rows.enumerated().map { index, row in
          RelativeFit.Sample(
            features: features(of: shape, row.bytes, on: calibrator.figures), seconds: row.seconds,
            isHeldOut: index % 2 == 1)
        }
        let fit = try calibrator.fit(self, name, [gpus], samples, measured: [rows.map(\.bytes)])
        shapes.append(fit.shape)
        errors += fit.errors
      }
      kernels.append(
        calibrator.kernel(
          self, name, implementation.rawValue,
          implementation == .nccl
            ? "t0 + bytes * b_1 (up to 1 MiB) or t0 + t_2 + bytes * b_2 (beyond), + sqrt(bytes) * r"
            : "t0 + bytes * b_1 (one-shot), t0 + t_2 + bytes * b_2 (two-shot) or t0 + t_3 + bytes * b_3 (beyond)",
          dimensions: ["gpus"], errors, bar(implementation), shapes))
    }
    return kernels
  }

  /// SGLang's and TensorRT-LLM's kernels go over from one shot to two elsewhere than vLLM's, whose limits are the law's.
  private static func bar(_ implementation: Implementation) -> ErrorBar {
    switch implementation {
    case .custom, .nccl: ErrorBar(median: 4, p90: 16)
    case .sglang, .trtllm: ErrorBar(median: 8, p90: 30)
    }
  }

  static func shape(_ kernel: FittedKernel, _ dimensions: [Int]) -> Shape? {
    guard kernel.kernel == name, let implementation = Implementation(rawValue: kernel.type) else {
      return nil
    }
    return Shape(implementation, gpus: dimensions[0])
  }

  static func typicalWork(_ shape: Shape, middle: Double) -> Double { middle }
}
