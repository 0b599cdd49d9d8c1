import Foundation
import TestSupport
import Testing

/// What people try in the first hour.
@Suite struct FirstHourTests {
  @Test(arguments: [
    (["--ignore-eos"], "leave it out"), (["--dtype", "fp8"], "config.json"),
    (["--dataset-name", "sonnet"], "burstgpt"), (["--dataset-name", "custom"], "--trace"),
    (["--kv-cache-dtype", "int4"], "'fp8'"),
    (["runn"], "did you mean 'sim run'"), (["--hardware", "h101-sxm"], "did you mean 'h100-sxm'"),
    (["--uncertainty=-1"], "64 to 10000"), (["--seed", "18446744073709551616"], "seed"),
    (["--policy", "chunked[budget=5,budget=6]"], "twice"), (["--policy", "sjf"], "'shortest'"),
    (["--slo", "tpot:1e308"], "at most 1e9 s"), ([String(repeating: "x", count: 9000)], "…"),
    (["--policy", "\u{202E}x"], "unknown policy"),
    (["--model", "Qwen/Qwen3-31B"], "known: "),
    (["--input-len", "5"], "--output-len"), (["--trace-start", "5"], "length model"),
  ])
  func mistakesAreAnsweredWithTheCure(arguments: [String], cure: String) throws {
    let outcome = try Binary.run(arguments + ["--no-db"])
    #expect(outcome.status == 64, "\(outcome.errors)")
    #expect(outcome.errors.contains(cure), "\(outcome.errors)")
    #expect(outcome.errors.split(separator: "\n").count == 1 && outcome.errors.count < 1100)
    #expect(!outcome.errors.unicodeScalars.contains { $0.properties.generalCategory == .format })
  }

  @Test func namesOfRepositoriesAndFoldersOfModelsAreTaken() throws {
    let folder = try TemporaryFolder()
    let config = try String(
      contentsOf: Binary.root.appending(path: "Profiles/models/qwen3-8b.json"), encoding: .utf8)
    let path = try folder.file("config.json", config)
    let snapshot = URL(filePath: path).deletingLastPathComponent().path
    for (model, gpus) in [("Qwen/Qwen3-30B-A3B", "2"), (snapshot, "1")] {
      let outcome = try Binary.run(["--model", model, "--tp", gpus, "--num-prompts", "3", "--no-db"])
      #expect(outcome.status == 0, "\(outcome.errors)")
    }
  }

  /// A GPU by its first word in any case; vLLM's flags of formats and graphs.
  @Test(arguments: ["h100", "H100", "H100-SXM"]) func GPUsHaveShortNames(name: String) throws {
    let outcome = try Binary.run(
      ["--hardware", name, "--enforce-eager", "--kv-cache-dtype", "fp8", "--num-prompts", "3", "--no-db"])
    #expect(outcome.status == 0 && outcome.output.contains("2 x h100-sxm"), "\(outcome.errors)")
  }

  /// As in vLLM's benchmark: without a rate eight clients send the next request when one is done.
  @Test func clientsWithoutARateSendAllAtOnce() throws {
    let clients = try Binary.run(
      ["--trace", "sharegpt", "--max-concurrency", "8", "--num-prompts", "80", "--no-db"])
    #expect(clients.output.contains("all-at-once"), "\(clients.errors)")
    #expect(clients.output.contains("Peak concurrent requests:               8"))
    let paced = try Binary.run([
      "--trace", "sharegpt", "--max-concurrency", "8", "--num-prompts", "80", "--request-rate", "2",
      "--no-db",
    ])
    #expect(paced.output.contains("2 req/s"), "\(paced.errors)")
  }

  @Test func devicesAndOtherBinaryFilesAreNoTraces() throws {
    let outcome = try Binary.run(["--trace", "/dev/zero", "--no-db"])
    #expect(outcome.status == 66 && outcome.errors.contains("bytes of value 0"), "\(outcome.errors)")
  }

  /// TensorRT-LLM takes no prompt beyond its budget unless it may cut them; the line names that limit, not another.
  @Test func aPromptThatIsTooLongForItsPolicyIsNamed() throws {
    let outcome = try Binary.run(["--engine", "trtllm", "--num-prompts", "3", "--no-db"])
    #expect(outcome.status == 0 && outcome.errors.contains("exceeds 8192"), "\(outcome.errors)")
    #expect(outcome.errors.contains("trtllm[chunks=yes] cuts prompts"), "\(outcome.errors)")
  }

  /// Where two groups of blocks share the memory, it is that, and not the policy, which cuts prompts.
  @Test func aPromptThatIsTooLongForTheMemoryIsNamed() throws {
    let outcome = try Binary.run([
      "--model", "gpt-oss-20b", "--tp", "1", "--engine", "vllm", "--num-gpu-blocks-override", "600",
      "--num-prompts",
      "2", "--no-db",
    ])
    #expect(outcome.status == 0 && outcome.errors.contains("exceeds 4784, the longest whose KV entries fit"))
    #expect(!outcome.errors.contains("without cutting"), "\(outcome.errors)")
  }

