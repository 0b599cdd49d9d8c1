import Foundation
import Systems
import TestSupport
import Testing

@Suite struct HardwareDescriptionTests {
  @Test(arguments: [
    ("h200-sxm", "NVIDIA H200", true), ("h100-sxm", "NVIDIA H100 80GB HBM3", true),
    ("h100-sxm", "NVIDIA H200", false), ("b200-sxm", "NVIDIA GB200", false), ("gb200", "NVIDIA GB200", true),
    ("a100-sxm", "NVIDIA A100-SXM4-80GB", true), ("l40s", "NVIDIA L40", false),
    ("rtx-pro-6000", "NVIDIA RTX PRO 6000 Blackwell Server Edition", true),
  ])
  func namesAreHeldAgainstThoseOfDrivers(name: String, device: String, fits: Bool) {
    #expect(HardwareDescription.isName(name, ofDevice: device) == fits)
  }

  @Test(
    "shipped GPUs give every figure with its source, energies as estimates",
    arguments: ["h100-sxm", "h200-sxm"])
  func shippedFigures(name: String) throws {
    let hardware = try shippedProfiles.hardware(name)
    #expect(hardware.name == name)
    #expect(hardware.multiprocessors == 132)
    for setting in HardwareDescription.settings {
      let origin = try #require(hardware.provenance[setting.path])
      #expect(!origin.source.isEmpty)
      // The calibration of an H200 brings measured ones for the others.
      let isMeasured = name == "h200-sxm" && setting.path == "energy.narrow_flop_share"
      if setting.path.hasPrefix("energy.") {
        #expect((isMeasured ? [.measured] : [.estimate, .fitted]).contains(origin.quality))
      }
      #expect(!origin.source.hasPrefix("Default"), "\(setting.path)")
    }
    // A kernel at the roofline's corner must not be cheaper than the cap, nor idling dearer than working.
    let energy = hardware.energy
    #expect(energy.idleWatts < hardware.powerLimitWatts)
    let streaming = energy.idleWatts + energy.joulesPerByte * hardware.memoryBandwidth * 0.83
    #expect((400...700).contains(streaming + energy.busyWatts))
  }

  @Test(
    "every shipped GPU can be read, and kernels cannot outdo its rates at its limit",
    arguments: shippedProfiles.names(in: "hardware").filter { !$0.hasPrefix("tpu") })
  func shippedGPUs(name: String) throws {
    let hardware = try shippedProfiles.hardware(name)
    #expect(hardware.memoryBytes > 40 << 30 && hardware.multiprocessors > 100)
    #expect(hardware.fp8Flops == 0 || (1.9...2.1).contains(hardware.fp8Flops / hardware.bf16Flops))
    #expect(hardware.fp4Flops == 0 || hardware.fp4Flops >= 1.9 * hardware.fp8Flops)
    #expect(hardware.energy.idleWatts + hardware.energy.busyWatts < hardware.powerLimitWatts)
    #expect(hardware.fp8Flops > 0 || name == "a100-sxm")
  }

  @Test("a device that is no GPU is known by its data sheet")
  func tpu() throws {
    let hardware = try shippedProfiles.hardware("tpu-v6e")
    #expect(hardware.bf16Flops == 918e12 && hardware.memoryBandwidth == 1.64e12)
    #expect(hardware.contradiction == nil)
    #expect(hardware.provenance["energy.per_flop_pj"]?.quality == .estimate)
  }

  @Test("memory is what the driver reports, in MiB")
  func memory() throws {
    for (name, mebibytes) in [("h100-sxm", 81_559), ("h200-sxm", 143_771), ("b200-sxm", 183_359)] {
      #expect(try shippedProfiles.hardware(name).memoryBytes == mebibytes << 20)
    }
  }

  @Test("a file that leaves a figure out is refused")
  func missing() throws {
    let text = #"{"quality": "data-sheet", "source": "x", "memory": {"bytes": 1000}}"#
    let error = try #require(throws: DescriptionError.self) {
      try ScratchFolder.with("gpu.json", text) { try HardwareDescription(contentsOf: $0) }
    }
    #expect(error.description.contains("gpu.json: field 'memory.bandwidth_bytes_per_s' is missing"))
  }

  @Test("a file of an earlier version, without the power limit's settings, is read with stated defaults")
  func earlierVersion() throws {
    let hardware = try changed { text in
      for line in ["window_ms", "clock_exponent", "measured_at_w", "sustained_ms", "busy_w", "mxfp4_pj"] {
        let start = try #require(text.range(of: "    \"\(line)\": {"))
        let end = try #require(text.range(of: "}", range: start.upperBound..<text.endIndex))
        text.removeSubrange(start.lowerBound..<end.upperBound)
      }
      // What remains of the lists has commas without values.
      text = text.replacing(#/,(\s|,)*,/#, with: ",").replacing(#/,\s*}/#, with: "}")
    }
    #expect(hardware.power == PowerDescription())
    #expect(hardware.power.windowMilliseconds == 100 && hardware.power.clockExponent == 2)
    #expect(hardware.energy.busyWatts == 0)
    let origin = try #require(hardware.provenance["power.window_ms"])
    #expect(origin.quality == .assumption && origin.source == "Default, 100 ms: the file says nothing.")
  }

  @Test(
    "values that make no sense are refused in one line",
    arguments: [
      ("power.limit_w", "20000", "expected a number in 1.0...10000.0 (W)"),
      ("power.window_ms", "0", "expected a number in 1.0...10000.0 (ms)"),
      ("power.clock_exponent", "5", "expected a number in 1.0...4.0"),
      ("power.clock_exponent", "0.5", "expected a number in 1.0...4.0"),
    ])
  func refused(path: String, value: String, expected: String) throws {
    var hardware = try shippedProfiles.hardware("h100-sxm")
    let error = try #require(throws: DescriptionError.self) { try hardware.set("\(path)=\(value)") }
    #expect(error.description == "setting '\(path)': '\(value)' is invalid; \(expected)")
  }

  @Test("a limit below idle power is refused, in a file and on the command line")
  func limitBelowIdle() throws {
    let error = try #require(throws: DescriptionError.self) {
      try changed { $0 = $0.replacing("\"value\": 118,", with: "\"value\": 800,") }
    }
    #expect(
      error.description.hasSuffix(
        "gpu.json: field 'power.limit_w' is 700.0; expected more than energy.idle_w, 800.0 W"))
  }

  /// The shipped H100 with another text.
  private func changed(_ change: (inout String) throws -> Void) throws -> HardwareDescription {
    var text = try String(
      contentsOf: shippedProfiles.url.appending(path: "hardware/h100-sxm.json"), encoding: .utf8)
    try change(&text)
    return try ScratchFolder.with("gpu.json", text) { try HardwareDescription(contentsOf: $0) }
  }

  @Test("figures change by path")
  func set() throws {
    var hardware = try shippedProfiles.hardware("h100-sxm")
    try hardware.set("memory.bandwidth_bytes_per_s=6.7e12")
    #expect(hardware.memoryBandwidth == 6.7e12)
  }
}
