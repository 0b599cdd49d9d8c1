import ArgumentParser
import Foundation
import SimCore

/// The command-line tool. `run` is the default: `sim --trace arxiv --policy layered`.
@main
struct Sim: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sim",
    abstract:
      "Simulates how an LLM serving schedule performs: latency, energy and expert traffic, without a GPU.",
    version: Self.version,
    subcommands: [
      RunCommand.self, QueryCommand.self, ExportCommand.self, ValidateCommand.self, ListCommand.self,
      CalibrateCommand.self,
    ],
    defaultSubcommand: RunCommand.self)

  /// The version that every run records.
  static let version = "0.1.0"

  /// Runs the command; an error of ours becomes one line on standard error and its own exit status.
  static func main() {
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch let error as any UserError {
      FileHandle.standardError.write(Data("sim: \(error)\n".utf8))
      Foundation.exit(error.exitStatus.rawValue)
    } catch {
      exit(withError: error)
    }
  }
}
