import Foundation
import Systems
import TestSupport
import Testing

@testable import Calibration
@testable import CostModels

/// Energy coefficients come back from windows that were made with them, whatever the power limit does.
@Suite struct EnergyFitTests {
  private static let columns =
    "kernel,impl,model,dtype,tp,m,n,k,batch,q_len,kv_len,heads,kv_heads,head_dim,window,experts,active,topk,"
    + "max_per_expert,skew,bytes,flops,burst_us,spread_us,sustained_us,watts,joules,sm_mhz,throttle"
  private static let idle = "idle,,,,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,,,,100,,1980,0"

  /// A row whose energy is 100 W, 110 pJ a byte and 0.9 pJ an operation.
  private func row(_ kernel: String, bytes: Double, flops: Double, seconds: Double, throttle: Int = 0)
    -> String
  {
    line(kernel, bytes, flops, seconds, 100 * seconds + 110e-12 * bytes + 0.9e-12 * flops, throttle)
  }

  private func line(
    _ kernel: String, _ bytes: Double, _ flops: Double, _ seconds: Double, _ joules: Double, _ throttle: Int
  ) -> String {
    "\(kernel),x,a,bf16,1,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,\(bytes),\(flops),\(seconds * 1e6),0,\(seconds * 1e6),"
      + "\(joules / seconds),\(joules),1980,\(throttle)"
  }

  /// Streaming kernels, small products and attention: 150 to 650 W.
  private var below: [String] {
    (1...12).map {
      row("rms_norm", bytes: Double($0) * 1e7, flops: 0, seconds: 3e-6 + Double($0) * 1e7 / 4e12)
    }
      + (1...12).map {
        row("o_gemm", bytes: 2e7, flops: Double($0) * 1e9, seconds: 1e-5 + Double($0) * 1e9 / 4e14)
      }
  }

  /// Large products at 700 W: the limit slows them down until they draw no more, and a lower voltage saves a third.
  private var above: [String] {
    (1...20).map { i in
      let flops = Double(i) * 1e11
      let seconds = 0.9e-12 * flops * 0.67 / 600
      return line("lm_head", 1e7, flops, seconds, 700 * seconds, 4)
    }
  }

  private func table(_ rows: [String], limit: String = "# power_limit: 700 W\n") throws -> KernelTable {
    let text = "# gpu: NVIDIA H200\n\(limit)\(Self.columns)\n" + rows.map { $0 + "\n" }.joined()
    return try KernelTable(bytes: Array(text.utf8), path: "kernels.csv")
  }

  private func fit(_ rows: [String]) throws -> EnergyFit? {
    var measurements = KernelMeasurements(gpu: "h200-sxm")
    let measured = try EnergyWindow.windows(of: table(rows))
    measurements.energy = measured?.windows ?? []
    measurements.powerLimit = measured?.limit
    let figures = DeviceFigures(
      multiprocessors: 132, memoryBandwidth: 4.8e12, memoryEfficiency: 0.8, bf16FLOPs: 989e12,
      fp8FLOPs: 1978e12)
    return try Calibrator(measurements: measurements, figures: figures).energy()
  }

  private func expectTheTruth(_ fit: EnergyFit) {
    #expect(abs(fit.idleWatts / 100 - 1) < 1e-4)
    #expect(abs(fit.perBytePicojoules / 110 - 1) < 1e-4)
    #expect(abs(fit.perFLOPPicojoules / 0.9 - 1) < 1e-4)
  }

  @Test func comesBack() throws {
    let fit = try #require(try fit([Self.idle] + below))
    expectTheTruth(fit)
    #expect(fit.heldOut.worst < 0.01 && fit.heldOut.rows == 12)
    #expect(fit.limitWatts == 700 && fit.rows == 25 && fit.atLimit == nil)
  }

  @Test func windowsAtTheLimitDoNotBiasIt() throws {
    let fit = try #require(try fit([Self.idle] + below + above))
    expectTheTruth(fit)
    #expect(fit.heldOut.rows == 12, "only windows below the limit judge the fit")
    let atLimit = try #require(fit.atLimit)
    #expect(atLimit.worst < 0.01, "cut off at the limit, the prediction is the limit")

    let windows = try #require(try EnergyWindow.windows(of: table(below + above))).windows
    let biased = RelativeFit(
      windows.map {
        .init(
          features: SIMD8($0.seconds, $0.bytes, $0.flops, 0, 0, 0, 0, 0), seconds: $0.joules, isHeldOut: false
        )
      }, count: 3)
    #expect(biased.values[2] < 0.8e-12, "which they would, taken for windows like others")
  }

