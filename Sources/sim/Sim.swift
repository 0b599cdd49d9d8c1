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
    discussion: """
      The usual options of a run ('sim run --help' has all):
        --trace NAME|FILE      traffic (sim list traces)
        --request-rate R       mean requests a second
        --num-prompts N        number of requests
        --policy NAME          the schedule (sim list policies)
        --model NAME|FILE      a model, or its config.json (sim list models)
        --hardware NAME        the GPU (sim list hardware)
        --tp N                 GPUs that share the model
        --engine NAME          the server (sim list engines)
        --slo ttft:1s tbt:50ms what a good request meets
        --seed N               other traffic of the kind
      For every command:
        --config FILE          options from a JSON file, or an experiment as
                               --dry-run prints it

      Which policy wins: sim compare, sim tune. How much it holds: sim capacity.
      How many GPUs: sim plan. Show me the curve: sim sweep.
      """,
    version: Version.text,
    subcommands: [
      RunCommand.self, CompareCommand.self, CapacityCommand.self, TuneCommand.self, PlanCommand.self,
      SweepCommand.self,
      AnarchyCommand.self, BatchCommand.self, OffloadCommand.self, QueryCommand.self, GenerateCommand.self,
      ExportCommand.self, ValidateCommand.self, ListCommand.self, CalibrateCommand.self,
      CalibrateHostCommand.self,
    ],
    defaultSubcommand: RunCommand.self)

  /// Runs the command; an error becomes one line on standard error and an exit status of `sysexits.h`.
  static func main() {
    // Swift's runtime prints a backtrace for it and goes on; who presses Ctrl-\ wants the program to end.
    signal(SIGQUIT, SIG_DFL)
    do {
      var command = try parseAsRoot(
        ConfigurationFile.expanded(
          ForeignOptions.withNegativeNumbers(Array(CommandLine.arguments.dropFirst()))))
      try command.run()
      leave(0)
    } catch let error as any UserError {
      fail("\(error)", error.exitStatus)
    } catch let code as ExitCode {
      leave(code.rawValue)
    } catch  where exitCode(for: error) == .success {
      print(fullMessage(for: error))  // help, or the version
      leave(0)
    } catch {
      let commands = configuration.subcommands.compactMap { $0.configuration.commandName }
      let message = ForeignOptions.explained(message(for: error), commands: commands)
      fail("\(message) (see 'sim --help')", .usage)
    }
  }

  private static func fail(_ text: String, _ status: ExitStatus) -> Never {
    warn(text.onOneLine(limit: 1000))
    fflush(nil)
    _exit(status.rawValue)
  }

  /// Ends the program, without the handlers of libraries: with little memory OpenBLAS waits for ever for its threads.
  private static func leave(_ status: Int32) -> Never {
    // What was printed may still wait in a buffer; a full disk shows only now.
    guard fflush(nil) == 0 else { fail("standard output cannot be written", .ioError) }
    _exit(status)
  }
}
