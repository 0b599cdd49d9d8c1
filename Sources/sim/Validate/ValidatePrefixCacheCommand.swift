import ArgumentParser
import Foundation
import Serving
import Support
import Workloads

/// `sim validate prefix-cache`: drives the prefix cache alone with the prompts of a trace.
struct ValidatePrefixCacheCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prefix-cache",
    abstract:
      "Drive the prefix cache alone with the prompts of a trace, one by one, and count the blocks it finds.",
    discussion: """
      TRACE must say what its prompts are made of, as Mooncake's hash_ids do. Blocks are the trace's. Outputs and last \
      blocks that are not full take no room; of a prompt of n tokens at most n - 1 are found. No run of an engine gives \
      these numbers, since there outputs take blocks, too.

      Example:
        sim validate prefix-cache mooncake_conversation.jsonl --blocks 10000
      """)

  @Argument(help: ArgumentHelp("The trace.", valueName: "file"))
  var trace: String

  @Option(help: "Blocks of the cache. Default: as many as the trace has.")
  var blocks: Int?

  func run() throws {
    guard case .trace(let trace) = try TraceFile.read(self.trace), let prefixes = trace.prefixBlocks else {
      throw CommandLineError.badValue(
        option: "<file>", value: self.trace, expected: "a trace that says what its prompts are made of")
    }
    if let blocks, !(1...1 << 30).contains(blocks) {
      throw CommandLineError.badValue(option: "--blocks", value: "\(blocks)", expected: "1 to 2^30 blocks")
    }
    let workload = Workload(
      name: trace.name, source: .trace(trace), arrivals: .allAtOnce, count: trace.rows.count, seed: 0)
    let ids = (0..<trace.rows.count).reduce(0) { $0 + prefixes[$1].count }
    let memory = KVMemory(blocks: blocks ?? ids + 1, blockSize: prefixes.blockTokens)
    let sum = PrefixCache.blocksFound(by: workload, in: workload.contents, memory: memory)
    let prompts = trace.rows.reduce(0) { $0 + Int($1.promptTokens) }
    print(
      """
      requests             \(trace.rows.count)
      prompt tokens        \(prompts)
      ids                  \(ids)
      blocks of the cache  \(blocks.map(String.init) ?? "unlimited")
      blocks found         \(sum.found)
      tokens found         \(sum.found * prefixes.blockTokens)
      share of the tokens  \(String(format: "%.4f", Double(sum.found * prefixes.blockTokens) / Double(prompts)))
      share of the ids     \(String(format: "%.4f", Double(sum.found) / Double(ids)))
      """)
  }
}
