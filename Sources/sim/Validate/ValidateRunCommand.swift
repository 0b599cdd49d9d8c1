import ArgumentParser
import CostModels
import Experiments
import Foundation
import Policies
import ResultStore
import Serving
import Statistics
import Systems
import Workloads

/// `sim validate run`: replays what a real server was asked, and compares.
struct ValidateRunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract:
      "Replay the requests of a real server's benchmark, and print signed errors with 95 % intervals.",
    discussion: """
      FILE is what 'vllm bench serve --save-result --save-detailed' wrote, or SGLang's bench_serving \
      (--output-details), GuideLLM (benchmarks.json), AIPerf (profile_export.jsonl), inference-perf \
      (per_request_lifecycle_metrics.json) or LLMServingSim (its table of requests). Its requests are simulated with \
      their own arrivals and lengths; failed ones are left out, and so is what a file cannot tell: throughput where \
      there are no start times (arrivals are then drawn at the file's rate), ITL where chunks are not tokens. An error \
      is simulated over measured, less one. Intervals are a bootstrap over requests. Throughput counts from the first \
      start to the last token.

      Example:
        sim validate run result.json --model qwen3-30b-a3b --hardware h100-sxm --tp 2 --policy chunked[budget=2048]
      """)

  @Argument(help: ArgumentHelp("The benchmark's result.", valueName: "file"))
  var file: String

  @Option(help: ArgumentHelp("Which of GuideLLM's benchmarks in the file, from 1.", valueName: "number"))
  var part: Int?

  @OptionGroup(title: "Schedule") var schedule: PolicyOptions
  @OptionGroup(title: "Model, GPU and engine") var system: SystemOptions
  @OptionGroup(title: "Data") var folders: ProjectFolders

  @Option(help: "Samples of the bootstrap.")
  var draws = 1000

  @Option(help: "Seed of the bootstrap and of routing.")
  var seed: UInt64 = 0

  @Option(help: "table (six digits), csv or json (all digits).")
  var format = ResultTable.Format.table

  func run() throws {
    guard (1...100_000).contains(draws) else {
      throw CommandLineError.badValue(option: "--draws", value: "\(draws)", expected: "1 to 100000 samples")
    }
    let benchmark = try ServerBenchmark(path: file, part: part)
    let experiment = try makeExperiment(benchmark)
    var recorder = ReplayRecorder(count: benchmark.requests.count)
    _ = try experiment.run(recorder: &recorder)
    let pairs = benchmark.requests.enumerated().compactMap { id, measured in
      recorder.simulated(id).map { ReplayComparison.Pair(measured: measured, simulated: $0) }
    }
    guard !pairs.isEmpty else {
      throw ServerBenchmarkError.nothingLeft(
        file: file,
        reason: "all are longer than \(experiment.longestSequence) tokens, the most that is served")
    }
    let rows = ReplayComparison(pairs, comparesGaps: benchmark.chunksAreTokens).errors(
      draws: draws, seed: seed)
    if format == .table { printTitle(benchmark, experiment, compared: pairs.count) }
    print(Self.table(rows).formatted(as: format), terminator: "")
  }

  private func makeExperiment(_ benchmark: ServerBenchmark) throws -> LoadedExperiment {
    let workload = benchmark.workload(seed: seed)
    let experiment = Experiment(
      workload: WorkloadSpecification(trace: file, arrivals: .trace, seed: seed),
      cluster: ClusterSpecification(
        ClusterSpecification.Pool(
          system: try system.specification(),
          policy: try schedule.specification { try system.ownPolicy(in: folders) })),
      objective: ServiceObjective(), limits: benchmark.limits)
    return try Library(profiles: folders.profilesFolder()).load(experiment, workload: workload)
  }

  private func printTitle(_ benchmark: ServerBenchmark, _ experiment: LoadedExperiment, compared: Int) {
    print(experiment.title)
    print("\(compared) requests of \(benchmark.tool.rawValue) compared", terminator: "")
    if benchmark.failures > 0 { print(", \(benchmark.failures) failed ones left out", terminator: "") }
    let rejected = benchmark.requests.count - compared
    if rejected > 0 { print(", \(rejected) longer than what the simulated system serves", terminator: "") }
    print("; errors in %, and the bounds of their 95 % intervals")
    let name = experiment.loaded.system.shard.model.name
    if benchmark.arrivals.kind != .trace {
      let how = benchmark.arrivals.rate.map { "drawn at \($0) req/s" } ?? "all at once"
      let clients = benchmark.limits.maxConcurrency.map { ", \($0) at a time" } ?? ""
      warn(
        "\(benchmark.tool.rawValue) saves no start times: arrivals are \(how)\(clients), and throughput is left out"
      )
    }
    if !benchmark.chunksAreTokens {
      let tokens = benchmark.requests.reduce(0) { $0 + Int($1.outputTokens) }
      warn(
        benchmark.chunks == 0
          ? "\(benchmark.tool.rawValue) saves no gaps between tokens: ITL is left out"
          : "\(tokens) tokens came in \(benchmark.chunks + benchmark.requests.count) chunks: ITL is left out")
    }
    if let model = benchmark.model, !Self.mayBe(model, name) {
      warn("the benchmark's model is '\(model)', the simulated one '\(name)'; --model names another")
    }
    print()
  }

  /// Whether a model's name on a server may mean one of ours: `Qwen/Qwen3-30B-A3B-FP8` contains `qwen3-30b-a3b`.
  private static func mayBe(_ served: String, _ ours: String) -> Bool {
    served.lowercased().contains(ours.lowercased())
  }

  private static func table(_ errors: [SignedError]) -> ResultTable {
    let columns = [
      "metric", "statistic", "unit", "measured", "simulated", "error_pct", "low_pct", "high_pct",
    ]
    let rows: [[RunValue]] = errors.map { row in
      [
        .text(row.metric), .text(row.statistic), .text(row.unit), RunValue(row.measured),
        RunValue(row.simulated),
        RunValue(row.error * 100), RunValue(row.interval.low * 100), RunValue(row.interval.high * 100),
      ]
    }
    return ResultTable(columns: columns, rows: rows)
  }
}

extension ReplayRecorder {
  /// A simulated request as a client would have seen it; `nil` if it was rejected.
  func simulated(_ id: Int) -> ServerRequest? {
    guard let record = requests[id], record.status == .completed else { return nil }
    return ServerRequest(
      start: record.request.arrival, promptTokens: Int32(record.request.promptTokens),
      outputTokens: Int32(record.request.outputTokens), firstToken: record.timeToFirstToken,
      gaps: gaps(ofRequest: id),
      endToEnd: record.endToEnd)
  }
}
