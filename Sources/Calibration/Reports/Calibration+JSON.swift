import CostModels
import Foundation
import Support
import Systems

extension Calibration {
  /// The calibration as JSON, one fit a line: the same calibration always gives the same bytes.
  ///
  /// - Complexity: O(n).
  public func json() -> String {
    var lines = ["{"]
    lines.append("  \"gpu\": \(JSONWriter.text(gpu)),")
    lines.append("  \"device\": \(JSONWriter.text(device)),")
    lines.append("  \"source\": \(JSONWriter.text(source)),")
    lines.append("  \"figures\": {")
    lines.append("    \"multiprocessors\": \(figures.multiprocessors),")
    lines.append("    \"memory_bandwidth\": \(formatted(figures.memoryBandwidth)),")
    lines.append("    \"memory_efficiency\": \(formatted(figures.memoryEfficiency)),")
    lines.append("    \"bf16_flops\": \(formatted(figures.bf16FLOPs)),")
    let known = [
      ("fp4_flops", figures.fp4FLOPs.map { formatted($0) }),
      ("int8_flops", figures.int8FLOPs.map { formatted($0) }),
      ("l2_bytes", figures.l2Bytes.map { "\(Int($0))" }),
    ]
    let further = known.compactMap { name, value in value.map { "    \"\(name)\": \($0)" } }
    lines += joined(["    \"fp8_flops\": \(formatted(figures.fp8FLOPs))"] + further)
    lines.append("  },")
    lines.append("  \"files\": [")
    lines += joined(
      files.map { "    {\"path\": \(JSONWriter.text($0.path)), \"sha256\": \(JSONWriter.text($0.sha256))}" })
    lines.append("  ],")
    lines.append("  \"kernels\": [")
    for (i, kernel) in kernels.enumerated() {
      lines.append("    {")
      lines.append("      \"kernel\": \(JSONWriter.text(kernel.kernel)),")
      lines.append("      \"type\": \(JSONWriter.text(kernel.type)),")
      lines.append("      \"formula\": \(JSONWriter.text(kernel.formula)),")
      lines.append("      \"quality\": \(JSONWriter.text(kernel.quality.rawValue)),")
      lines.append("      \"source\": \(JSONWriter.text(kernel.source)),")
      lines.append("      \"dimensions\": \(list(kernel.dimensions.map { JSONWriter.text($0) })),")
      let coefficients = kernel.coefficients.map {
        "{\"name\": \(JSONWriter.text($0.name)), \"unit\": \(JSONWriter.text($0.unit))}"
      }
      lines.append("      \"coefficients\": \(list(coefficients)),")
      lines.append("      \"ranges\": \(list(kernel.ranges.map { JSONWriter.text($0) })),")
      if let errors = kernel.heldOut { lines.append("      \"held_out\": \(object(errors)),") }
      if let errors = kernel.beyondClock { lines.append("      \"beyond_clock\": \(object(errors)),") }
      if let bar = kernel.bar {
        lines.append("      \"bar\": {\"median\": \(formatted(bar.median)), \"p90\": \(formatted(bar.p90))},")
      }
      lines.append("      \"shapes\": [")
      lines += joined(kernel.shapes.map { "        \(object($0))" })
      lines.append("      ]")
      lines.append(i + 1 < kernels.count ? "    }," : "    }")
    }
    lines.append(energy == nil ? "  ]" : "  ],")
    if let energy { lines += object(energy) }
    lines.append("}")
    return lines.joined(separator: "\n") + "\n"
  }

  /// Writes the calibration to a file, whole or not at all.
  ///
  /// - Parameter path: The file; folders above it are made.
  /// - Throws: `CalibrationError.unwritable`.
  public func write(path: String) throws(CalibrationError) {
    let file = URL(fileURLWithPath: path)
    do {
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try WholeFile.replace(path, with: json())
    } catch let error as FileError {
      throw .unwritable(path: path, reason: error.reason)
    } catch {
      throw .unwritable(path: path, reason: error.localizedDescription)
    }
  }

  private func object(_ energy: EnergyFit) -> [String] {
    var members = [
      "\"source\": \(JSONWriter.text(energy.source))", "\"idle_w\": \(formatted(energy.idleWatts))",
      "\"busy_w\": \(formatted(energy.busyWatts))",
      "\"per_byte_pj\": \(formatted(energy.perBytePicojoules))",
      "\"per_flop_pj\": \(formatted(energy.perFLOPPicojoules))",
      "\"standard_errors\": \(list(energy.standardErrors.map { formatted($0) }))",
      "\"limit_w\": \(formatted(energy.limitWatts))", "\"rows\": \(energy.rows)",
      "\"held_out\": \(object(energy.heldOut))",
    ]
    if let errors = energy.atLimit { members.append("\"at_limit\": \(object(errors))") }
    if let throttling = energy.throttling { members.append("\"throttling\": \(object(throttling))") }
    return ["  \"energy\": {"] + joined(members.map { "    \($0)" }) + ["  }"]
  }

  private func object(_ throttling: ThrottlingFit) -> String {
    var members = [
      "\"clock_exponent\": \(formatted(throttling.clockExponent))",
      "\"errors\": \(object(throttling.errors))",
    ]
    if let window = throttling.windowMilliseconds { members.append("\"window_ms\": \(formatted(window))") }
    if let errors = throttling.burstErrors { members.append("\"burst_errors\": \(object(errors))") }
    return "{\(members.joined(separator: ", "))}"
  }

  private func object(_ shape: FittedShape) -> String {
    var members = [
      "\"dimensions\": \(list(shape.dimensions.map(String.init)))",
      "\"values\": \(list(shape.values.map { formatted($0) }))",
      "\"rows\": \(shape.rows)",
    ]
    if let errors = shape.heldOut { members.append("\"held_out\": \(object(errors))") }
    members.append("\"measured\": \(list(shape.measured.map { list($0.map { formatted($0) }) }))")
    if let corrections = shape.corrections {
      var lists = [("even", corrections.even), ("skewed", corrections.skewed)].map { name, points in
        "\"\(name)\": \(list(LaunchCorrections.numbers(points).map { formatted($0) }))"
      }
      if corrections.leftOut > 0 { lists.append("\"left_out\": \(corrections.leftOut)") }
      members.append("\"corrections\": {\(lists.joined(separator: ", "))}")
    }
    return "{\(members.joined(separator: ", "))}"
  }

  private func object(_ errors: ErrorSummary) -> String {
    "{\"median\": \(formatted(errors.median)), \"p90\": \(formatted(errors.p90)), "
      + "\"worst\": \(formatted(errors.worst)), \"rows\": \(errors.rows)}"
  }

  private func joined(_ lines: [String]) -> [String] {
    lines.enumerated().map { $0.offset + 1 < lines.count ? "\($0.element)," : $0.element }
  }

  private func list(_ elements: [String]) -> String { "[\(elements.joined(separator: ","))]" }
}
