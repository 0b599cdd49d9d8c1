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
      The usual options of a run, which is the default command ('sim run --help' has all):
        --trace NAME|FILE            traffic (sim list traces)       --request-rate R       mean requests a second
        --policy NAME                the schedule (sim list policies)  --num-prompts N        number of requests
        --model NAME|FILE            a model, or its config.json     --tp N                 GPUs that share it
        --hardware NAME              the GPU (sim list hardware)     --engine NAME          the server (sim list engines)
        --slo ttft:1s tbt:50ms       what a good request meets       --seed N               other traffic of the kind
        --config FILE                options from a JSON file, for every command: {"trace": "arxiv", "request-rate": 1.5}

      Which policy wins: sim compare, sim tune. How much it holds: sim capacity. How many GPUs: sim plan.
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
      var command = try parseAsRoot(ConfigurationFile.expanded(Array(CommandLine.arguments.dropFirst())))
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
      let commands = configuration.subcommands.compactMap { $0.configuration.commandName }
      let message = ForeignOptions.explained(message(for: error), commands: commands)
      fail("\(message) (see 'sim --help')", .usage)
    }
  }

  private static func fail(_ text: String, _ status: ExitStatus) -> Never {
    warn(text.onOneLine(limit: 1000))
    Foundation.exit(status.rawValue)
  }
}
