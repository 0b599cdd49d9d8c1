import Foundation
import TestSupport
import Testing

/// Whatever is wrong, the user gets one line that says so, and an exit status of `sysexits.h`.
@Suite struct BadInputTests {
  @Test(arguments: [
    (["--polcy", "layered"], 64, "--polcy"),
    (["--policy", "layerd"], 64, "did you mean 'layered'"),
    (["--policy", "layered[stage=4]"], 64, "it has: stages, cohort, groups"),
    (["--policy", "layered[stages=0]"], 64, "stages=0"),
    (["--policy", "layered[stages=64]"], 64, "at most the model's 48 layers"),
    (["--policy", "layered[stages"], 64, "name[key=value"),
    (["--policy", "chunked[decodes=maybe]"], 64, "free or count"),
    (["--trace", "arxvi"], 64, "did you mean 'arxiv'"),
    (["--trace", "missing.csv"], 64, "missing.csv"),
    (["--model", "qwen3-30b"], 64, "qwen3-30b-a3b"),
    (["--hardware", "h10"], 64, "h100-sxm"),
    (["--engine", "nano"], 64, "nano-vllm"),
    (["--engine-set", "host.per_iteration=1"], 64, "host.per_iteration_ms"),
    (["--engine-set", "host.per_iteration_ms=-1"], 64, "host.per_iteration_ms"),
    (["--engine-set", "host"], 64, "host"),
    (["--request-rate", "0"], 64, "rate"),
    (["--request-rate", "-1"], 64, "rate"),
    (["--request-rate", "nan"], 64, "rate"),
    (["--request-rate", "-1"], 64, "--request-rate -1.0: should be from 1e-6"),
    (["--seed", "-1"], 64, "--seed -1: expected a number that is not negative"),
    (["--max-num-seqs", "-3"], 64, "--max-num-seqs -3: expected"),
    (["--max-duration", "-2"], 64, "--max-duration -2"),
    (["--tp", "-2"], 64, "'tensor-parallel-size': '-2' is invalid; expected 1...1024"),
    (["--tp", "2.5"], 64, "--tensor-parallel-size 2.5: expected a whole number"),
    (["--tp", "99999999999999999999"], 64, "expected a smaller number, at most 9223372036854775807"),
    (
      ["--num-prompts", "99999999999999999999"], 64,
      "--num-prompts 99999999999999999999: expected a smaller number"
    ),
    (["--num-prompts", "1e30"], 64, "--num-prompts 1e30: expected a whole number"),
    (["--request-rate", "fast"], 64, "fast"),
    (["--num-prompts", "0"], 64, "num-prompts"),
    (["--burstiness", "0"], 64, "burstiness"),
    (["--time-scale", "2"], 64, "time"),
    (["--max-concurrency", "0"], 64, "--max-concurrency"),
    (["--max-num-seqs", "0"], 64, "--max-num-seqs"),
    (["--max-model-len", "1"], 64, "--max-model-len"),
    (["--gpu-memory-utilization", "1.5"], 64, "--gpu-memory-utilization"),
    (["--gpu-memory-utilization", "0.2"], 78, "no memory is left for KV blocks"),
    (["--tensor-parallel-size", "3"], 64, "divides"),
    (["--tensor-parallel-size", "0"], 64, "tensor-parallel-size"),
    (["--block-size", "0"], 64, "kv.block_size"),
    (["--max-num-batched-tokens", "0"], 64, "budget"),
    (["--slo", "ttft"], 64, "name:milliseconds"),
    (["--slo", "latency:5"], 64, "ttft, tbt, tpot, e2el"),
    (["--metric-percentiles", "50,x"], 64, "50,90,99"),
    (["--metric-percentiles", "101"], 64, "0 to 100"),
    (["--draw", "0"], 64, "--draw"),
    (["--log", "everything"], 64, "everything"),
    (["--routing", "zipf"], 64, "zipf"),
    (["--routing", "measured[file=none.csv]"], 66, "none.csv"),
    (["--db", "/nonexistent/folder/x.sqlite", "--num-prompts", "1"], 73, "/nonexistent/folder"),
    (["--profiles", "/nonexistent"], 66, "--profiles"),
    (["--engine-set", "host.per_iteration_ms=1e300"], 64, "host.per_iteration_ms"),
    (["--engine-set", "kernel_scale.other=1e308"], 64, "kernel_scale.other"),
    (["--hardware-set", "energy.idle_w=1e308"], 64, "energy.idle_w"),
    (["--db", ".", "--num-prompts", "1"], 73, "it is a directory"),
    (["--db", "", "--num-prompts", "1"], 73, "the name of a file is needed"),
    (["--db", ":memory:", "--num-prompts", "1"], 73, "the name of a file is needed"),
    (["list", "gpus"], 64, "gpus"),
    (["--speculative-config", "ngram"], 65, "not valid JSON; expected an object such as"),
    (
      ["--speculative-config", #"{"method": "ngram", "num_speculative_tokens": 3}"#], 64,
      "acceptance is data here"
    ),
  ])
  func isAnsweredInOneLine(arguments: [String], status: Int32, mentions text: String) throws {
    let outcome = try Binary.run(
      arguments + (arguments.contains("--db") || arguments[0] == "list" ? [] : ["--no-db"]))
    let lines = outcome.errors.split(separator: "\n")
    #expect(lines.count == 1, "\(outcome.errors)")
    #expect(outcome.errors.contains(text), "\(outcome.errors)")
    #expect(outcome.errors.hasPrefix("sim: "))
    #expect((64...78).contains(outcome.status) && outcome.status == status, "\(outcome.status)")
    #expect(outcome.output.isEmpty)
  }

  @Test func aBrokenRowIsNamedByFileLineAndField() throws {
    let folder = try TemporaryFolder()
    let path = try folder.file(
      "broken.csv", "arrived_at,num_prefill_tokens,num_decode_tokens\n0.0,10,5\n1.0,ten,5\n")
    let outcome = try Binary.run(["--trace", path, "--no-db"])
    #expect(outcome.status == 65)
    #expect(outcome.errors.contains("broken.csv:3") || outcome.errors.contains("line 3"), "\(outcome.errors)")
    #expect(outcome.errors.contains("num_prefill_tokens"), "\(outcome.errors)")
  }

  @Test func aDatabaseIsNoTrace() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("sim.sqlite")
    #expect(try Binary.run(["--num-prompts", "1", "--db", path]).status == 0)
    let outcome = try Binary.run(["--trace", path, "--no-db"])
    #expect(outcome.status == 66 && outcome.errors.contains("it is an SQLite database"), "\(outcome.errors)")
  }

