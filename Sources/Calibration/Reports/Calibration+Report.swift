import CostModels
import Support
import Systems

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
        verdict = ["\(formatted(bar.median)) / \(formatted(bar.p90))", verdictText(of: kernel, bar, errors)]
      }
      rows.append(
        [
          kernel.kernel, kernel.type, kernel.shapes.isEmpty ? "-" : String(kernel.shapes.count),
          String(errors.rows), tenths(errors.median), tenths(errors.p90), tenths(errors.worst),
        ] + verdict)
    }
    for name in measuredFamilies.flatMap({ $0.judgedApart })
    where !kernels.contains(where: { $0.kernel == name }) {
      rows.append([name] + Array(repeating: "", count: 7) + ["not measured"])
    }
    let energies = energy.map {
      [
        ("energy", "below the limit", $0.heldOut), ("energy", "at the limit", $0.atLimit),
        ("power limit", "times at it", $0.throttling?.errors),
        ("power limit", "bursts", $0.throttling?.burstErrors),
      ]
    }
    for (name, type, errors) in energies ?? [] {
      guard let errors else { continue }
      rows.append(
        [
          name, type, "-", String(errors.rows), tenths(errors.median), tenths(errors.p90),
          tenths(errors.worst), "", "",
        ])
    }
    let power = energy.map {
      "energy: \(formatted($0.idleWatts, digits: 4)) W, \(formatted($0.busyWatts, digits: 4)) W while kernels run, \(formatted($0.perBytePicojoules, digits: 4)) pJ a byte, "
        + "\(formatted($0.perFLOPPicojoules, digits: 3)) pJ an operation, up to \(formatted($0.limitWatts)) W\n"
        + ($0.throttling.map {
          "power limit: power falls as the clock to the power of \(formatted($0.clockExponent, digits: 3)), window "
            + ($0.windowMilliseconds.map { "\(formatted($0, digits: 3)) ms\n" } ?? "not measured\n")
        } ?? "")
    }
    let absent = measuredFamilies.map { $0.name }.filter { name in
      !kernels.contains { $0.kernel == name }
    }
    let gaps =
      absent.isEmpty ? "" : "no measurements at all: \(absent.joined(separator: ", "))\n"
    let leftOut = kernels.map { kernel in
      let points = kernel.shapes.reduce(0) { $0 + ($1.corrections?.leftOut ?? 0) }
      return points == 0
        ? ""
        : "corrections left out, \(kernel.kernel) \(kernel.type): \(points), over "
          + "\(formatted(LaunchCorrections.mostBeyondNeighbours)) times above or below both neighbours, a judgement\n"
    }
    let estimates = kernels.filter { $0.quality == .estimate }.map(\.type)
    let note = estimates.isEmpty ? "" : "estimated, not measured: \(estimates.joined(separator: ", "))\n"
    return "\(gpu) (\(device)), \(source)\n" + TextTable(rows: rows, right: 2..<7).text
      + "a run prices each launch by these very fits; the power limit acts on steps, not on kernels\n"
      + leftOut.joined() + (power ?? "energy: not measured\n") + gaps + note
  }

  /// Whether a kernel stays below its bar, and if not, what the clock of the tables may have to do with it.
  private func verdictText(of kernel: FittedKernel, _ bar: ErrorBar, _ errors: ErrorSummary) -> String {
    guard !bar.isMet(by: errors) else { return "met" }
    guard let left = kernel.beyondClock else { return "MISSED" }
    return "MISSED; beyond the clock's step \(tenths(left.median)) / \(tenths(left.p90))"
      + (bar.isMet(by: left) ? ", met" : "")
  }

  private func tenths(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(tenths % 10)"
  }
}
