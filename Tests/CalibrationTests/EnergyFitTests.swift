import Foundation
import Serving
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
    _ kernel: String, _ bytes: Double, _ flops: Double, _ seconds: Double, _ joules: Double, _ throttle: Int,
    burst: Double? = nil, clock: Int = 1980
  ) -> String {
    "\(kernel),x,a,bf16,1,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,\(bytes),\(flops),\((burst ?? seconds) * 1e6),0,"
      + "\(seconds * 1e6),\(joules / seconds),\(joules),\(clock),\(throttle)"
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

  /// Large products that draw 864 W above idle at full clock, 1.44 times what the limit leaves.
  ///
  /// Power falls as the square
  /// of the clock: they take 1.2 times as long, and 600 W.
  private var above: [String] {
    (1...20).map { i in
      let flops = Double(i) * 1e11
      let burst = (0.9e-12 * flops + 110e-12 * 1e7) / 864
      return line("lm_head", 1e7, flops, 1.2 * burst, 700 * 1.2 * burst, 4, burst: burst, clock: 1620)
    }
  }

  private func table(_ rows: [String], limit: String = "# power_limit: 700 W\n") throws -> KernelTable {
    let text = "# gpu: NVIDIA H200\n\(limit)\(Self.columns)\n" + rows.map { $0 + "\n" }.joined()
    return try KernelTable(bytes: Array(text.utf8), path: "kernels.csv")
  }

  private func fit(_ rows: [String], bursts: [PowerBurst] = []) throws -> EnergyFit? {
    var measurements = KernelMeasurements(gpu: "h200-sxm")
    let measured = try EnergyWindow.windows(of: table(rows))
    measurements.energy = measured?.windows ?? []
    measurements.powerLimit = measured?.limit
    measurements.bursts = bursts
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
    #expect(biased.values[2] < 0.87e-12, "which they would, taken for windows like others")
  }

  @Test func windowsAtTheLimitAreABoundWhereThereIsNothingElse() throws {
    let streaming = below.filter { $0.hasPrefix("rms_norm") }
    let fit = try #require(try fit([Self.idle] + streaming + above))
    // They drew 0.75 pJ an operation at their voltage: it cannot be less.
    #expect(fit.perFLOPPicojoules > 0.73)
    #expect(abs(fit.perBytePicojoules / 110 - 1) < 0.05)
  }

  @Test func theLimitsExponentComesBack() throws {
    let throttling = try #require(try fit([Self.idle] + below + above)?.throttling)
    #expect(abs(throttling.clockExponent - 2) < 0.011)
    #expect(throttling.errors.rows == 20 && throttling.errors.worst < 0.2)
    #expect(throttling.windowMilliseconds == nil, "no bursts were measured")
    #expect(try fit([Self.idle] + below)?.throttling == nil)
  }

  /// NVML's reasons outlast the load; the clock does not.
  ///
  /// Launches with pauses draw less than the kernel does.
  @Test func windowsWithPausesAndOldReasonsAreLikeOthers() throws {
    let paused = (1...12).map { i in
      // Not in proportion, or nothing would tell what an operation draws from what a busy second does.
      let (flops, busy) = (Double(i) * 1e10, 4e-5 + Double(i) * 1.5e-5)
      let joules = 100 * 3 * busy + 110e-12 * 2e7 + 0.9e-12 * flops
      return line("qkv_gemm", 2e7, flops, 3 * busy, joules, 4, burst: busy)
    }
    let fit = try #require(try fit([Self.idle] + paused))
    expectTheTruth(fit)
    #expect(fit.atLimit == nil && fit.busyWatts < 1e-3)
  }

  /// Bursts that a window of 40 ms lets run: the fit finds it.
  @Test func theWindowComesBack() throws {
    let (m, n, k, burst) = (1000, 10_000, 5000, 1e-4)
    let joules = 0.9e-12 * Double(2 * m * n * k) + 110e-12 * Double(2 * (m * k + n * k + m * n))
    var rows = ""
    for milliseconds in [20, 80, 320, 1000] {
      var limit = PowerLimit(headroomWatts: 600, window: 0.04, clockExponent: 2)
      var time = 0.0
      for launch in 0..<(milliseconds * 10) {
        var cost = StepCost()
        (cost.kernelSeconds, cost.clockedSeconds) = (burst, burst)
        (cost.prefillRowJoules, cost.clockedJoules) = (joules, joules)
        limit.run(&cost)
        rows +=
          "\(m),\(n),\(k),idle,\(milliseconds),\(launch),1,\(3 + 1e3 * time),\(1e6 * cost.seconds)\n"
        time += cost.seconds
      }
    }
    let text = "# gpu: NVIDIA H200\nm,n,k,before,burst_ms,launch,launches,t_ms,us\n" + rows
    let table = try KernelTable(bytes: Array(text.utf8), path: "bursts.csv")
    let fit = try fit([Self.idle] + below + above, bursts: PowerBurst.bursts(of: table))
    let throttling = try #require(fit?.throttling)
    #expect(throttling.burstErrors?.rows == 4)
    #expect(abs((throttling.windowMilliseconds ?? 0) - 40) <= 1)
  }

  @Test(arguments: [
    ("0,1,1,idle,20,1,5,9", "m is 0, expected a whole number from 1 to 1000000"),
    ("1,1,2000000,idle,20,1,5,9", "k is 2000000, expected a whole number from 1 to 1000000"),
    ("1,1,1,idle,20,0,5,9", "launches is 0, expected a whole number from 1 to 100000"),
    ("1,1,1,rest,20,1,5,9", "before is 'rest', expected idle, copy or duty"),
    ("1,1,1,idle,20,1,5,1e300", "us is 1e+300, expected at most 1e9 us"),
  ])
  func refusesBurstsThatAreNone(row: String, problem: String) throws {
    let text = "# gpu: NVIDIA H200\nm,n,k,before,burst_ms,launches,t_ms,us\n\(row)\n"
    let table = try KernelTable(bytes: Array(text.utf8), path: "bursts.csv")
    let error = #expect(throws: CalibrationError.self) { try PowerBurst.bursts(of: table) }
    #expect(error?.description == "bursts.csv:3: \(problem)")
  }

  @Test func refusesAnIdleBoardAboveItsLimit() {
    let hot = Self.idle.replacing(",100,", with: ",1000000,")
    let error = #expect(throws: CalibrationError.self) { try fit([hot] + below) }
    #expect(
      error?.description.contains("an idle board draws 1000000.0 W, expected less than its limit") == true)
  }

  @Test func needsAnIdleBoard() {
    let error = #expect(throws: CalibrationError.self) { try fit(below) }
    #expect(error?.description.contains("idle power: 0 rows") == true)
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
    for limit in ["", "# power_limit: unknown\n", "# power_limit: 0 W\n", "# power_limit: 1e300 W\n"] {
      let error = #expect(throws: CalibrationError.self) {
        try EnergyWindow.windows(of: table(below, limit: limit))
      }
      #expect(error?.description.contains("no '# power_limit: 700 W' line") == true)
    }
  }
}
