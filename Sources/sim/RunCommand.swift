import ArgumentParser
import CostModels
import Foundation
import Policies
import ResultStore
import SimCore
import Workloads

/// Simulates one run, and appends it to a result database.
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Simulate one run: print its latencies, energy and expert traffic, and log it to SQLite.",
    discussion: """
      Times are in milliseconds where an option's name ends in ms, in seconds otherwise. TBT is the time between two
      successive tokens of a request, which vLLM calls ITL; TPOT is a request's mean TBT.

      Examples:
        sim --trace arxiv --policy layered --request-rate 1.5
        sim --trace sharegpt --policy chunked[budget=1024] --request-rate 4 --json
        sim --trace mooncake.jsonl --max-model-len 131072 --policy layered --draw 20
      """)

  @OptionGroup(title: "Traffic") var traffic: WorkloadOptions
  @OptionGroup(title: "Schedule") var schedule: PolicyOptions
  @OptionGroup(title: "Model, GPU and engine") var system: SystemOptions
  @OptionGroup(title: "Objective") var objective: ObjectiveOptions
  @OptionGroup(title: "Data") var folders: ProjectFolders
  @OptionGroup(title: "Results") var output: OutputOptions

  mutating func run() throws {
    let started = ContinuousClock.now
    try output.validateValues()
    let loaded = try system.load(from: folders.profilesFolder())
    let policy = try schedule.load(
      layers: loaded.system.shard.model.layers, maxModelLength: system.maxModelLen)
    let workload = try traffic.load(from: folders.tracesFolder())
    let experiment = try Experiment(
      system: system, loaded: loaded, policy: policy, workload: workload,
      objective: objective.load(trace: traffic.trace), maxConcurrency: traffic.maxConcurrency)

    let writer = try output.makeWriter()
    let drawing = output.draw.map {
      ScheduleDrawing(layers: loaded.system.shard.model.layers, rows: 16, columns: $0)
    }
    let progress = output.json ? nil : Progress(total: workload.count)
    var recorder: any Recorder = RunRecorder(
      metrics: RunMetrics(objective: experiment.objective), writer: writer, drawing: drawing, progress: progress)
    let totals = try experiment.run(recorder: &recorder)
    guard let record = recorder as? RunRecorder else { return }
    record.progress?.clear()

    let summary = RunSummary(
      metrics: record.metrics, totals: totals, energyQuality: loaded.energyQuality, kvBlocks: experiment.kvBlocks,
      wall: seconds(ContinuousClock.now - started), percentiles: output.percentiles)
    let parameters = experiment.parameters(system: system, traffic: traffic)
    var place: String?
    if let writer {
      let row = RunRow(
        parameters: parameters + [("log_level", RunValue(output.log.rawValue))], summary: summary.values,
        configJSON: JSONText.object(parameters + experiment.settings),
        argv: CommandLine.arguments.dropFirst().joined(separator: " "))
      let id = try writer.finish(row, kernels: totals.kernels)
      place = "Logged as run \(id) in \(writer.path)."
    }
    for request in record.rejected {
      warn(
        "rejected request \(request.id): \(request.promptTokens) + \(request.outputTokens) tokens exceed "
          + "\(min(system.maxModelLen, experiment.kvBlocks * loaded.system.engine.keyValueBlockSize)) "
          + "(--max-model-len, KV memory or the policy's budget)")
    }
    if record.metrics.rejected > record.rejected.count {
      warn("rejected \(record.metrics.rejected) requests in all")
    }
    if output.json {
      print(JSONText.object(experiment.vLLMHeader(traffic: traffic) + parameters + summary.values))
      return
    }
    if let drawing = record.drawing { print(drawing, terminator: "\n\n") }
    let report = RunReport(
      title: experiment.title, summary: summary, objective: experiment.objective,
      notes: experiment.notes(totals: totals) + (place.map { [$0] } ?? [])
        + ["Simulated in \(String(format: "%.2f", summary.wall)) s."])
    print(report.text)
  }

  private func warn(_ text: String) { FileHandle.standardError.write(Data("sim: \(text)\n".utf8)) }
}

/// A duration in seconds.
func seconds(_ duration: Duration) -> Double {
  Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
}
