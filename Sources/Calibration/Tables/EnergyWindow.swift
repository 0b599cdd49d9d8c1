import CostModels
import Serving
import Support
import Systems

/// A window of a steady load, or of none, in which a GPU's energy was measured: what one launch takes.
struct EnergyWindow: Sendable {
  /// The kernel, or `idle`.
  var kernel: String
  /// Time of a launch at the clocks that power allows; a second for an idle GPU.
  var seconds: Seconds
  /// Energy of a launch, idle power included.
  var joules: Joules
  /// Bytes moved.
  var bytes: Double
  /// Operations.
  var flops: Double
  /// Whether the power limit held the clocks down.
  var isAtLimit: Bool

  /// The windows of a table of the project's own harness, in order.
  ///
  /// Left out: windows in which heat held the clocks down, and kernels whose bytes go to other GPUs. An all-reduce
  /// reads its bytes over links whose energy is another one.
  ///
  /// - Returns: The windows, and the board's limit in watts; nil if the table measured no energy.
  /// - Throws: `CalibrationError`, which names the file and the line.
  static func windows(
    of whole: KernelTable
  ) throws(CalibrationError) -> (windows: [EnergyWindow], limit: Double)? {
    guard whole.columns.contains("joules") else { return nil }
    let energies = try whole.texts("joules")
    let names = try whole.texts("kernel")
    guard energies.indices.contains(where: { !energies[$0].isEmpty && names[$0] != "idle" }) else {
      return nil
    }
    let limit = try limit(of: whole)
    var windows = try idle(of: whole.keeping { names[$0] == "idle" })
    let table = whole.keeping { !energies[$0].isEmpty && !["idle", "all_reduce"].contains(names[$0]) }
    let kernels = try table.texts("kernel")
    let seconds = try table.seconds("sustained_us")
    let joules = try table.numbers("joules")
    let watts = try table.numbers("watts")
    let bytes = try table.numbers("bytes")
    let flops = try table.numbers("flops")
    let reasons = try table.integers("throttle")
    for i in 0..<table.count {
      let seen = watts[i] * seconds[i]
      guard joules[i] > 0, (joules[i] / seen - 1).magnitude < 0.05 else {
        let problem =
          "joules is \(joules[i]), expected watts times sustained_us, \(formatted(seen, digits: 4))"
        throw .malformed(path: table.path, line: table.line(ofRow: i), problem: problem)
      }
      guard reasons[i] & heat == 0 else { continue }
      let isAtLimit = reasons[i] & powerCap != 0 || watts[i] >= 0.98 * limit
      windows.append(
        EnergyWindow(
          kernel: kernels[i], seconds: seconds[i], joules: joules[i], bytes: bytes[i], flops: flops[i],
          isAtLimit: isAtLimit))
    }
    return (windows, limit)
  }

  // NVML's clock event reasons: software power cap and power brake; software and hardware thermal slowdown.
  private static let powerCap = 0x4 | 0x80
  private static let heat = 0x20 | 0x40

  private static func idle(of table: KernelTable) throws(CalibrationError) -> [EnergyWindow] {
    let watts = try table.numbers("watts")
    return watts.map {
      EnergyWindow(kernel: "idle", seconds: 1, joules: $0, bytes: 0, flops: 0, isAtLimit: false)
    }.filter { $0.joules > 0 }
  }

  private static func limit(of table: KernelTable) throws(CalibrationError) -> Double {
    let text = table.value("power_limit") ?? ""
    guard let watts = Double(text.hasSuffix(" W") ? String(text.dropLast(2)) : text), watts.isFinite,
      watts > 0
    else {
      let problem = "has joules, but no '# power_limit: 700 W' line that says when the clocks give way"
      throw .malformed(path: table.path, line: 0, problem: problem)
    }
    return watts
  }
}
