import ArgumentParser

/// `sim export`: writes a run of a database in the formats of other tools.
struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write a logged run as vLLM's result file, as CSV, or as a timeline for Perfetto.",
    subcommands: [ExportVLLMCommand.self, ExportCSVCommand.self, ExportTimelineCommand.self])
}
