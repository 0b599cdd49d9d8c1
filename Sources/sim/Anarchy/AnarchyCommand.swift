import ArgumentParser
import Experiments
import Foundation
import Policies
import ResultStore
import Statistics

/// `sim anarchy`: what it costs that each request looks after itself.
struct AnarchyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "anarchy",
    abstract: "Run routers on the same requests, and hold each against the best routing that is known.",
    discussion: """
      The price of anarchy is the mean latency, from arrival to last token, of selfish routing over that of the best routing \
      known: the best router that was run or, for few requests, the best of all assignments (--optimum), or what moving \
      single requests makes of the best router's (--improve). As selfish is among them, it is 1 at least. \
      The estimate is one from decisions alone (arXiv 2606.17081), with latencies as they were forecast: the median over \
      windows of requests. It tells regimes apart and is no true ratio. Nothing is logged.

      Examples:
        sim anarchy --replicas 2 --num-prompts 10 --request-rate 20 --optimum
        sim anarchy --replicas 8 --trace conversations.jsonl --engine vllm --router selfish,kv,adaptive
      """)

  @OptionGroup var options: RunOptions

  @Flag(help: "Simulate every assignment of requests to replicas: for a dozen requests or so.")
  var optimum = false

  @Option(
    help: ArgumentHelp(
      "Most simulations that look for something better by moving single requests.", valueName: "runs"))
  var improve = 0

  @Option(help: ArgumentHelp("Requests of a window of the estimate.", valueName: "requests"))
  var window = 64

  @Flag(help: "Print the table as JSON.")
  var json = false

  func run() throws {
    guard (1...512).contains(window) else {
      throw CommandLineError.badValue(option: "--window", value: "\(window)", expected: "1 to 512 requests")
    }
    guard (0...1_000_000).contains(improve) else {
      throw CommandLineError.badValue(option: "--improve", value: "\(improve)", expected: "0 to 1000000 runs")
    }
    guard options.traffic.limits.maxDuration == nil else {
      throw CommandLineError.contradiction(
        "--max-duration: of a run that is cut other requests are served under each router; use --num-prompts")
    }
    guard options.cluster.disaggregation == nil else {
      throw CommandLineError.contradiction("--disaggregation: anarchy routes among whole replicas")
    }
    let asked = SweepAxis.elements(
      (options.cluster.router ?? "selfish,kv,kv[temperature=0.5],adaptive,least-loaded,round-robin")[...])
    var routers = try asked.map { (name: String($0), choice: try RouterChoice(String($0))) }
    if !routers.contains(where: { $0.choice.entry.name == "selfish" }) {
      routers.insert(("selfish", try RouterChoice("selfish")), at: 0)
    }
    var first = options
    first.cluster.router = nil
    var libraries = Libraries()
    let experiment = try first.load(from: &libraries)
    guard experiment.specification.system.dataParallelSize ?? 1 == 1 else {
      throw CommandLineError.contradiction("--data-parallel-size: anarchy routes among replicas of one rank")
    }
    let study = PriceOfAnarchy(experiment)
    let assignments = study.assignments
    guard !optimum || assignments != nil else {
      throw CommandLineError.contradiction(
        "--optimum: more than \(PriceOfAnarchy.mostAssignments) assignments; use fewer requests or replicas, or --improve"
      )
    }
    var outcomes = try routers.map { try study.run($0.choice, name: $0.name, window: window) }
    let progress =
      json || !(optimum || improve > 0)
      ? nil : Progress(total: (optimum ? assignments ?? 0 : 0) + improve, unit: "assignments")
    if improve > 0, let start = outcomes.min(by: { $0.meanLatency < $1.meanLatency }) {
      outcomes.append(try study.improved(start, runs: improve, progress: progress))
    }
    if optimum, let best = try study.optimum(progress: progress) { outcomes.append(best) }
    progress?.clear()
    guard outcomes.allSatisfy({ $0.meanLatency > 0 }) else {
      throw CommandLineError.contradiction("--max-model-len: no request is served, all are too long")
    }
    print(table(outcomes).formatted(as: json ? .json : .table), terminator: "")
    guard !json, let best = outcomes.min(by: { $0.meanLatency < $1.meanLatency }),
      let selfish = outcomes.first(where: { $0.name.hasPrefix("selfish") })
    else { return }
    print(
      String(
        format: "\nPrice of anarchy: %.4f, %@ over %@%@.", selfish.meanLatency / best.meanLatency,
        selfish.name,
        best.name, optimum ? ", the best of \(assignments ?? 0) assignments" : ", the best that is known"))
  }

  private func table(_ outcomes: [PriceOfAnarchy.Outcome]) -> ResultTable {
    let best = outcomes.map(\.meanLatency).min() ?? .nan
    return ResultTable(
      columns: [
        "router", "mean_e2el_ms", "mean_ttft_ms", "p99_ttft_ms", "prefix_hit_rate", "over_best", "estimate",
        "wall_s",
      ],
      rows: outcomes.map { outcome in
        let estimate = Quantiles.quantile(0.5, of: outcome.estimates)
        return [
          .text(outcome.name), RunValue(outcome.meanLatency * 1000),
          RunValue(outcome.meanTimeToFirstToken * 1000), RunValue(outcome.percentile99 * 1000),
          RunValue(outcome.hitRate), RunValue(outcome.meanLatency / best),
          outcome.estimates.isEmpty ? .null : RunValue(estimate), RunValue(outcome.wall),
        ]
      })
  }
}
