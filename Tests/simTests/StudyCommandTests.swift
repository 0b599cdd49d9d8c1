import Foundation
import Testing

@testable import sim

/// Commands and options of the studies.
@Suite struct StudyCommandTests {
  func rows(_ arguments: [String]) throws -> [[String: Any]] {
    let outcome = try Binary.run(arguments + ["--json"])
    #expect(outcome.status == 0, "\(outcome.errors)")
    let value = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
    return value as? [[String: Any]] ?? []
  }

  @Test func anarchyIsHeldAgainstTheOptimum() throws {
    let rows = try rows([
      "anarchy", "--trace", "sharegpt", "--replicas", "2", "--num-prompts", "7", "--request-rate", "30",
      "--router", "kv,kv[temperature=0.5]", "--optimum", "--improve", "20",
    ])
    // Selfish is always among them.
    #expect(
      rows.compactMap { $0["router"] as? String } == [
        "selfish", "kv", "kv[temperature=0.5]", "improved", "optimum",
      ])
    let ratios = rows.compactMap { $0["over_best"] as? Double }
    #expect(ratios.count == 5 && ratios.allSatisfy { $0 >= 1 } && ratios.last == 1)
  }

  @Test func theSplitOfTheCaseStudy() throws {
    let best = try #require(try rows(["offload"]).first)
    #expect(best["threshold_tokens"] as? Double == 19_613 && best["prefill_instances"] as? Int == 3)
    let asked = try rows(["offload", "--threshold", "19613", "--prefill-instances", "3"])
    #expect(asked.count == 5 && asked[0]["split"] as? String == "as asked for")
  }

  @Test func aBatchComputesWhatIsPlanned() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let trace = folder.appending(path: "qa.jsonl").path
    let made = try Binary.run([
      "generate", "documents", "--documents", "1", "--library", "20", "--zipf", "0", "--num-prompts", "80",
      "--document",
      "512", "--system", "0", "--block", "16",
    ])
    try made.output.write(toFile: trace, atomically: true, encoding: .utf8)
    let rows = try rows(["batch", "--trace", trace, "--engine", "vllm", "--num-gpu-blocks-override", "2000"])
    #expect(rows.compactMap { $0["method"] as? String } == ["vllm", "sorted", "batchllm"])
    let planned = try #require(rows[2]["planned_saving"] as? Double)
    #expect(abs((rows[2]["saving"] as? Double ?? 0) - planned) < 0.005 && planned > 0.5)
    #expect(rows.allSatisfy { $0["rejected"] as? Int == 0 })
  }

  @Test func storedChunksAreUsedAgain() throws {
    func time(_ options: [String]) throws -> Double {
      let outcome = try Binary.run(
        [
          "run", "--no-db", "--json", "--model", "llama-3.1-8b", "--tp", "1", "--engine", "vllm",
          "--no-enable-prefix-caching", "--num-prompts", "1", "--input-len", "3104", "--output-len", "1",
          "--request-rate", "inf", "--policy", "chunked[budget=8192]",
        ] + options)
      #expect(outcome.status == 0, "\(outcome.errors)")
      let run = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
      return run?["mean_ttft_ms"] as? Double ?? .nan
    }
    func blend(_ text: String) -> [String] { ["--prefill-sparsity", "cacheblend[\(text)]"] }
    let full = try time([])
    #expect(try time(blend("ratio=1")) == full)
    #expect(try time(blend("ratio=0,suffix=4000")) == full)
    let mixed = try time(blend("ratio=0.15"))
    #expect(mixed < 0.5 * full && mixed > 0.15 * full)
    // 3,072 tokens of 131,072 bytes less the first of 32 layers, at 0.1 GB/s: 3.9 s, and a layer.
    let slow = try time(blend("ratio=0.15,bandwidth=0.1"))
    let load = 3072.0 * 131_072 * 31 / 32 / 0.1e9 * 1000
    #expect(slow > load && slow < load + mixed)
    #expect(try time(blend("ratio=0.15,bandwidth=1000000")) == mixed)
  }

  @Test func levelsBelowAreReportedAndStored() throws {
    try TestProject.withDatabase { database in
      let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      defer { try? FileManager.default.removeItem(at: folder) }
      let trace = folder.appending(path: "chat.jsonl").path
      let made = try Binary.run(["generate", "sessions", "--num-prompts", "120", "--request-rate", "2"])
      try made.output.write(toFile: trace, atomically: true, encoding: .utf8)
      let options = [
        "--trace", trace, "--engine", "vllm", "--num-gpu-blocks-override", "600", "--db", database, "--json",
        "--max-model-len", "9000",
      ]
      func loaded(_ more: [String]) throws -> (loaded: Int, rate: Double) {
        let outcome = try Binary.run(
          more.first == "--again" ? more + ["--db", database, "--json"] : options + more)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let run = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
        return (run?["loaded_tokens"] as? Int ?? -1, run?["prefix_hit_rate"] as? Double ?? .nan)
      }
      let none = try loaded([])
      let host = try loaded(["--kv-offloading-size", "64"])
      #expect(none.loaded == -1 && host.loaded > 0 && host.rate > none.rate)
      let disk = try loaded(["--kv-tiers", "host-pcie5:0.05,nvme4:64"])
      #expect(disk.loaded == host.loaded && disk.rate == host.rate)
      #expect(try loaded(["--again", "2"]).loaded == host.loaded)
    }
  }

  @Test(arguments: [
    (["anarchy", "--window", "0"], "--window 0: expected 1 to 512"),
    (["anarchy", "--replicas", "4", "--num-prompts", "50", "--optimum"], "--optimum: more than 200000"),
    (["anarchy", "--max-duration", "1"], "--max-duration: of a run that is cut"),
    (["anarchy", "--max-model-len", "2", "--num-prompts", "3"], "--max-model-len: no request is served"),
    (["offload", "--sigma", "0.01", "--shortest", "100000"], "--mu, --sigma: no prompt is from 100000"),
    (["anarchy", "--router", "nosuch"], "unknown router 'nosuch'"),
    (["offload", "--remote-table", "nosuch"], "table nosuch: expected one of prfaas-h200"),
    (["offload", "--threshold", "5"], "--threshold and --prefill-instances go together"),
    (["offload", "--egress=-1"], "--egress -1: expected"),
    (["batch", "--method", "other"], "--method other: expected vllm, sorted, batchllm"),
    (["batch", "--trace", "sharegpt"], "--no-enable-prefix-caching: methods share prefixes"),
    (["batch", "--request-rate", "2"], "--request-rate, --arrivals, --time-scale: the requests of a batch"),
    (
      ["batch", "--trace", "sharegpt", "--engine", "vllm", "--num-prompts", "5", "--max-model-len", "3"],
      "none of 5 requests can be served: each takes more than 3 tokens"
    ),
    (["batch", "--policy", "chunked"], "--policy: batch takes methods"),
    (
      ["--prefill-sparsity", "cacheblend[ratio=2]"], "cacheblend: ratio 2: expected a number from 0.0 to 1.0"
    ),
    (["--kv-tiers", "host-pcie5"], "--kv-tiers host-pcie5: expected levels as link:GiB"),
    (["--kv-tiers", "nosuch:4", "--engine", "vllm"], "--kv-tiers nosuch: expected"),
    (["--kv-tiers", "nvme4:-4", "--engine", "vllm"], "--kv-tiers -4.0: expected 0.001 to 1e9 GiB"),
    (["--kv-offloading-size", "4"], "none without a prefix cache: --enable-prefix-caching"),
    (["--kv-offloading-size", "4", "--kv-tiers", "nvme4:4"], "--kv-offloading-size, --kv-tiers"),
  ]) func badInputIsOneLine(arguments: [String], message: String) throws {
    let outcome = try Binary.run(arguments)
    #expect(outcome.status != 0)
    #expect(outcome.errors.contains(message), "\(outcome.errors)")
    #expect(outcome.errors.split(separator: "\n").count == 1)
  }
}
