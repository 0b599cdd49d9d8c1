import Foundation
import Testing

@testable import Experiments

/// Replays of measured deployments that have prefill and decode apart.
@Suite struct ServerReplayTests {
  static let header =
    "key,model,gpu,backend,version,precision,mode,isl,osl,concurrency,tp,pp,dp,moe_ep,prefill_workers,prefill_tp,prefill_pp,"
    + "prefill_dp,prefill_moe_ep,decode_workers,decode_tp,decode_pp,decode_dp,decode_moe_ep,ttft_ms,tpot_ms,flag,client,"
    + "random_lengths,date\n"

  private func withFolder(
    _ rows: String, settings: String? = nil, _ body: (ServerTable, String) throws -> Void
  ) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "servers-\(UUID())")
    try FileManager.default.createDirectory(
      at: folder.appending(path: "models"), withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try Data((Self.header + rows).utf8).write(to: folder.appending(path: "table.csv"))
    try settings.map { try Data($0.utf8).write(to: folder.appending(path: "settings.csv")) }
    try Data(try Project.text("Profiles/models/qwen3-30b-a3b.json").utf8).write(
      to: folder.appending(path: "models/toy.bf16.json"))
    try body(ServerTable(path: folder.appending(path: "table.csv").path), folder.path)
  }

  private static func row(_ pools: String, concurrency: Int = 8) -> String {
    "a/1x+1x/\(concurrency),toy,h100,trtllm,0.8.1,bf16,disagg,256,64,\(concurrency),,,,,\(pools),100,10,,loop,1,2026-01-01\n"
  }

  @Test func layoutsAreRead() throws {
    try withFolder(Self.row("2,4,1,1,4,1,1,1,8,8")) { table, _ in
      let server = table.rows[0]
      #expect(server.isDisaggregated)
      #expect(
        server.prefill
          == .init(count: 2, tensorParallel: 4, pipelineParallel: 1, dataParallel: 1, expertParallel: 4))
      #expect(
        server.decode
          == .init(count: 1, tensorParallel: 1, pipelineParallel: 1, dataParallel: 8, expertParallel: 8))
    }
  }

  /// More clients than there is memory for their requests are refused.
  @Test func clientsAreBounded() {
    #expect(throws: (any Error).self) {
      try withFolder(Self.row("2,4,1,1,4,1,1,1,8,8", concurrency: 1 << 24)) { _, _ in }
    }
  }

  @Test func poolsOfRanksAreReplayed() throws {
    try withFolder(Self.row("1,2,1,1,2,1,1,1,2,2") + Self.row("1,2,2,1,2,1,1,1,2,2")) { table, folder in
      let replay = try ServerReplay(library: Project.library, folder: folder)
      guard case .times(let first, let perToken) = replay.predict(table.rows[0]) else {
        Issue.record("\(replay.predict(table.rows[0]))")
        return
      }
      #expect(first > 0.01 && first < 1 && perToken > 0.002 && perToken < 0.05)
      guard case .notCovered(let reason) = replay.predict(table.rows[1]) else {
        Issue.record("a pipeline was replayed")
        return
      }
      #expect(reason == "pipeline parallelism")
    }
  }

  /// A server whose table does not say that experts are shared out is replayed as one whose table does, if that is published.
  @Test func expertsAreSharedOutAsPublished() throws {
    let settings = """
      source,mode,pool,backend,version,model,precision,gpu,tp,isl,osl,layout,concurrency,setting,value
      ,agg,,trtllm,0.8,,,,,,,,,expert_parallel,VALUE

      """
    func row(sharedOver ranks: String) -> String {
      "a,toy,h100,trtllm,0.8.1,bf16,agg,256,64,8,2,1,1,\(ranks),,,,,,,,,,,100,10,,loop,1,2026-01-01\n"
    }
    func times(sharedOver ranks: String, published: String?) throws -> [Double] {
      var found: [Double] = []
      try withFolder(
        row(sharedOver: ranks), settings: published.map { settings.replacing("VALUE", with: $0) }
      ) { table, folder in
        var replay = try ServerReplay(library: Project.library, folder: folder)
        replay.settings = try ServerSettings(file: folder + "/settings.csv")
        guard case .times(let first, let perToken) = replay.predict(table.rows[0]) else { return }
        found = [first, perToken]
      }
      return found
    }
    let told = try times(sharedOver: "2", published: nil)
    #expect(told.count == 2)
    #expect(try times(sharedOver: "", published: "tp") == told)
    #expect(try times(sharedOver: "2", published: "1") == told)
    #expect(try times(sharedOver: "", published: nil) != told)
    #expect(throws: (any Error).self) { try times(sharedOver: "", published: "many") }
  }

  /// A line that says nothing is named, not passed over.
  @Test(arguments: [
    (",disag,,,,,,,,,,,,kv.fp8,true", "mode: 'disag' should be agg, disagg, or nothing for both"),
    (
      ",agg,decode,,,,,,,,,,,kv.fp8,true",
      "pool: 'decode' should be prefill or decode where the mode is disagg, or nothing"
    ),
    (",agg,,,,,,,,,,,,expert_parallel,0", "value: '0' should be a number of GPUs, at least 1, or tp"),
    (",agg,,,,,,,,,,,,expert_parallel,tp+", "value: 'tp+' should be a number of GPUs, at least 1, or tp"),
    (",agg,,,,,,,,,,,,scheduling.batched_token,8", "scheduling.batched_tokens"),
    (",agg,,,,,,,,,,,,scheduling.batched_tokens,isl-5", "'isl-5'"),
    (",agg,,,,,,,,,,,,scheduling.batched_tokens,isl~0", "'isl~0'"),
    (",agg,,,,,,,,,,,,policy,nosuch", "nosuch"),
  ])
  func settingsThatAreNoneAreNamed(line: String, message: String) throws {
    let header =
      "source,mode,pool,backend,version,model,precision,gpu,tp,isl,osl,layout,concurrency,setting,value\n"
    let file = FileManager.default.temporaryDirectory.appending(path: "settings-\(UUID()).csv")
    defer { try? FileManager.default.removeItem(at: file) }
    try Data((header + line + "\n").utf8).write(to: file)
    do {
      _ = try ServerSettings(file: file.path)
      Issue.record("\(line) was read")
    } catch {
      #expect("\(error)".hasPrefix("\(file.path): line 2: ") && "\(error)".contains(message), "\(error)")
    }
  }

  /// Eight requests in flight and one place to decode: seven of eight wait, and the time to first token is most of all.
  @Test func placesToDecodeAreThoseOfTheRecipe() throws {
    let settings = """
      source,mode,pool,backend,version,model,precision,gpu,tp,isl,osl,layout,concurrency,setting,value
      ,disagg,prefill,trtllm,0.8,,bf16,h100,,256,64,,,scheduling.max_sequences,4
      ,disagg,prefill,trtllm,0.8,,bf16,h100,,256,64,,,scheduling.batched_tokens,concurrency+isl+1784~2048
      ,disagg,decode,trtllm,,,,,,,,+1x,..8,scheduling.max_sequences,1
      ,disagg,decode,trtllm,,,,,,,,+1x,9..,scheduling.max_sequences,2
      ,agg,,trtllm,,,,,,,,,,scheduling.max_sequences,3

      """
    func firstToken(_ settings: String?) throws -> Double {
      var found = 0.0
      try withFolder(Self.row("1,2,1,1,2,1,2,1,1,2"), settings: settings) { table, folder in
        var replay = try ServerReplay(library: Project.library, folder: folder)
        replay.settings = try ServerSettings(file: folder + "/settings.csv")
        let known = settings != nil
        let decode = replay.settings.settings(of: table.rows[0], pool: "decode").engine
        #expect(decode == (known ? ["scheduling.max_sequences": .number(1)] : [:]))
        let prefill = replay.settings.settings(of: table.rows[0], pool: "prefill").engine
        #expect(prefill["scheduling.batched_tokens"] == (known ? .number(2048) : nil))
        guard case .times(let first, _) = replay.predict(table.rows[0]) else { return }
        found = first
      }
      return found
    }
    let (limited, free) = (try firstToken(settings), try firstToken(nil))
    #expect(limited > 5 * free)
  }
}
