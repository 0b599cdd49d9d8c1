import ArgumentParser

/// `sim validate`: holds predictions against measurements.
struct ValidateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "validate",
    abstract: "Hold the simulator against a real server's benchmark, or against measured iterations.",
    subcommands: [ValidateRunCommand.self, ValidateIterationsCommand.self])
}
