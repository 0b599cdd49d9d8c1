import ArgumentParser
import Experiments
import Foundation
import Serving
import Support
import Systems
import Workloads

/// `sim calibrate-host`: fits an engine's host time to its own benchmarks.
struct CalibrateHostCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "calibrate-host",
    abstract: "Fit an engine's host time to benchmarks of a server at two or three loads.",
    discussion: """
      Each FILE is what 'vllm bench serve --save-result --save-detailed' wrote, all of one server at different request \
      rates. Their requests are simulated; a time an iteration and a time a sequence are found that meet the mean time \
      per output token of all. Where the host prepares a step ahead, what that hides cannot be seen, and the first \
      value is small.

      Example:
        sim calibrate-host rate2.json rate8.json --model qwen3-8b --tp 1 --engine vllm
      """)

  @Argument(help: ArgumentHelp("Benchmarks' results, two or more.", valueName: "file"))
  var files: [String]

  @OptionGroup(title: "Schedule") var schedule: PolicyOptions
  @OptionGroup(title: "Model, GPU and engine") var system: SystemOptions
  @OptionGroup(title: "Data") var folders: ProjectFolders

  func run() throws {
    guard files.count >= 2 else {
      throw CommandLineError.badValue(
        option: "<file>", value: files.joined(separator: " "),
        expected: "two results at different loads at least")
    }
    let benchmarks = try files.map { try ServerBenchmark(path: $0) }
    let measured = benchmarks.map {
      Self.mean($0.requests.map { ($0.endToEnd, $0.firstToken, Int($0.outputTokens)) })
    }
    for (file, time) in zip(files, measured) where !(time > 0) {
      throw CommandLineError.badValue(
        option: "<file>", value: file, expected: "requests with two or more output tokens")
    }
    let library = Library(profiles: try folders.profilesFolder())
    let specification = try system.specification()
    let policy = try schedule.specification { try system.ownPolicy(in: folders) }
    let fit = try HostCalibration(measured) { values in
      try benchmarks.map { benchmark in
        var system = specification
        for (path, value) in zip(HostCalibration.paths, values) {
          system.engineSettings[path] = .number(value)
        }
        let experiment = try library.load(
          Experiment(
            workload: WorkloadSpecification(trace: benchmark.file, arrivals: .trace),
            cluster: ClusterSpecification(ClusterSpecification.Pool(system: system, policy: policy)),
            objective: ServiceObjective(), limits: benchmark.limits), workload: benchmark.workload(seed: 0))
        var recorder = ReplayRecorder(count: benchmark.requests.count)
        _ = try experiment.run(recorder: &recorder)
        return Self.mean(
          recorder.requests.compactMap { $0 }.filter { $0.status == .completed }
            .map { ($0.endToEnd, $0.timeToFirstToken, $0.request.outputTokens) })
      }
    }
    for (path, value) in zip(HostCalibration.paths, fit.values) {
      print("\(path) = \(String(format: "%.4g", value))")
    }
    var table = TextTable([.left, .right, .right, .right])
    table.add(["benchmark", "TPOT measured ms", "simulated", "error %"])
    for (file, time) in zip(files, fit.times) {
      table.add([
        file, String(format: "%.3f", time.measured * 1000), String(format: "%.3f", time.simulated * 1000),
        String(format: "%+.1f", (time.simulated / time.measured - 1) * 100),
      ])
    }
    print(table.text, terminator: "")
  }

  /// Mean time per output token after the first, in seconds.
  private static func mean(_ requests: [(endToEnd: Double, first: Double, outputs: Int)]) -> Double {
    let times = requests.filter { $0.outputs > 1 }.map { ($0.endToEnd - $0.first) / Double($0.outputs - 1) }
    return times.reduce(0, +) / Double(max(times.count, 1))
  }
}
