import ArgumentParser
import Experiments
import Foundation
import ResultStore
import Support
import Synchronization
import Systems

/// `sim validate servers`: holds the simulator against a table of measured servers.
struct ValidateServersCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "servers",
    abstract: "Hold the simulator against a table of measured servers, and say how far off it is.",
    discussion: """
      TABLE.csv has a setting a row: model, gpu, backend, version, precision, mode, isl, osl, concurrency, tp, pp, dp, \
      moe_ep, client, random_lengths, and the measured ttft_ms and tpot_ms; of deployments with prefill and decode apart \
      prefill_workers, prefill_tp, prefill_dp, prefill_moe_ep and the same of decode. Beside it lie models/MODEL.PRECISION.json. \
      Each row that can be expressed is replayed under the preset of its engine that its version belongs to, the oldest for \
      those before all; others are counted. \
      Rows that the preset was fitted to (Profiles/engines/fitted.csv) and predicted ones are summed up apart. Errors \
      are without their signs, in %; the bias is the median with its sign. The time to first token of closed \
      loops with equal lengths depends on an unknown lockstep, and is printed apart.

      Example:
        sim validate servers Results/published/servers/given.csv --sample 50
      """)

  @Argument(help: ArgumentHelp("The table.", valueName: "file"))
  var table: String

  @Option(help: "Replay every k-th row only, so that about this many are left.")
  var sample: Int?

  @Option(help: ArgumentHelp("Only rows whose key contains this.", valueName: "text"))
  var only: String?

  @Option(
    help: ArgumentHelp(
      "Change a setting of every engine, such as host.per_iteration_ms=1.2.", valueName: "path=value"))
  var engineSet: [String] = []

  @Option(help: "Rows replayed at the same time.")
  var jobs = ProcessInfo.processInfo.activeProcessorCount

  @Option(
    help: ArgumentHelp("Write every row's measured and simulated times to a CSV file.", valueName: "file"))
  var output: String?

  @Option(help: "Seed of the lengths.")
  var seed: UInt64 = 0

  @OptionGroup(title: "Data") var folders: ProjectFolders

  private final class Shared: Sendable {
    let results = Mutex([Int: ServerPrediction]())
  }

  func run() throws {
    guard (1...1024).contains(jobs) else {
      throw CommandLineError.badValue(option: "--jobs", value: "\(jobs)", expected: "1 to 1024")
    }
    let all = try ServerTable(path: table)
    guard let first = all.rows.first else {
      throw CommandLineError.contradiction("\(table): no rows; expected a measured server in each")
    }
    var rows = all.rows
    if let only {
      rows = rows.filter { $0.key.contains(only) }
      guard !rows.isEmpty else {
        throw CommandLineError.badValue(
          option: "--only", value: only, expected: "a part of a row's key, such as \(first.key)")
      }
    }
    if let sample {
      guard sample > 0 else {
        throw CommandLineError.badValue(option: "--sample", value: "\(sample)", expected: "1 row or more")
      }
      let stride = max(1, (rows.count + sample - 1) / sample)
      rows = rows.enumerated().filter { $0.offset % stride == 0 }.map(\.element)
    }
    let folder = URL(filePath: table).deletingLastPathComponent().path(percentEncoded: false)
      .trimmingSuffix("/")
    guard FileManager.default.fileExists(atPath: folder + "/models/.") else {
      throw CommandLineError.contradiction(
        "\(folder)/models: no such folder; expected MODEL.PRECISION.json in it for the models of \(table)")
    }
    // A file that cannot be written is known before anything is replayed.
    let file = try output.map { try WholeFile(path: $0) }
    let replay = try ServerReplay(
      library: Library(profiles: try folders.profilesFolder()), folder: folder,
      engineSettings: try SystemOptions.settings(engineSet, option: "--engine-set"), seed: seed)
    if let warning = replay.warning { warn(warning) }
    let report = ServersReport(
      rows: rows, predictions: try predict(rows, replay), replay: replay,
      fitted: try FittedServers(profiles: replay.library.profiles))
    print(report.text)
    if let file { try report.write(to: file) }
  }

  private func predict(_ rows: [MeasuredServer], _ replay: ServerReplay) throws -> [ServerPrediction] {
    let shared = Shared()
    let progress = Progress(total: rows.count)
    try WorkerThreads(jobs).run(rows.count) { next in
      while let index = next() {
        let prediction = replay.predict(rows[index])
        shared.results.withLock { $0[index] = prediction }
        progress?.advance(by: 1)
      }
    }
    progress?.clear()
    return shared.results.withLock { results in
      rows.indices.map { results[$0] ?? .notCovered("not replayed") }
    }
  }
}

extension String {
  fileprivate func trimmingSuffix(_ suffix: String) -> String {
    hasSuffix(suffix) && count > suffix.count ? String(dropLast(suffix.count)) : self
  }
}
