/// One GPU: data-sheet figures, and estimates of its energy.
public struct HardwareDescription: Descriptor, Hashable {
  /// The name that results carry, such as `h100-sxm`.
  public var name = ""
  /// What GPU it is, in one sentence.
  public var summary = ""
  /// Where each figure comes from, by setting path.
  public var provenance: [String: Provenance] = [:]

  /// Memory that the driver reports, in bytes.
  public var memoryBytes = 0
  /// Peak memory bandwidth, in bytes per second.
  public var memoryBandwidth = 0.0
  /// Second-level cache, in bytes.
  public var l2Bytes = 0
  /// Peak dense 16-bit tensor-core rate, in operations per second.
  public var bf16Flops = 0.0
  /// Peak dense FP8 rate, in operations per second; 0 where there are no such tensor cores.
  public var fp8Flops = 0.0
  /// Peak dense FP4 rate, in operations per second; 0 where there are no such tensor cores.
  public var fp4Flops = 0.0
  /// Peak dense INT8 rate, in operations per second; 0 where there are no such tensor cores.
  public var int8Flops = 0.0
  /// Whether engines have kernels for it that multiply MXFP4 experts with MXFP8 activations.
  public var computesMXFP8Experts = false
  /// Whether it has FP8 tensor cores, as GPUs have since Hopper and Ada; none if a file names no rate.
  var multipliesFP8: Bool { fp8Flops > 0 }
  /// Whether it is a Hopper GPU of a data centre, to judge by what a file says: FP8 tensor cores, none for FP4, and memory in
  /// stacks.
  var isHopper: Bool { multipliesFP8 && fp4Flops == 0 && memoryBandwidth > 2e12 }
  /// Streaming multiprocessors.
  public var multiprocessors = 0
  /// Board power limit, in watts.
  public var powerLimitWatts = 0.0
  /// NVLink bandwidth in one direction, in bytes per second.
  public var nvlinkBandwidth = 0.0
  /// How it keeps to the limit.
  public var power = PowerDescription()
  /// What it draws.
  public var energy = EnergyDescription()

  /// Creates a description with every figure zero, but for those that a file may leave out.
  public init() {
    provenance = PowerDescription.defaults
    provenance["compute.mxfp8_experts"] = Provenance(
      quality: .assumption, source: "The file does not say that engines have such kernels.")
    for format in ["fp8", "fp4", "int8"] {
      provenance["compute.\(format)_flops"] = Provenance(
        quality: .assumption, source: "The file gives no rate: no such tensor cores.")
    }
  }

  /// `hardware`.
  public static var kind: String { "hardware" }
  /// A GPU has no neutral values: its file gives every figure but for those of ``PowerDescription`` and rates of number
  /// formats that its tensor cores do not have.
  public static var requiresEverySetting: Bool { true }

  /// Every figure, in the order of help texts.
  public static let settings: [Setting<HardwareDescription>] = [
    Setting(
      "memory.bytes", unit: "bytes", .integer(\.memoryBytes, 1...(1 << 50)), "Memory that the driver reports."
    ),
    Setting(
      "memory.bandwidth_bytes_per_s", unit: "bytes/s", .number(\.memoryBandwidth, .positive),
      "Peak memory bandwidth."),
    Setting("memory.l2_bytes", unit: "bytes", .integer(\.l2Bytes, 0...(1 << 40)), "Second-level cache."),
    Setting(
      "compute.bf16_flops", unit: "operations/s", .number(\.bf16Flops, .positive),
      "Peak dense 16-bit tensor-core rate."),
    Setting(
      "compute.fp8_flops", unit: "operations/s", .number(\.fp8Flops, 0...1e18),
      "Peak dense FP8 tensor-core rate; 0 if there is none."),
    Setting(
      "compute.fp4_flops", unit: "operations/s", .number(\.fp4Flops, 0...1e18),
      "Peak dense FP4 tensor-core rate; 0 if there is none."),
    Setting(
      "compute.int8_flops", unit: "operations/s", .number(\.int8Flops, 0...1e18),
      "Peak dense INT8 tensor-core rate; 0 if there is none."),
    Setting(
      "compute.mxfp8_experts", .flag(\.computesMXFP8Experts),
      "Whether engines have kernels for it that multiply MXFP4 experts with MXFP8 activations."),
    Setting(
      "compute.multiprocessors", .integer(\.multiprocessors, 1...65_536), "Streaming multiprocessors."),
    Setting("power.limit_w", unit: "W", .number(\.powerLimitWatts, watts), "Board power limit."),
    Setting(
      "power.window_ms", unit: "ms", .number(\.power.windowMilliseconds, 1...10_000),
      "Time constant of the average power that the limit bounds."),
    Setting(
      "power.clock_exponent", .number(\.power.clockExponent, 1...4),
      "Exponent by which the power of compute-bound kernels falls with the clock."),
    Setting(
      "power.measured_at_w", unit: "W", .number(\.power.measuredAtWatts, watts),
      "Board power limit under which the kernel tables were measured."),
    Setting(
      "power.sustained_ms", unit: "ms", .number(\.power.sustainedMilliseconds, 0.001...10_000),
      "Launches that last longer were measured while the limit held their clock down."),
    Setting(
      "nvlink.bandwidth_bytes_per_s", unit: "bytes/s", .number(\.nvlinkBandwidth, .positive),
      "NVLink bandwidth in one direction."),
    Setting(
      "energy.idle_w", unit: "W", .number(\.energy.idleWatts, 0...10_000),
      "Power between the kernels of a serving engine, clocks up."),
    Setting(
      "energy.busy_w", unit: "W", .number(\.energy.busyWatts, 0...10_000),
      "Power above idle while kernels run, whatever they do."),
    Setting(
      "energy.per_byte_pj", unit: "pJ", .number(\.energy.perBytePicojoules, .notNegative),
      "Energy above idle of a byte moved to or from memory."),
    Setting(
      "energy.per_flop_pj", unit: "pJ", .number(\.energy.perFlopPicojoules, .notNegative),
      "Energy above idle of a 16-bit tensor-core operation."),
    Setting(
      "energy.narrow_flop_share", .number(\.energy.narrowFlopShare, 0...1),
      "Energy of an operation in 8 or 4 bits, as a share of a 16-bit one."),
    Setting(
      "energy.mxfp4_pj", unit: "pJ", .number(\.energy.mxfp4Picojoules, .notNegative),
      "Energy of dequantising a byte of MXFP4 weights."),
  ]

  /// Watts that a board may be limited to.
  private static var watts: ClosedRange<Double> { 1...10_000 }

  /// Limits that leave nothing for kernels.
  public var contradiction: Contradiction? {
    for (path, limit) in [
      ("power.limit_w", powerLimitWatts), ("power.measured_at_w", power.measuredAtWatts),
    ] where limit <= energy.idleWatts {
      return Contradiction(
        path: path, value: "\(limit)", expected: "more than energy.idle_w, \(energy.idleWatts) W")
    }
    return nil
  }
}
