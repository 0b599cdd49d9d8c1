import Foundation
import Policies
import Serving
import Statistics
import Support
import Systems
import Workloads

/// What the simulator says of a measured server.
package enum ServerPrediction: Sendable {
  /// The row cannot be expressed, and why.
  case notCovered(String)
  /// Mean time to first token and time per output token, in seconds.
  case times(firstToken: Seconds, timePerToken: Seconds)
}

/// Replays rows of a table of measured servers.
package struct ServerReplay: Sendable {
  /// Reads profiles; shared by all rows.
  package let library: Library
  /// The folder with `models/MODEL.PRECISION.json` for each model of the table.
  package let folder: String
  /// Names of the engine presets.
  package let engines: [String]
  /// Names of the GPUs.
  package let hardware: [String]
  /// Settings of the engine that differ from the preset.
  package let engineSettings: [String: SettingValue]
  /// What of their settings is published.
  var settings: ServerSettings
  /// Seed of the lengths.
  package let seed: UInt64

  package init(
    library: Library, folder: String, engineSettings: [String: SettingValue] = [:], seed: UInt64 = 0
  ) throws {
    settings = try ServerSettings(file: library.profiles + "/servers/inferencex.csv")
    self.library = library
    self.folder = folder
    self.engineSettings = engineSettings
    // A setting that no engine has is no matter of a row.
    var engine = EngineDescription()
    try engine.change(engineSettings)
    self.seed = seed
    let profiles = ProfileFolder(URL(filePath: library.profiles))
    engines = profiles.names(in: "engines")
    hardware = profiles.names(in: "hardware")
  }

  /// What the user should know before rows are replayed; `nil` if nothing.
  package var warning: String? {
    guard settings.isEmpty else { return nil }
    return
      "\(library.profiles)/servers/inferencex.csv is not there or has no line: servers are replayed with the settings of "
      + "presets alone"
  }

  /// The first version that a preset stands for, where its name is not that: a preset is named after one of its versions.
  ///
  /// vLLM 0.23 schedules as 0.18 does, but its host hides what 0.18's does not.
  private static let firstVersions = ["vllm-0.18": [0, 14], "vllm-0.24": [0, 23]]

  /// The newest preset of an engine whose versions do not all come after a version; the oldest if all do.
  ///
  /// Where the version is not known, the date decides; a preset that no date is known of is passed over then.
  package func preset(_ server: MeasuredServer) -> String? {
    func numbers(_ text: some StringProtocol) -> [Int] {
      text.split(separator: ".").map { Int($0.prefix { $0.isNumber }) ?? 0 }
    }
    let own = engines.filter { $0.hasPrefix(server.backend + "-") }
      .map {
        (name: $0, version: Self.firstVersions[$0] ?? numbers($0.dropFirst(server.backend.count + 1)))
      }
      .sorted { $0.version.lexicographicallyPrecedes($1.version) }
    let known = server.version.first?.isNumber == true
    let version = known ? numbers(server.version) : Self.version(of: server.backend, on: server.date)
    return own.last { !version.lexicographicallyPrecedes($0.version) }?.name ?? own.first?.name
  }

  /// The version of an engine at a date: for vLLM by its published release notes, 0.14 in January 2026 and about a minor
  /// version every fortnight; for others unknown.
  private static func version(of backend: String, on date: String) -> [Int] {
    guard backend == "vllm" else { return [.max] }
    if date < "2026-01-20" { return [0, 13] }
    if date < "2026-07-01" { return [0, 18] }
    return [0, 24]
  }

  /// Why a row cannot be expressed; `nil` if it can be tried.
  package func obstacle(_ server: MeasuredServer) -> String? {
    let pools = layouts(server)
    if server.isDisaggregated, pools.count < 2 { return "disaggregated, workers unknown" }
    if pools.contains(where: { $0.pipelineParallel > 1 }) { return "pipeline parallelism" }
    if pools.contains(where: { $0.tensorParallel * $0.dataParallel % $0.expertParallel != 0 }) {
      return "expert parallelism"
    }
    if gpu(server) == nil { return "GPU \(server.gpu)" }
    if preset(server) == nil { return "engine \(server.backend)" }
    return nil
  }

  private func gpu(_ server: MeasuredServer) -> String? {
    hardware.first { $0 == server.gpu || $0 == server.gpu + "-sxm" }
  }

  /// Simulates a row.
  package func predict(_ server: MeasuredServer) -> ServerPrediction {
    if let obstacle = obstacle(server) { return .notCovered(obstacle) }
    guard FileManager.default.fileExists(atPath: model(server)) else {
      return .notCovered("no models/\(server.model).\(server.precision).json beside the table")
    }
    do {
      let experiment = try experiment(server)
      var recorder = MeanRecorder(from: Self.warmUp(server))
      _ = try experiment.run(recorder: &recorder)
      guard recorder.rejected == 0, recorder.count > 0 else {
        return .notCovered("requests longer than what is served")
      }
      return .times(
        firstToken: recorder.firstToken / Double(recorder.count),
        timePerToken: recorder.timePerToken / Double(max(recorder.countPerToken, 1)))
    } catch {
      return .notCovered("\(server.precision) weights or model: \(Self.short(error))")
    }
  }

  private static func short(_ error: any Error) -> String {
    let text = "\(error)"
    return text.split(separator: ": ").last.map(String.init) ?? text
  }

  /// The file of its model.
  private func model(_ server: MeasuredServer) -> String {
    "\(folder)/models/\(server.model).\(server.precision).json"
  }

  /// The workers of each pool: one, or those that compute prompts and those that decode.
  private func layouts(_ server: MeasuredServer) -> [MeasuredServer.Workers] {
    guard server.isDisaggregated else {
      return [
        MeasuredServer.Workers(
          count: 1, tensorParallel: server.tensorParallel, pipelineParallel: server.pipelineParallel,
          dataParallel: server.dataParallel, expertParallel: server.expertParallel)
      ]
    }
    return [server.prefill, server.decode].compactMap { $0 }
  }

  /// The pools of a row; KV entries go over what such GPUs have between servers.
  private func cluster(_ server: MeasuredServer, _ system: SystemSpecification) -> ClusterSpecification {
    let pools = layouts(server).map { workers in
      var pool = ClusterSpecification.Pool(instances: workers.count, system: system)
      pool.system.tensorParallelSize = workers.tensorParallel
      pool.system.dataParallelSize = workers.dataParallel > 1 ? workers.dataParallel : nil
      pool.system.expertParallelSize = workers.expertParallel > 1 ? workers.expertParallel : nil
      return pool
    }
    var cluster = ClusterSpecification(pools[0])
    guard pools.count == 2 else { return cluster }
    cluster.pools = pools
    for (place, role) in [ClusterSpecification.Pool.Role.prefill, .decode].enumerated() {
      cluster.pools[place].name = role.rawValue
      cluster.pools[place].role = role
    }
    // The first token gets to the client by way of the worker that decodes, and NVIDIA Dynamo takes workers in turn.
    cluster.transfer = TransferSpecification(
      link: isRack(server) ? "nvlink5" : "ndr400", firstToken: "decode", choice: "in-turn")
    return cluster
  }

  private func isRack(_ server: MeasuredServer) -> Bool { server.gpu.hasPrefix("gb") }

  /// Sets what is published of a server's settings; what the user says stays.
  private func configure(_ cluster: inout ClusterSpecification, as server: MeasuredServer) {
    for place in cluster.pools.indices {
      let published = settings.settings(of: server, pool: cluster.pools[place].role?.rawValue)
      cluster.pools[place].system.engineSettings.merge(published.engine) { own, _ in own }
      if let ranks = published.expertParallel, ranks > 1,
        cluster.pools[place].system.expertParallelSize == nil
      {
        cluster.pools[place].system.expertParallelSize = ranks
      }
      if let policy = published.policy, engineSettings["scheduling.policy"] == nil {
        cluster.pools[place].policy = PolicySpecification(parsing: policy)
      }
    }
  }

  private func experiment(_ server: MeasuredServer) throws -> LoadedExperiment {
    var system = SystemSpecification()
    system.model = model(server)
    system.hardware = gpu(server) ?? server.gpu
    system.engine = preset(server) ?? server.backend
    system.engineSettings = engineSettings
    // Published runs switch it off, and lengths alone say nothing of contents.
    system.engineSettings["cache.prefixes"] = engineSettings["cache.prefixes"] ?? .flag(false)
    system.maxModelLength = max(32_768, 2 * (server.promptTokens + server.outputTokens))
    var cluster = cluster(server, system)
    configure(&cluster, as: server)
    var experiment = Experiment(
      workload: WorkloadSpecification(trace: server.key, arrivals: .trace, seed: seed), cluster: cluster,
      objective: ServiceObjective())
    experiment.limits.maxConcurrency = server.isBurst ? nil : server.concurrency
    return try library.load(experiment, workload: workload(server))
  }

  /// Requests at the beginning that do not count.
  ///
  /// InferenceX's client, whose rows have random lengths, warms up in a run of its own: the one that counts begins with all
  /// clients sending at once, and a tenth of its requests wait for each other's prompts
  /// (github.com/SemiAnalysisAI/InferenceX, benchmarks/benchmark_lib.sh: `--num-prompts` is ten times
  /// `--max-concurrency`, `--request-rate inf`). Of the other closed loops only a state without that beginning is known to be
  /// comparable.
  private static func warmUp(_ server: MeasuredServer) -> Int {
    server.isBurst || server.hasRandomLengths ? 0 : 2 * server.concurrency
  }

  /// The requests: a burst of as many as are in flight, or ten times as many one after another, after those that warm up.
  private func workload(_ server: MeasuredServer) -> Workload {
    var random = SplitMix64(seed: seed, purpose: "servers \(server.promptTokens) \(server.outputTokens)")
    func draw(_ nominal: Int, _ low: Double, _ high: Double) -> Int32 {
      Int32(max(1, (Double(nominal) * (low + (high - low) * random.uniform())).rounded()))
    }
    let count = (server.isBurst ? 1 : 10) * server.concurrency + Self.warmUp(server)
    let rows = (0..<count).map { _ in
      if server.hasRandomLengths {
        return TraceRow(
          promptTokens: draw(server.promptTokens, 0.8, 1), outputTokens: draw(server.outputTokens, 0.8, 1),
          arrival: 0)
      }
      // Outputs of equal length would run in lockstep, which real servers do not.
      return TraceRow(
        promptTokens: Int32(server.promptTokens),
        outputTokens: server.isBurst ? Int32(server.outputTokens) : draw(server.outputTokens, 0.9, 1.1),
        arrival: 0)
    }
    let trace = Trace(name: server.key, recorded: rows, digest: "")
    return Workload(
      name: server.key, source: .trace(trace), arrivals: .trace(timeScale: 1), count: rows.count, seed: seed)
  }
}

/// Sums up the times of the requests from some number on.
private struct MeanRecorder: Recorder {
  let first: Int
  var firstToken = 0.0
  var timePerToken = 0.0
  var count = 0
  var countPerToken = 0
  var rejected = 0

  init(from first: Int) { self.first = first }

  mutating func record(_ iteration: IterationRecord) {}
  mutating func record(_ span: SpanRecord) {}
  mutating func record(_ request: RequestRecord) {
    if request.status == .rejected { rejected += 1 }
    guard request.status == .completed, request.request.id >= first else { return }
    count += 1
    firstToken += request.timeToFirstToken
    guard request.request.outputTokens > 1 else { return }
    countPerToken += 1
    timePerToken += request.timePerOutputToken
  }
}