  /// A number that is too large is not called something else than a whole number.
  @Test func aRowOutOfRangeIsToldItsRange() throws {
    let folder = try TemporaryFolder()
    let servers = try String(
      contentsOf: Binary.root.appending(path: "Results/published/servers/given.csv"), encoding: .utf8)
    var lines = servers.split(separator: "\n").prefix(2).map(String.init)
    lines[1] = lines[1].replacing(",1024,1024,", with: ",1024,99999999999,")
    let path = try folder.file("servers.csv", lines.joined(separator: "\n") + "\n")
    let outcome = try Binary.run(["validate", "servers", path])
    #expect(outcome.status == 65, "\(outcome.errors)")
    #expect(outcome.errors.contains("should be a whole number from 1 to 16777216"), "\(outcome.errors)")
  }

  /// `none` and nothing mean off, as in options beside them.
  @Test(arguments: [
    ["--vision-encoder", "none"], ["--kv-policy", "none"], ["--kv-offloading-size", "0"],
    ["--kv-tiers", "none"],
  ])
  func whatIsOffIsAsIfItWereLeftOut(arguments: [String]) throws {
    let usual = try Binary.run(["--dry-run", "--num-prompts", "2"])
    let off = try Binary.run(["--dry-run", "--num-prompts", "2"] + arguments)
    #expect(off.status == 0 && off.output == usual.output, "\(off.errors)")
  }

  @Test func aFileThatIsNoDatabaseIsLeftAlone() throws {
    let folder = try TemporaryFolder()
    let path = try folder.file(
      "notes.txt", "these are my notes, and they are long enough to be read as a header")
    let outcome = try Binary.run(["--num-prompts", "1", "--db", path])
    #expect((64...78).contains(outcome.status))
    #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
    let text = try String(contentsOfFile: path, encoding: .utf8)
    #expect(text.hasPrefix("these are my notes"))
  }

  @Test func whatCannotBePrintedIsAnError() throws {
    let process = Process()
    process.executableURL = Binary.url
    process.arguments = ["--num-prompts", "2", "--no-db"]
    process.currentDirectoryURL = Binary.root
    process.standardOutput = FileHandle(forWritingAtPath: "/dev/full")
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 74)
  }

  @Test func overLongRequestsAreCountedAndListed() throws {
    let folder = try TemporaryFolder()
    let path = try folder.file(
      "long.csv", "arrived_at,num_prefill_tokens,num_decode_tokens\n0.0,10,5\n1.0,40000,5\n")
    let outcome = try Binary.run(["--trace", path, "--no-db"])
    #expect(outcome.status == 0)
    #expect(outcome.errors.contains("rejected request 1: 40000 + 5 tokens exceed 32768"), "\(outcome.errors)")
    #expect(outcome.output.contains("Rejected requests:                      1"))
  }

  /// What a GPU could never take is no result.
  @Test func unbelievableTimesAreRefused() throws {
    let folder = try TemporaryFolder()
    let laws = try String(contentsOf: Binary.root.appending(path: "Profiles/laws.csv"), encoding: .utf8)
    let lines = laws.split(separator: "\n").map(String.init)
    let file = try folder.file(
      "laws.csv",
      [lines[0], lines[1].replacing(",18.1025,", with: ",1e9,").replacing(",19.9347,", with: ",1e9,")].joined(
        separator: "\n") + "\n")
    let outcome = try Binary.run(
      ["--cost-model", "law[\(file)]", "--engine", "ideal", "--num-prompts", "2", "--no-db"])
    #expect(outcome.status == 78 && outcome.errors.contains("an iteration takes"), "\(outcome.errors)")
    #expect(outcome.output == "")
  }
}
