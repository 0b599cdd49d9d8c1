import ArgumentParser
import Experiments
import Foundation
import Policies
import ResultStore

/// `sim batch`: how long it takes until all of a batch is through.
struct BatchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "batch",
    abstract:
      "Run all requests at once, in orders that use what their prompts share, and compare when all are through.",
    discussion: """
      A method is an order, and a policy: 'vllm' takes prompts as the trace has them, under the engine's own policy; 'sorted' puts \
      equal beginnings next to each other; 'batchllm' puts them in groups by its prefix tree, each group's prefix ahead of its \
      members, and fills iterations by memory (policy memory-centric). All have a prefix cache. Latencies mean nothing here.

      Examples:
        sim generate documents --documents 1 --library 50 --num-prompts 2000 > qa.jsonl
        sim batch --trace qa.jsonl --engine vllm
        sim batch --trace qa.jsonl --engine vllm --method vllm,batchllm --num-gpu-blocks-override 20000
      """)

  /// A method of serving a batch.
  enum Method: String, CaseIterable {
    case vllm, sorted, batchllm
  }

  @OptionGroup var options: RunOptions

  @Option(help: ArgumentHelp("Methods: vllm, sorted, batchllm.", valueName: "names"))
  var method = "vllm,sorted,batchllm"

  @Option(
    help: ArgumentHelp("Sequences of an iteration under batchllm, which does not count them.", valueName: "n")
  )
  var batchSeqs = 4096

  @Flag(help: "Print the table as JSON.")
  var json = false

  func run() throws {
    let methods = try SweepAxis.elements(method[...]).map { text in
      guard let method = Method(rawValue: String(text)) else {
        throw CommandLineError.badValue(
          option: "--method", value: String(text),
          expected: Method.allCases.map(\.rawValue).joined(separator: ", "))
      }
      return method
    }
    guard (1...1 << 20).contains(batchSeqs) else {
      throw CommandLineError.badValue(
        option: "--batch-seqs", value: "\(batchSeqs)", expected: "1 to \(1 << 20)")
    }
    guard options.cluster.replicas == 1, options.cluster.disaggregation == nil else {
      throw CommandLineError.contradiction("--replicas, --disaggregation: a batch runs on one instance")
    }
    guard options.schedule.policy == nil else {
      throw CommandLineError.contradiction("--policy: batch takes methods, as in --method vllm,batchllm")
    }
    let rate = options.traffic.requestRate
    guard rate == nil || rate == .infinity, options.traffic.arrivals == nil, options.traffic.timeScale == nil
    else {
      throw CommandLineError.contradiction(
        "--request-rate, --arrivals, --time-scale: the requests of a batch are there at once; leave them out")
    }
    var libraries = Libraries()
    let library = try libraries.library(in: options.folders)
    var longest = 0
    var rows: [(Method, BatchRun.Outcome)] = []
    for method in methods {
      var specification = try options.specification()
      if method == .batchllm {
        specification.cluster.pool.policy = PolicySpecification(
          parsing: try Policy("memory-centric").description)
        specification.cluster.pool.system.maxSequences = batchSeqs
      }
      let experiment = try library.load(specification)
      guard experiment.cachesPrefixes else {
        throw CommandLineError.contradiction(
          "--no-enable-prefix-caching: methods share prefixes; ask for that by --enable-prefix-caching"
        )
      }
      libraries.warn(of: experiment)
      let order: BatchRun.Order = method == .vllm ? .trace : method == .sorted ? .sorted : .plan
      rows.append((method, try BatchRun.run(experiment, order: order)))
      longest = experiment.longestSequence
    }
    if let rejected = rows.map(\.1.rejected).max(), rows.allSatisfy({ $0.1.completed == 0 }) {
      throw CommandLineError.contradiction(
        "none of \(rejected) requests can be served: each takes more than \(longest) tokens, the least of --max-model-len, "
          + "KV memory and the policy's budget")
    }
    print(Self.table(rows).formatted(as: json ? .json : .table), terminator: "")
  }

  private static func table(_ rows: [(Method, BatchRun.Outcome)]) -> ResultTable {
    ResultTable(
      columns: [
        "method", "makespan_s", "tokens_per_s", "computed_tokens", "saving", "planned_saving",
        "peak_kv_blocks",
        "preemptions", "rejected",
      ],
      rows: rows.map { method, outcome in
        [
          .text(method.rawValue), outcome.makespan.map { RunValue($0) } ?? .null,
          outcome.tokensPerSecond.map { RunValue($0) } ?? .null,
          RunValue(outcome.computedTokens), RunValue(outcome.saving), RunValue(outcome.plannedSaving),
          RunValue(outcome.peakBlocks), RunValue(outcome.preemptions), RunValue(outcome.rejected),
        ]
      })
  }
}