  /// The head says which GPUs do what, and a setting without effect is named.
  @Test(arguments: [
    (["--model", "llama-3.1-70b", "--tp", "2", "--pp", "4"], "on 4 stages x 2 x h100-sxm", false),
    (
      ["--model", "deepseek-r1", "--hardware", "h200", "--tp", "1", "--data-parallel-size", "8"]
        + ["--enable-expert-parallel", "--engine-set", "experts.own_choices=true"],
      "on 8 ranks x 1 x h200-sxm", false
    ),
    (
      ["--model", "qwen3-8b", "--tp", "1", "--engine-set", "experts.own_choices=true"], "on 1 x h100-sxm",
      true
    ),
  ]) func theSystemIsNamed(options: [String], title: String, isIdle: Bool) throws {
    let outcome = try Binary.run(options + ["--engine", "vllm", "--num-prompts", "2", "--no-db"])
    #expect(outcome.status == 0 && outcome.output.contains(title), "\(outcome.output)\(outcome.errors)")
    #expect(outcome.errors.contains("experts.own_choices changes nothing") == isIdle, "\(outcome.errors)")
  }

  @Test func aMedianIsPrintedOnce() throws {
    let outcome = try Binary.run(
      ["--num-prompts", "3", "--metric-percentiles", "50,50,90", "--json", "--no-db"])
    #expect(outcome.output.components(separatedBy: "\"median_ttft_ms\"").count == 2)
    #expect(outcome.output.contains("\"p90_ttft_ms\""))
  }

  /// Reading leaves nothing behind, and works where nothing can be written.
  @Test func queriesLeaveNothingBehind() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("r.sqlite")
    #expect(try Binary.run(["--num-prompts", "3", "--db", path]).status == 0)
    let parent = URL(filePath: path).deletingLastPathComponent().path
    try FileManager.default.setAttributes([.posixPermissions: 0o555], ofItemAtPath: parent)
    defer { try? FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: parent) }
    let outcome = try Binary.run(["query", "SELECT count(*) AS n FROM runs", "--db", path])
    #expect(outcome.status == 0 && outcome.output.hasSuffix("1\n"), "\(outcome.errors)")
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: parent).filter { $0.hasPrefix("r.") } == [
        "r.sqlite"
      ])
  }

  @Test(arguments: [
    ("SELECT zeroblob(1000000000)", "64 MiB", Int32(64)),
    (
      "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT max(x) FROM c", "stopped after",
      75
    ),
  ])
  func queriesHaveAnEnd(sql: String, reason: String, status: Int32) throws {
    let folder = try TemporaryFolder()
    let path = folder.file("r.sqlite")
    #expect(try Binary.run(["--num-prompts", "3", "--db", path]).status == 0)
    let outcome = try Binary.run(["query", sql, "--db", path, "--time-limit", "1"])
    #expect(outcome.status == status && outcome.errors.contains(reason), "\(outcome.errors)")
  }

  @Test func vLLMsNamesOfRandomLengthsWork() throws {
    let outcome = try Binary.run([
      "--random-input-len", "1000", "--random-output-len", "10", "--random-range-ratio", "0.8",
      "--num-prompts", "5",
      "--request-rate", "inf", "--max-concurrency", "2", "--no-db",
    ])
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.contains("random-1000-10-0.8"))
  }

  @Test func anEmptyFileIsADatabaseWithoutRuns() throws {
    let folder = try TemporaryFolder()
    let path = try folder.file("e.sqlite", "")
    let outcome = try Binary.run(["sweep", "--num-prompts", "3", "--seed", "0:1", "--db", path])
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.contains("2 points"))
  }

  /// With standard error full or closed the report is complete all the same.
  @Test(arguments: ["2>/dev/full", "2>&-"])
  func aBrokenStandardErrorCostsNothing(redirection: String) throws {
    let process = Process()
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments = [
      "-c", "'\(Binary.url.path)' --trace arxiv --num-prompts 3 --max-duration 1 --no-db \(redirection)",
    ]
    process.currentDirectoryURL = Binary.root
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0 && output.contains("Simulated in"))
  }

  @Test func policiesAreListedWithTheirDefaults() throws {
    let outcome = try Binary.run(["list", "policies"])
    #expect(outcome.output.contains("(default: the engine's)") && outcome.output.contains("tiers"))
  }

  /// One point on whose system the model does not fit is named, and the others run.
  @Test func anImpossiblePointStopsNoOther() throws {
    let folder = try TemporaryFolder()
    let outcome = try Binary.run([
      "sweep", "--tp", "1,2", "--gpu-memory-utilization", "0.6", "--num-prompts", "3", "--db",
      folder.file("s.sqlite"),
      "--json",
    ])
    #expect(outcome.status == 78 && outcome.errors.contains("no memory is left"), "\(outcome.errors)")
    let rows = try #require(
      try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [[String: Any]])
    #expect(rows.count == 2 && rows[0]["run_id"] is Int && rows[1]["run_id"] is NSNull)
  }

  /// Where no request is in the part that counts there is nothing to compare, and no figure that is none.
  @Test func aComparisonOfNothingSaysSo() throws {
    let outcome = try Binary.run([
      "compare", "chunked", "layered", "--num-prompts", "3", "--measure-from", "100000", "--no-db",
      "--no-sensitivity",
    ])
    #expect(
      outcome.status == 0 && outcome.output.contains("no request that both completed"), "\(outcome.errors)")
    #expect(!outcome.output.contains("nan "))
  }
}
