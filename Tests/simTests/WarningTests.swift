import Foundation
import TestSupport
import Testing

@testable import Experiments

/// What is odd about a run is said, and what is asked for is done.
@Suite struct WarningTests {
  /// Llama 3.1 8B with fewer positions.
  func shortModel(in folder: TemporaryFolder) throws -> String {
    let text = try String(
      contentsOf: Binary.root.appending(path: "Profiles/models/llama-3.1-8b.json"), encoding: .utf8)
    return try folder.file(
      "short.json",
      text.replacing(#""max_position_embeddings": 131072"#, with: #""max_position_embeddings": 4096"#))
  }

  @Test func requestsBeyondTheModelsPositionsAreRejected() throws {
    let folder = try TemporaryFolder()
    let model = try shortModel(in: folder)
    let outcome = try Binary.run(["--model", model, "--tp", "1", "--num-prompts", "50", "--no-db", "--json"])
    #expect(outcome.status == 0, "\(outcome.errors)")
    let run = try #require(
      try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
    let rejected = try #require(run["rejected"] as? Int)
    #expect(rejected > 10 && (run["completed"] as? Int) == 50 - rejected)
    let longer = try Binary.run([
      "--model", model, "--tp", "1", "--num-prompts", "3", "--max-model-len", "8192", "--no-db",
    ])
    #expect(longer.errors.contains("has 4096 positions"), "\(longer.errors)")
  }

  @Test func littleMemoryForSequencesIsSaid() throws {
    let outcome = try Binary.run([
      "--tp", "1", "--gpu-memory-utilization", "0.76", "--num-prompts", "3", "--no-db",
    ])
    #expect(outcome.errors.contains("requests of mean length at a time"), "\(outcome.errors)")
  }

  /// What changes nothing is said, and the run is made.
  @Test(arguments: [
    (["--router", "kv"], "--router kv: one instance has nothing to decide"),
    (["--image-tokens", "100"], "--image-tokens 100: tokens of images cost what others do"),
    (["--measure-from", "1000"], "no request arrives in the measured part, from 1000.0 to"),
  ]) func whatChangesNothingIsSaid(arguments: [String], warning: String) throws {
    let plain = try Binary.run(["--num-prompts", "5", "--no-db"])
    let outcome = try Binary.run(["--num-prompts", "5", "--no-db"] + arguments)
    #expect(outcome.status == 0 && outcome.errors.contains(warning), "\(outcome.errors)")
    #expect(!plain.errors.contains(warning))
  }

  @Test func aRepeatedPercentileIsReportedOnce() throws {
    let outcome = try Binary.run([
      "--num-prompts", "3", "--metric-percentiles", "90,90,99", "--json", "--no-db",
    ])
    #expect(outcome.output.components(separatedBy: "\"p90_ttft_ms\"").count == 2)
  }

  @Test func fewDrawsAreRefused() throws {
    let outcome = try Binary.run(["--num-prompts", "3", "--uncertainty", "10", "--no-db"])
    #expect(outcome.status == 64 && outcome.errors.contains("64 to 10000"))
  }

  @Test func aNameThatLooksLikeAURIIsAFilesName() throws {
    let folder = try TemporaryFolder()
    let process = Process()
    process.executableURL = Binary.url
    process.arguments = [
      "--num-prompts", "2", "--db", "file:x.sqlite", "--profiles",
      Binary.root.appending(path: "Profiles").path,
      "--traces", Binary.root.appending(path: "Traces").path,
    ]
    process.currentDirectoryURL = URL(filePath: folder.file("a")).deletingLastPathComponent()
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    #expect(FileManager.default.fileExists(atPath: folder.file("file:x.sqlite")))
  }

  @Test func helpNamesTheUsualOptions() throws {
    let outcome = try Binary.run(["--help"])
    #expect(outcome.status == 0)
    for option in ["--trace", "--policy", "--model", "--tp", "--slo", "--request-rate"] {
      #expect(outcome.output.contains(option))
    }
  }
}