  @Test func windowsAtTheLimitAreABoundWhereThereIsNothingElse() throws {
    let streaming = below.filter { $0.hasPrefix("rms_norm") }
    let fit = try #require(try fit([Self.idle] + streaming + above))
    // They drew 0.603 pJ an operation at their voltage: it cannot be less.
    #expect(fit.perFLOPPicojoules > 0.58)
    #expect(abs(fit.perBytePicojoules / 110 - 1) < 0.05)
  }

  @Test func heatAndLinksAreLeftOut() throws {
    let hot = row("o_gemm", bytes: 1e9, flops: 0, seconds: 1, throttle: 0x20)
    let summed = row("all_reduce", bytes: 1e12, flops: 0, seconds: 1)
    expectTheTruth(try #require(try fit([Self.idle] + below + [hot, summed])))
  }

  @Test func aTableWithoutEnergyHasNone() throws {
    let row = "rms_norm,x,a,bf16,1,1,1,0,0,0,0,0,0,0,0,0,0,0,0,0,1,0,1,0,,,,,"
    #expect(try fit([Self.idle, row]) == nil)
  }

  @Test func survivesBeingWritten() throws {
    let committed = try Calibration(path: "\(shippedProfiles.url.path)/calibrations/h200-sxm.json")
    let energy = try #require(try fit([Self.idle] + below + above))
    let calibration = Calibration(
      gpu: committed.gpu, device: committed.device, source: committed.source, figures: committed.figures,
      files: committed.files, kernels: committed.kernels, energy: energy)
    try ScratchFolder.with("c.json", calibration.json()) { file in
      let read = try Calibration(path: file.path)
      #expect(read == calibration)
    }
    #expect(
      calibration.report().contains(
        "energy: 100 W, 0 W while kernels run, 110 pJ a byte, 0.9 pJ an operation, up to 700 W"))
    let broken = calibration.json().replacing("\"idle_w\": 100", with: "\"idle_w\": -1")
    try ScratchFolder.with("c.json", broken) { file in
      let error = #expect(throws: CalibrationError.self) { try Calibration(path: file.path) }
      #expect(error?.description.hasSuffix("energy: expected coefficients that are not negative") == true)
    }
  }

  @Test func refusesTooFewWindows() {
    let error = #expect(throws: CalibrationError.self) { try fit([Self.idle] + below.prefix(7) + above) }
    #expect(error?.description.contains("energy below the power limit: 7 rows") == true)
  }

  @Test(arguments: [
    ("0.001,1980,0", "-1,1980,0", "joules is '-1', expected a number that is not negative"),
    ("0.001,1980,0", "nan,1980,0", "joules is 'nan', expected a number that is not negative"),
    ("0.001,1980,0", "1,1980,0", "joules is 1.0, expected watts times sustained_us, 0.001"),
    ("0.001,1980,0", "0.001,1980,", "throttle is '', expected a number that is not negative"),
    (",100.0,", ",,", "watts is '', expected a number that is not negative"),
  ])
  func refusesAWindowThatIsNone(good: String, bad: String, problem: String) throws {
    let row = line("rms_norm", 1, 1, 1e-5, 1e-3, 0)
    #expect(row.contains(good))
    let table = try table([Self.idle, row.replacing(good, with: bad)])
    let error = #expect(throws: CalibrationError.self) { try EnergyWindow.windows(of: table) }
    #expect(error?.description == "kernels.csv:5: \(problem)")
  }

  @Test func needsToKnowTheLimit() throws {
    for limit in ["", "# power_limit: unknown\n", "# power_limit: 0 W\n"] {
      let error = #expect(throws: CalibrationError.self) {
        try EnergyWindow.windows(of: table(below, limit: limit))
      }
      #expect(error?.description.contains("no '# power_limit: 700 W' line") == true)
    }
  }
}
