import ArgumentParser
import Exports
import ResultStore
import Support

/// `sim export timeline`: a run for ui.perfetto.dev and chrome://tracing.
struct ExportTimelineCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "timeline", abstract: "Write a run as a Chrome trace, which ui.perfetto.dev opens.",
    discussion: """
      Every instance is a process: its iterations with the layers that carried prefill, its requests packed into as few \
      lanes as they need, and counters of queue, KV blocks, watts and expert GB/s.
      """)

  @Option(name: .customLong("run"), help: ArgumentHelp("The run. Default: the latest.", valueName: "id"))
  var runID: Int64?

  @OptionGroup var source: ExportSource

  func run() throws {
    let reader = try ResultReader(path: source.db)
    let run = try reader.existingRun(runID)
    try warnOfDamage(run, in: reader)
    let timeline = try Timeline(reader: reader, run: run)
    let file = try WholeFile(path: source.output)
    try timeline.write(to: file)
    try file.finish()
  }
}
