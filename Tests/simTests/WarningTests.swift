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

  @Test(
    arguments: [
      (["--model", "qwen3-8b", "--enable-expert-parallel"], "--enable-expert-parallel changes nothing"),
      (
        ["--engine-set", "model.mxfp4_marlin=true"],
        "model.mxfp4_marlin changes nothing: qwen3-30b-a3b has no"
      ),
      (
        [
          "--model", "gpt-oss-20b", "--hardware", "b200", "--engine", "vllm", "--engine-set",
          "model.mxfp4_marlin=true",
        ],
        "model.mxfp4_marlin changes nothing: b200-sxm multiplies"
      ),
      (
        ["--model", "gpt-oss-20b", "--hardware", "a100", "--engine-set", "model.mxfp4_marlin=false"],
        "model.mxfp4_marlin=false changes nothing: a100-sxm has no FP8"
      ),
      (
        ["--tp", "1", "--enable-expert-parallel"], "changes nothing: one GPU holds all experts of its layers"
      ),
      (
        ["--model", "qwen3-8b", "--routing", "uniform"], "--routing changes nothing: qwen3-8b has no experts"
      ),
      (["--model", "mamba2-130m", "--kv-cache-dtype", "fp8"], "keeps states, and no keys and values"),
      (
        [
          "--model", "qwen3-8b", "--speculative-config",
          #"{"method": "mtp", "num_speculative_tokens": 1, "synthetic_acceptance_rates": [0.7]}"#,
        ], "has no layer of multi-token prediction"
      ),
      (
        ["--hardware-set", "memory.bandwidth_bytes_per_s=1e12"],
        "bandwidth_bytes_per_s: kernels take as long as what is known of"
      ),
      (
        ["--hardware-set", "memory.l2_bytes=1000"],
        "memory.l2_bytes: kernels take as long as what is known of"
      ),
    ])
  func whatChangesNothingOfASystemIsSaid(arguments: [String], expected: String) throws {
    let outcome = try Binary.run(arguments + ["--num-prompts", "2", "--no-db"])
    #expect(outcome.status == 0 && outcome.errors.contains(expected), "\(outcome.errors)")
    #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
  }

  /// A price of one unit a step rests on no rate at all.
  @Test func ratesOfNoKernelsAreNotWarnedOf() throws {
    let outcome = try Binary.run([
      "--hardware-set", "memory.bandwidth_bytes_per_s=1e12", "--cost-model", "unit", "--num-prompts", "2",
      "--no-db",
    ])
    #expect(outcome.status == 0 && !outcome.errors.contains("--hardware-set"), "\(outcome.errors)")
  }

  @Test func whatIsUsedIsNotWarnedOf() throws {
    let outcome = try Binary.run([
      "--model", "qwen3.5-35b-a3b", "--enable-expert-parallel", "--routing", "uniform", "--kv-cache-dtype",
      "fp8",
      "--speculative-config",
      #"{"method": "mtp", "num_speculative_tokens": 1, "synthetic_acceptance_rates": [0.7]}"#,
      "--hardware-set",
      "power.limit_w=600", "--num-prompts", "2", "--no-db",
    ])
    #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
  }

  /// Counts are those of the model's own layers.
  @Test func draftsThatHaveAnotherRoutingSaySo() throws {
    let counts = (0..<40).flatMap { layer in (0..<256).map { "\(layer),\($0),\($0 + 1)\n" } }
    try ScratchFolder.with("counts.csv", "layer,expert,count\n" + counts.joined()) { file in
      let outcome = try Binary.run([
        "--model", "qwen3.5-35b-a3b", "--routing", "measured[file=\(file.path)]", "--speculative-config",
        #"{"method": "mtp", "num_speculative_tokens": 1, "synthetic_acceptance_rates": [0.7]}"#,
        "--num-prompts", "2", "--no-db",
      ])
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.output.contains("Draft layers do not share --routing measured[file="))
      #expect(outcome.output.contains("Theirs: estimate."))
    }
  }

  /// Where no request is measured there is no figure, and no advice that would measure none either.
  @Test func aPartWithoutRequestsHasNoFigures() throws {
    let options = ["--num-prompts", "5", "--measure-from", "1000", "--no-db"]
    let report = try Binary.run(options).output
    #expect(report.contains("No request was measured") && !report.contains("TTFT"), "\(report)")
    #expect(!report.contains("Next: "))
    let text = try Binary.run(options + ["--json"]).output
    #expect(
      text.contains("\"slo_attainment\": null") && text.contains("\"request_throughput\": null"), "\(text)")
    #expect(text.contains("\"interrupted\": false"))
  }

  /// Keys are the same whatever says how long iterations take.
  @Test func aRunWithoutKernelsHasTheKeysOfOthers() throws {
    let keys = try [[], ["--cost-model", "unit"], ["--cost-model", "law[opt-13b-tp1]"]].map { options in
      let text = try Binary.run(options + ["--num-prompts", "2", "--json", "--no-db"]).output
      let run = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
      return run.keys.sorted()
    }
    #expect(keys[0].contains("kernel_time_by_evidence") && keys[1] == keys[0] && keys[2] == keys[0])
  }

  @Test func whatTimesRestOnIsSaid() throws {
    let options = ["--model", "jamba-1.5-mini", "--hardware", "h200", "--num-prompts", "2", "--no-db"]
    let report = try Binary.run(options)
    #expect(report.output.contains("Kernel time by evidence: "), "\(report.output)")
    #expect(report.output.contains("States of Mamba-1: ") && report.output.contains("rate of exponentials"))
    let text = try Binary.run(options + ["--json"]).output
    let run = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    let shares = try #require(run["kernel_time_by_evidence"] as? [String: Double])
    #expect(abs(shares.values.reduce(0, +) - 1) < 1e-9)
    #expect((shares["by_a_law_of_all_shapes"] ?? 0) > 0.2 && (shares["by_the_data_sheet"] ?? 0) > 0)
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
