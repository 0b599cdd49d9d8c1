import ArgumentParser

/// `sim validate`: holds predictions against measurements.
struct ValidateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "validate",
    abstract: "Hold the simulator against real servers, their schedules, or measured iterations.",
    subcommands: [
      ValidateRunCommand.self, ValidateIterationsCommand.self, ValidateSchedulesCommand.self,
      ValidateServersCommand.self, ValidatePrefixCacheCommand.self,
    ])
}
