import Foundation
import TestSupport
import Testing

/// What a user does from the second hour on: configuration files, generated traces, classes, windows, checks, stopping.
@Suite struct EverydayTests {
  private func object(_ outcome: Binary.Outcome) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
  }

  @Test func aConfigurationFileHoldsOptions() throws {
    let folder = try TemporaryFolder()
    let file = try folder.file(
      "study.json",
      """
      {"trace": "sharegpt", "policy": "layered", "request_rate": 2.5, "num-prompts": 5, "no-db": true, "json": true,
      "slo": ["ttft:1s", "tbt:50ms"], "engine-set": ["host.per_iteration_ms=2"], "shuffle": false}
      """)
    let run = try object(Binary.run(["run", "--config", file]))
    #expect(run["trace"] as? String == "sharegpt" && run["request_rate"] as? Double == 2.5)
    #expect((run["policy"] as? String)?.hasPrefix("layered") == true)
    // The command line has the last word.
    let other = try object(Binary.run(["--config=" + file, "--policy", "chunked"]))
    #expect((other["policy"] as? String)?.hasPrefix("chunked") == true)
    let sweep = try folder.file(
      "sweep.json", "{\"seed\": [0, 1], \"num-prompts\": 2, \"policy\": [\"chunked\", \"layered\"]}")
    let points = try Binary.run(["sweep", "--config", sweep, "--db", folder.file("s.sqlite")])
    #expect(points.status == 0 && points.output.contains("4 points"), "\(points.errors)")
  }

  /// What --dry-run prints is a configuration file, too, for each command; what cannot be said by options is refused.
  @Test func anExperimentIsAConfigurationFile() throws {
    let folder = try TemporaryFolder()
    let options = [
      "--trace", "sharegpt", "--policy", "layered[stages=8]", "--request-rate", "3", "--num-prompts", "6",
      "--engine", "vllm",
      "--engine-set", "host.per_iteration_ms=2", "--slo", "ttft:1s", "tpot:30ms", "--request-class",
      "chat[share=2,ttft=500ms,priority=1]", "--request-class", "rest", "--seed", "18446744073709551615",
      "--kv-tiers", "host-pcie5:64,eth100:4096:shared", "--enable-prefix-caching", "--speculative-config",
      #"{"method": "ngram", "num_speculative_tokens": 2, "synthetic_acceptance_rates": [0.5, 0.25]}"#,
    ]
    let file = try folder.file("study.json", Binary.run(options + ["--dry-run"]).output)
    let own = try object(Binary.run(options + ["--no-db", "--json"]))
    let configured = try object(Binary.run(["run", "--config", file, "--no-db", "--json"]))
    #expect(own.count > 50 && own["completed"] as? Int == 6)
    for (name, value) in own where name != "wall_s" && name != "date" {
      #expect((value as? NSObject)?.isEqual(configured[name]) == true, "\(name)")
    }
    // The command line has the last word, under any of an option's names.
    let other = try object(Binary.run(["--config", file, "--gpu", "h200-sxm", "--no-db", "--json"]))
    #expect(other["hardware"] as? String == "h200-sxm")
    let plain = try folder.file(
      "plain.json", Binary.run(["--policy", "layered", "--num-prompts", "4", "--dry-run"]).output)
    let comparison = try Binary.run([
      "compare", "chunked", "layered", "--config", plain, "--no-db", "--no-sensitivity",
    ])
    #expect(comparison.status == 0, "\(comparison.errors)")
    let sweep = try Binary.run(
      ["sweep", "--config", plain, "--seed", "0:2", "--db", folder.file("s.sqlite")])
    #expect(sweep.status == 0 && sweep.output.contains("3 points"), "\(sweep.errors)")
    let pools = try folder.file(
      "pools.json",
      Binary.run(["--disaggregation", "prefill=1xTP1,decode=1xTP1", "--dry-run"]).output)
    let refused = try Binary.run(["--config", pools, "--no-db"])
    #expect(refused.status == 64 && refused.errors.contains("sim run --from"), "\(refused.errors)")
  }

  @Test func dataSetsHaveTheirNamesInVLLM() throws {
    let random = try object(
      Binary.run([
        "--dataset-name", "random", "--num-prompts", "3", "--request-rate", "inf", "--no-db", "--json",
      ]))
    #expect(
      random["total_input_tokens"] as? Int == 3 * 1024 && random["total_output_tokens"] as? Int == 3 * 128)
    let shared = try object(
      Binary.run(["--dataset-name", "sharegpt", "--num-prompts", "3", "--no-db", "--json"]))
    #expect(shared["trace"] as? String == "sharegpt")
  }

  /// A sweep ends with means over its seeds and a verdict; its columns can be chosen.
  @Test func aSweepSaysWhatItComesTo() throws {
    let folder = try TemporaryFolder()
    let options = [
      "sweep", "--policy", "chunked[budget=512],layered", "--request-rate", "1,4", "--seed", "0:2",
      "--num-prompts", "60",
      "--db", folder.file("s.sqlite"), "--columns", "mean_ttft_ms,slo_attainment",
    ]
    let sweep = try Binary.run(options)
    #expect(sweep.status == 0, "\(sweep.errors)")
    #expect(
      sweep.output.contains("Means over seeds") && sweep.output.contains("layered is best: "),
      "\(sweep.output)")
    #expect(!sweep.output.contains("p99_itl_ms") && sweep.output.contains("mean_ttft_ms"))
    let wrong = try Binary.run(options.dropLast() + ["mean_tft_ms"])
    #expect(wrong.status == 64 && wrong.errors.contains("'mean_ttft_ms'"), "\(wrong.errors)")
  }

  /// Every run ends with the command to type next, which works.
  @Test func aRunSaysWhatIsNext() throws {
    let run = try Binary.run(["--trace", "sharegpt", "--num-prompts", "4", "--slo", "ttft:9s", "--no-db"])
    let line = try #require(run.output.split(separator: "\n").first { $0.hasPrefix("Next: ") })
    #expect(
      line.contains("compare chunked layered --trace sharegpt") && line.contains("--slo ttft:9.0s"), "\(line)"
    )
    let words = line.split(separator: "  ")[0].split(separator: " ").dropFirst(2).map(String.init)
    let next = try Binary.run(words + ["--no-db", "--no-sensitivity"])
    #expect(next.status == 0, "\(next.errors)")
  }

  /// All requests at once have no rate, which tune looks for from the usual one; a comparison keeps them as they are.
  @Test(arguments: [("ttft:1ms", "tune --policy", false), ("ttft:1000s", "compare chunked layered", true)])
  func whatIsNextAfterRequestsThatComeAtOnce(limit: String, command: String, keepsRate: Bool) throws {
    let run = try Binary.run([
      "--request-rate", "inf", "--num-prompts", "4", "--slo", limit, "--policy", "chunked", "--no-db",
    ])
    let line = try #require(run.output.split(separator: "\n").first { $0.hasPrefix("Next: ") })
    #expect(line.contains(command) && line.contains("--request-rate inf") == keepsRate, "\(line)")
  }

  @Test(arguments: [
    ("{\"polcy\": \"layered\"}", "--polcy", Int32(64)), ("[1]", "object", 65),
    ("{\"policy\": {}}", "policy", 65), ("{", "JSON", 65),
  ])
  func aWrongConfigurationFileIsExplained(text: String, reason: String, status: Int32) throws {
    let folder = try TemporaryFolder()
    let outcome = try Binary.run(["--no-db", "--config", try folder.file("c.json", text)])
    #expect(outcome.status == status && outcome.errors.contains(reason), "\(outcome.errors)")
    #expect(outcome.errors.split(separator: "\n").count == 1)
  }

  @Test func theVersionNamesItsFigures() throws {
    let outcome = try Binary.run(["--version"])
    #expect(outcome.status == 0 && outcome.output.contains("figures of revision"))
  }

  /// A cache finds nearly what the generator says that an endless one would.
  @Test func generatedConversationsArePlayed() throws {
    let folder = try TemporaryFolder()
    let made = try Binary.run(["generate", "sessions", "--num-prompts", "200", "--spread", "0"])
    #expect(made.status == 0 && made.errors.contains("an endless cache finds"), "\(made.errors)")
    let words = made.errors.split(separator: " ")
    let place = try #require(words.firstIndex { $0.hasPrefix("%") })
    let endless = try #require(Double(words[place - 1])) / 100
    let trace = try folder.file("chat.jsonl", made.output)
    let run = try object(
      Binary.run(["--trace", trace, "--engine", "vllm", "--enable-prefix-caching", "--no-db", "--json"]))
    #expect(run["completed"] as? Int == 200)
    let found = try #require(run["prefix_hit_rate"] as? Double)
    // Answers stay in the cache, too, and are part of the next prompt.
    #expect(found > endless - 0.02 && found < endless + 0.35, "\(found) \(endless)")
    let documents = try Binary.run(["generate", "documents", "--num-prompts", "20", "--sorted"])
    #expect(documents.output.split(separator: "\n").count == 20)
    let wrong = try Binary.run(["generate", "documents", "--documents", "60", "--library", "100"])
    #expect(wrong.status == 64 && wrong.errors.contains("at most half"), "\(wrong.errors)")
  }

  @Test func classesAreReported() throws {
    let mix = [
      "--request-class", "chat[share=3,ttft=1s]", "--request-class", "batch[share=1,ttft=60s,priority=1]",
    ]
    let run = try object(
      Binary.run(
        ["--num-prompts", "80", "--request-rate", "3", "--no-db", "--json", "--policy", "edf"] + mix))
    let classes = try #require(run["classes"] as? [[String: Any]])
    #expect(classes.compactMap { $0["name"] as? String } == ["chat", "batch"])
    #expect(classes.compactMap { $0["num_prompts"] as? Int }.reduce(0, +) == 80)
    let wrong = try Binary.run(["--no-db", "--request-class", "chat[share=x]"])
    #expect(wrong.status == 64 && wrong.errors.contains("--request-class chat[share=x]"), "\(wrong.errors)")
  }

  @Test func patternsAndWindowsAreStoredAndRunAgain() throws {
    let folder = try TemporaryFolder()
    let database = folder.file("r.sqlite")
    let options = [
      "--ramp-up-strategy", "exponential", "--ramp-up-start-rps", "0.5", "--ramp-up-end-rps", "4",
      "--num-prompts", "60",
      "--measure-from", "20", "--request-class", "a[ttft=2s]", "--request-class", "b",
    ]
    let first = try object(Binary.run(options + ["--db", database, "--json"]))
    let again = try object(Binary.run(["--again", "1", "--db", database, "--json"]))
    #expect(first["mean_ttft_ms"] as? Double == again["mean_ttft_ms"] as? Double)
    #expect(try #require(first["completed"] as? Int) < 60)
    let hashes = try Binary.run([
      "query", "SELECT count(DISTINCT config_hash) AS n FROM runs", "--db", database, "--format", "csv",
    ])
    #expect(hashes.output == "n\n1\n", "\(hashes.output)")
    let report = try Binary.run(options + ["--no-db"])
    #expect(report.output.contains("Measured from 20 s on"))
    for arrivals in ["bursts", "daily"] {
      let run = try object(Binary.run(["--arrivals", arrivals, "--num-prompts", "30", "--no-db", "--json"]))
      #expect(run["completed"] as? Int == 30)
    }
  }

  /// What a stored run rests on may have changed since: the run goes on, and says so in a line.
  @Test func aChangedTraceIsNoticedAsARunIsRepeated() throws {
    let folder = try TemporaryFolder()
    let (database, trace) = (folder.file("r.sqlite"), folder.file("t.csv"))
    func write(_ tokens: Int) throws {
      let rows = "arrived_at,num_prefill_tokens,num_decode_tokens\n0.0,\(tokens),4\n0.5,300,4\n"
      try rows.write(toFile: trace, atomically: true, encoding: .utf8)
    }
    try write(200)
    _ = try object(Binary.run(["--trace", trace, "--db", database, "--json"]))
    let same = try Binary.run(["--again", "1", "--db", database, "--json"])
    #expect(same.status == 0 && !same.errors.contains("was stored before"), "\(same.errors)")
    try write(400)
    let changed = try Binary.run(["--again", "1", "--db", database, "--json"])
    #expect(changed.status == 0)
    #expect(
      changed.errors.contains("run 1 was stored before its trace changed: figures may differ"),
      "\(changed.errors)")
  }

  @Test func aChangedDatabaseIsNoticed() throws {
    let folder = try TemporaryFolder()
    let database = folder.file("r.sqlite")
    for policy in ["chunked", "layered"] {
      #expect(try Binary.run(["--num-prompts", "9", "--policy", policy, "--db", database]).status == 0)
    }
    let whole = try Binary.run(["query", "check", "--db", database, "--format", "csv"])
    #expect(whole.status == 0 && whole.output == "run_id,figure,stored,logged\n", "\(whole.output)")
    let edit = Process()
    edit.executableURL = URL(filePath: "/usr/bin/env")
    edit.arguments = [
      "python3", "-c",
      "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); "
        + "c.execute('DELETE FROM requests WHERE run_id = 2 AND request_id = 3'); c.commit()", database,
    ]
    try edit.run()
    edit.waitUntilExit()
    let damaged = try Binary.run(["query", "check", "--db", database, "--format", "csv"])
    #expect(damaged.output.contains("2,completed,9,8") && damaged.output.contains("2,mean_ttft_ms,"))
    #expect(!damaged.output.contains("\n1,"))
    // Whoever reads that run is told.
    let read = try Binary.run(["query", "slowest", "--run", "2", "--db", database])
    #expect(
      read.status == 0 && read.errors.contains("run 2 is damaged, or was changed: completed,"),
      "\(read.errors)")
    let well = try Binary.run(["query", "slowest", "--run", "1", "--db", database])
    #expect(well.status == 0 && well.errors == "")
  }

  /// Ctrl-C ends a run with the report of what was simulated, and a comparison with that of the policies that ran.
  @Test(arguments: [["run"], ["run", "--json"], ["compare", "layered", "chunked"]])
  func aRunCanBeStopped(command: [String])
    throws
  {
    let process = Process()
    process.executableURL = Binary.url
    process.arguments =
      command + [
        "--trace", "sharegpt", "--request-rate", "1", "--num-prompts", "100000000", "--no-db",
      ]
    process.currentDirectoryURL = Binary.root
    let output = Pipe()
    (process.standardOutput, process.standardError) = (output, FileHandle.nullDevice)
    process.standardInput = FileHandle.nullDevice
    try process.run()
    // It listens as soon as its files are read.
    Thread.sleep(forTimeInterval: 8)
    kill(process.processIdentifier, SIGINT)
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 130, "\(process.terminationReason)")
    #expect(
      command.contains("--json")
        ? text.contains("\"interrupted\": true")
        : command == ["run"]
          ? text.contains("Interrupted after") && text.contains("Mean TTFT")
          : text.contains("was interrupted after") && text.contains("mean_iteration_ms")
            && text.contains("Interrupted before chunked"))
  }
}
