extension Calibration {
  /// Whether every kernel that has a bar stays below it on its held-out rows.
  public var meetsBars: Bool {
    kernels.allSatisfy { kernel in
      guard let bar = kernel.bar, let errors = kernel.heldOut else { return true }
      return bar.isMet(by: errors)
    }
  }

  /// A table of the kernels: how many measurements, how far off the fits are on the held-out ones, and whether
  /// that is within the bars.
  public func report() -> String {
    let header = ["kernel", "type", "shapes", "held out", "median %", "P90 %", "worst %", "bar", ""]
    var rows = [header]
    for kernel in kernels {
      guard let errors = kernel.heldOut else { continue }
      var verdict = ["", ""]
      if let bar = kernel.bar {
        verdict = [
          "\(formatted(bar.median)) / \(formatted(bar.p90))", bar.isMet(by: errors) ? "met" : "MISSED",
        ]
      }
      rows.append(
        [
          kernel.kernel.rawValue, kernel.type, kernel.shapes.isEmpty ? "-" : String(kernel.shapes.count),
          String(errors.rows), tenths(errors.median), tenths(errors.p90), tenths(errors.worst),
        ] + verdict)
    }
    let estimates = kernels.filter { $0.quality == .estimate }.map(\.type)
    let note = estimates.isEmpty ? "" : "estimated, not measured: \(estimates.joined(separator: ", "))\n"
    return "\(gpu) (\(device)), \(source)\n" + textTable(rows, right: 2..<7) + note
  }

  private func tenths(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(tenths % 10)"
  }
}
