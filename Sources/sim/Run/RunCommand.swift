import ArgumentParser
import CostModels
import Experiments
import Foundation
import ResultStore
import Serving
import Statistics
import Systems
import Workloads

/// Simulates one run, and appends it to a result database.
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Simulate one run: print its latencies, energy and expert traffic, and log it to SQLite.",
    discussion: """
      Times are in milliseconds where an option's name ends in ms, in seconds otherwise. TBT is the time between two \
      successive tokens of a request, which vLLM calls ITL; TPOT is a request's mean TBT.

      Examples:
        sim --trace arxiv --policy layered --request-rate 1.5
        sim --trace sharegpt --policy chunked[budget=1024] --request-rate 4 --json
        sim --trace mooncake.jsonl --max-model-len 131072 --policy layered --draw 20
      """)

  @OptionGroup var options: RunOptions
  @OptionGroup(title: "Results") var output: OutputOptions
  @OptionGroup(title: "Exports") var exports: ExportOptions

  func run() throws {
    let started = ContinuousClock.now
    try output.validateValues()
    try exports.validateValues(log: output.noDatabase ? nil : output.log)
    var cache = ExperimentCache()
    let experiment = try options.makeExperiment(cache: &cache)
    let writer = try output.makeWriter()
    var recorder = RunRecorder(metrics: RunMetrics(objective: experiment.objective), writer: writer)
    let progress = output.json ? nil : Progress(total: experiment.workload.count)
    recorder.progress = progress
    recorder.drawing = output.draw.map {
      ScheduleDrawing(layers: experiment.loaded.system.shard.model.layers, rows: 16, columns: $0)
    }
    let totals = try experiment.run(recorder: &recorder)
    progress?.clear()

    let summary = RunSummary(
      metrics: recorder.metrics, totals: totals, energyQuality: experiment.loaded.energyQuality,
      kvBlocks: experiment.kvBlocks, wall: (ContinuousClock.now - started).seconds,
      percentiles: output.percentiles)
    let uncertainty = try output.uncertainty.map {
      try Uncertainty(of: experiment, summary: summary, draws: $0)
    }
    var notes = experiment.notes(totals: totals)
    var logged: Int64?
    if let writer {
      let id = try writer.finish(
        experiment.row(
          summary: summary, more: uncertainty?.values ?? [], argv: Array(CommandLine.arguments.dropFirst())),
        kernels: totals.kernels)
      notes.append("Logged as run \(id) in \(writer.path).")
      logged = id
    }
    warnOfLosses(recorder, experiment)
    if output.json {
      let object = JSONText.object(experiment.vLLMHeader + experiment.parameters + summary.values)
      print(uncertainty?.added(to: object) ?? object)
    } else {
      printReport(summary, of: experiment, drawing: recorder.drawing, notes: notes)
      if let uncertainty { print("\n" + uncertainty.text) }
    }
    // Last, so that a file that cannot be written does not cost the report.
    if let logged {
      for note in try exports.write(run: logged, of: output.db) where !output.json { print(note) }
    }
  }

  private func printReport(
    _ summary: RunSummary, of experiment: LoadedExperiment, drawing: ScheduleDrawing?, notes: [String]
  ) {
    if let drawing { print(drawing, terminator: "\n\n") }
    let notes = notes + ["Simulated in \(String(format: "%.2f", summary.wall)) s."]
    let report = RunReport(
      title: experiment.title, summary: summary, objective: experiment.objective, notes: notes)
    print(report.text)
  }

  private func warnOfLosses(_ recorder: RunRecorder, _ experiment: LoadedExperiment) {
    for request in recorder.rejected {
      warn(
        "rejected request \(request.id): \(request.promptTokens) + \(request.outputTokens) tokens exceed "
          + "\(experiment.longestSequence), the least of --max-model-len, KV memory and the policy's budget")
    }
    if recorder.metrics.rejected > recorder.rejected.count {
      warn("rejected \(recorder.metrics.rejected) of \(recorder.metrics.requests) requests in all")
    }
    if recorder.metrics.unfinished > 0 {
      warn(
        "cut at \(experiment.maxDuration) s with \(recorder.metrics.unfinished) requests unfinished, which count as "
          + "failing the objective")
    }
  }
}
