import ArgumentParser
import Calibration
import CostModels
import Foundation
import Serving
import Statistics
import Systems
import TestSupport
import Testing

@testable import Experiments
@testable import sim

/// What the cost model is asked about a measured iteration.
struct IterationPredictionTests {
  private let loaded: LoadedSystem

  init() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let options = try SystemOptions.parse([
      "--model", "qwen3-30b-a3b", "--hardware", "h200-sxm", "--engine", "ideal", "--tp", "1",
    ])
    loaded = try Library(profiles: root.appending(path: "Profiles").path).system(options.specification())
  }

  @Test func fewerExpertsTakeLessTime() throws {
    let many = try prediction(.decode, decodes: 16, experts: 3_900)
    let few = try prediction(.decode, decodes: 16, experts: 2_000)
    #expect(few.seconds < many.seconds)
    #expect(few.joules < many.joules)
  }

  @Test func errorsAreSigned() throws {
    let prediction = try prediction(.decode, decodes: 16, experts: 3_900)
    var measured = prediction.measured
    measured.seconds = prediction.seconds / 1.25
    measured.joules = prediction.joules / 0.5
    let again = try IterationPrediction(measured, on: loaded)
    #expect(abs(again.timeError - 0.25) < 1e-12)
    #expect(abs((again.energyError ?? 0) + 0.5) < 1e-12)
  }

  /// A prompt draws more than the board may: the limit lengthens it.
  ///
  /// Pauses draw idle power alone, and give it room.
  @Test func theLimitAndPausesCount() throws {
    let free = try Library(profiles: shippedProfiles.url.path).system(
      SystemOptions.parse([
        "--model", "qwen3-30b-a3b", "--hardware", "h200-sxm", "--engine", "ideal", "--tp", "1",
        "--hardware-set", "power.limit_w=2000",
      ]).specification())
    let limited = try prediction(.chunked, prefill: 8192, layers: 0..<48, experts: 6144)
    let unlimited = try IterationPrediction(limited.measured, on: free)
    #expect(limited.seconds > 1.02 * unlimited.seconds)
    let idle = try #require(loaded.calibration.energy).idleWatts
    let decode = try prediction(.decode, decodes: 4, experts: 1_400)
    var paused = decode.measured
    paused.pause = 0.01
    let again = try IterationPrediction(paused, on: loaded)
    #expect(again.seconds == decode.seconds)
    #expect(abs(again.joules - decode.joules - 0.01 * idle) < 1e-9)
  }

  @Test func aGroupOfLayersCostsLessThanAllOfThem() throws {
    let layered = try prediction(.layered, decodes: 16, prefill: 8_192, layers: 21..<24, experts: 4_080)
    let chunked = try prediction(.chunked, decodes: 16, prefill: 8_192, layers: 0..<48, experts: 6_144)
    let decode = try prediction(.decode, decodes: 16, experts: 3_900)
    #expect(decode.seconds < layered.seconds && layered.seconds < chunked.seconds)
  }

  @Test func prefillAloneRunsItsLayersAlone() throws {
    let alone = try prediction(.layered, decodes: 0, prefill: 8_192, layers: 21..<24, experts: 384)
    let beside = try prediction(.layered, decodes: 16, prefill: 8_192, layers: 21..<24, experts: 4_080)
    #expect(alone.seconds < beside.seconds)
  }

  @Test func errorsAreSummarised() throws {
    let errors = try #require(ErrorDistribution([0.1, -0.3, 0.2]))
    #expect(errors.errors.count == 3 && errors.errors.quantile(0.5) == 0.1 && errors.worst == -0.3)
    #expect(abs(errors.errors.mean) < 1e-12 && abs(errors.sizes.mean - 0.2) < 1e-12)
    #expect(ErrorDistribution([])?.worst == nil)
  }

  /// A table of another GPU than its folder says is not priced as if it were of that one.
  @Test func theGPUOfATableIsHeldAgainstItsFolder() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("t.csv")
    let directory = URL(filePath: path).deletingLastPathComponent().appending(path: "h100-sxm")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    let file = directory.appending(path: "t.csv").path
    let shipped = try String(
      contentsOf: Binary.root.appending(path: "Profiles/iterations/h200-sxm/2026-11-27-harness.csv"),
      encoding: .utf8)
    let lines = shipped.split(separator: "\n").filter { !$0.hasPrefix("# rows") }.prefix(30)
    try (lines.joined(separator: "\n") + "\n").write(toFile: file, atomically: true, encoding: .utf8)
    let refused = try Binary.run(["validate", "iterations", file])
    #expect(refused.status == 64 && refused.errors.contains("measured on NVIDIA H200"), "\(refused.errors)")
    let other = try Binary.run(["validate", "iterations", file, "--hardware", "h100-sxm"])
    #expect(other.status == 0 && other.errors.contains("is predicted for h100-sxm"), "\(other.errors)")
    let right = try Binary.run(["validate", "iterations", file, "--hardware", "h200-sxm"])
    #expect(right.status == 0 && right.errors.isEmpty, "\(right.errors)")
  }

  private func prediction(
    _ kind: MeasuredIteration.Kind, decodes: Int = 0, prefill: Int = 0, layers: Range<Int> = 0..<0,
    experts: Double
  ) throws -> IterationPrediction {
    let row =
      "\(kind.rawValue),qwen3-30b-a3b,1,\(decodes),2048,\(prefill),0,\(layers.lowerBound),\(layers.upperBound),48,0,"
      + "\(experts),0.01,0,,,5,,\n"
    let header =
      "kind,model,tp,decode_batch,decode_context,prefill_tokens,prefill_prefix,layer_begin,layer_end,layers,skew,"
      + "experts,seconds,spread_s,sustained_s,watts,joules,sm_mhz,throttle\n"
    let folder = try TemporaryFolder()
    try (header + row).write(toFile: folder.file("t.csv"), atomically: true, encoding: .utf8)
    let rows = try MeasuredIteration.read(path: folder.file("t.csv")).rows
    return try IterationPrediction(#require(rows.first), on: loaded)
  }
}
