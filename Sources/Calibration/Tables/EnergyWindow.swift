import CostModels
import Serving
import Support
import Systems

/// A window of a steady load, or of none, in which a GPU's energy was measured: what one launch takes.
struct EnergyWindow: Sendable {
  /// The kernel, or `idle`.
  var kernel: String
  /// Time from one launch to the next, at the clocks that power allows; a second for an idle GPU.
  var seconds: Seconds
  /// Time that the kernel takes of it: less where launches did not follow each other at once.
  var busySeconds: Seconds
  /// Time of a launch at full clock.
  var fullClockSeconds: Seconds
  /// Energy of a launch, idle power included.
  var joules: Joules
  /// Bytes moved.
  var bytes: Double
  /// Operations.
  var flops: Double
  /// Mean clock of the multiprocessors, as a share of the highest that the table has.
  var clock: Double
  /// Whether the power limit held the clocks down.
  var isAtLimit: Bool

  /// How much longer a launch takes than at full clock.
  var stretch: Double { busySeconds / fullClockSeconds }

  /// The windows of a table of the project's own harness, in order.
  ///
  /// Left out: windows in which heat held the clocks down; kernels whose bytes go to other GPUs, since an all-reduce
  /// reads its bytes over links whose energy is another one; and attention without a page table, whose times are not
  /// taken either.
  ///
  /// Whether a window is at the limit follows from its clock. NVML's reasons are of no help: they last for a while
  /// after the load that they were true of.
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
    let implementations = try whole.texts("impl")
    let table = whole.keeping { row in
      !energies[row].isEmpty && !["idle", "all_reduce"].contains(names[row])
        && (!names[row].hasSuffix("_attention") || implementations[row] == "cudnn_paged")
    }
    let kernels = try table.texts("kernel")
    let seconds = try table.seconds("sustained_us")
    let joules = try table.numbers("joules")
    let watts = try table.numbers("watts")
    let bytes = try table.numbers("bytes")
    let flops = try table.numbers("flops")
    let reasons = try table.integers("throttle")
    let bursts = try table.seconds("burst_us")
    let clocks = try table.numbers("sm_mhz")
    let highest = clocks.max() ?? 0
    for i in 0..<table.count {
      let seen = watts[i] * seconds[i]
      guard joules[i] > 0, (joules[i] / seen - 1).magnitude < 0.05 else {
        let problem =
          "joules is \(joules[i]), expected watts times sustained_us, \(formatted(seen, digits: 4))"
        throw .malformed(path: table.path, line: table.line(ofRow: i), problem: problem)
      }
      guard reasons[i] & heat == 0 else { continue }
      let clock = highest > 0 ? clocks[i] / highest : 1
      // The clock explains a longer launch up to its inverse; what is beyond is a pause between launches.
      let busy = min(seconds[i], bursts[i] / max(clock, 0.01))
      windows.append(
        EnergyWindow(
          kernel: kernels[i], seconds: seconds[i], busySeconds: busy, fullClockSeconds: bursts[i],
          joules: joules[i], bytes: bytes[i], flops: flops[i], clock: clock,
          isAtLimit: clock < 0.98 || watts[i] >= 0.98 * limit))
    }
    return (windows, limit)
  }

  // NVML's clock event reasons: software and hardware thermal slowdown.
  private static let heat = 0x20 | 0x40

  private static func idle(of table: KernelTable) throws(CalibrationError) -> [EnergyWindow] {
    let watts = try table.numbers("watts")
    return watts.map {
      EnergyWindow(
        kernel: "idle", seconds: 1, busySeconds: 0, fullClockSeconds: 1, joules: $0, bytes: 0, flops: 0,
        clock: 1, isAtLimit: false)
    }.filter { $0.joules > 0 }
  }

  private static func limit(of table: KernelTable) throws(CalibrationError) -> Double {
    let text = table.value("power_limit") ?? ""
    guard let watts = Double(text.hasSuffix(" W") ? String(text.dropLast(2)) : text), watts > 0,
      watts <= 10_000
    else {
      let problem = "has joules, but no '# power_limit: 700 W' line that says when the clocks give way"
      throw .malformed(path: table.path, line: 0, problem: problem)
    }
    return watts
  }
}
