import ArgumentParser
import Experiments
import Foundation
import Serving
import Support

/// The command-line tool.
///
/// `run` is the default: `sim --trace arxiv --policy layered`.
@main
struct Sim: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sim",
    abstract:
      "Simulates how an LLM serving schedule performs: latency, energy and expert traffic, without a GPU.",
    version: Revision.program,
    subcommands: [
      RunCommand.self, CompareCommand.self, CapacityCommand.self, SweepCommand.self, QueryCommand.self,
      ExportCommand.self, ValidateCommand.self, ListCommand.self, CalibrateCommand.self,
      CalibrateHostCommand.self,
    ],
    defaultSubcommand: RunCommand.self)

  /// Runs the command; an error becomes one line on standard error and an exit status of `sysexits.h`.
  static func main() {
    do {
      var command = try parseAsRoot()
      try command.run()
      // What was printed may still wait in a buffer; a full disk shows only now.
      guard fflush(nil) == 0 else { fail("standard output cannot be written", .ioError) }
    } catch let error as any UserError {
      fail("\(error)", error.exitStatus)
    } catch let code as ExitCode {
      fflush(nil)
      Foundation.exit(code.rawValue)
    } catch  where exitCode(for: error) == .success {
      exit(withError: error)  // help, or the version
    } catch {
      fail("\(message(for: error)) (see 'sim --help')", .usage)
    }
  }

  private static func fail(_ text: String, _ status: ExitStatus) -> Never {
    warn(text.split(whereSeparator: \.isNewline).joined(separator: " "))
    Foundation.exit(status.rawValue)
  }
}
