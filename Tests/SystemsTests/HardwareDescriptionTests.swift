import Foundation
import Systems
import TestSupport
import Testing

@Suite struct HardwareDescriptionTests {
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
      if setting.path.hasPrefix("energy.") { #expect(origin.quality == .estimate) }
    }
    // A kernel at the roofline's corner must not be cheaper than the cap, nor idling dearer than working.
    let energy = hardware.energy
    #expect(energy.idleWatts < hardware.powerLimitWatts)
    let streaming = energy.idleWatts + energy.joulesPerByte * hardware.memoryBandwidth * 0.83
    #expect((400...700).contains(streaming))
  }

  @Test("a file that leaves a figure out is refused")
  func missing() throws {
    let text = #"{"quality": "data-sheet", "source": "x", "memory": {"bytes": 1000}}"#
    let error = try #require(throws: DescriptionError.self) {
      try ScratchFolder.with("gpu.json", text) { try HardwareDescription(contentsOf: $0) }
    }
    #expect(error.description.contains("gpu.json: field 'memory.bandwidth_bytes_per_s' is missing"))
  }

  @Test("figures change by path")
  func set() throws {
    var hardware = try shippedProfiles.hardware("h100-sxm")
    try hardware.set("memory.bandwidth_bytes_per_s=6.7e12")
    #expect(hardware.memoryBandwidth == 6.7e12)
  }
}
