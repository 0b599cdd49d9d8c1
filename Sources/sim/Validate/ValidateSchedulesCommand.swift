import ArgumentParser
import Experiments
import Foundation
import Serving

/// `sim validate schedules`: holds the `vllm` policy against schedules that vLLM made.
struct ValidateSchedulesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "schedules",
    abstract: "Hold the vllm policy against recorded schedules of vLLM, step by step.",
    discussion: """
      FOLDER has for each scenario NAME.json (settings), NAME.requests.csv, NAME.steps.csv and mostly NAME.outcomes.csv. \
      Each is run with steps of one unit of time, once asking before every step and once repeating decode steps. The exit \
      status is 1 if a schedule or an outcome differs.

      Example:
        sim validate schedules Tests/ExperimentsTests/Schedules
      """)

  @Argument(help: ArgumentHelp("The folder of scenarios.", valueName: "folder"))
  var folder: String

  @Option(
    help: ArgumentHelp("Write the simulated steps of each scenario to FOLDER/NAME.csv.", valueName: "folder"))
  var stepsTo: String?

  func run() throws {
    var equal = 0
    let names = try ScheduleScenario.names(in: folder)
    for name in names {
      let comparison = try ScheduleComparison(ScheduleScenario(name, in: folder))
      if comparison.isEqual { equal += 1 }
      print("\(name): \(Self.verdict(comparison))")
      if let stepsTo { try Self.write(comparison.simulated, to: "\(stepsTo)/\(name).csv") }
    }
    print("\(equal) of \(names.count) schedules are equal, steps and outcomes")
    if equal < names.count { throw ExitCode(1) }
  }

  private static func verdict(_ comparison: ScheduleComparison) -> String {
    if let (step, recorded, simulated) = comparison.firstDifference {
      return """
        differs from step \(step) on
          recorded:  \(text(recorded))
          simulated: \(text(simulated))
        """
    }
    if let (request, recorded, simulated) = comparison.firstOutcome {
      return """
        steps are equal, but request \(request) fared otherwise
          recorded:  \(text(recorded))
          simulated: \(text(simulated))
        """
    }
    return "equal, \(comparison.steps) steps"
  }

  private static func text(_ rows: [StepRow]) -> String {
    rows.isEmpty
      ? "nothing" : rows.map { "\($0.request):\($0.tokens)@\($0.before)" }.joined(separator: " ")
  }

  private static func text(_ outcome: ScheduleScenario.Outcome) -> String {
    "cached \(outcome.cached), preempted \(outcome.preemptions), scheduled \(outcome.scheduled), first token "
      + "\(outcome.firstToken), finished \(outcome.finished)"
  }

  private static func write(_ steps: [[StepRow]], to path: String) throws {
    let file = try StepsFile(path: path)
    for (step, rows) in steps.enumerated() { file.write(rows, iteration: Int64(step)) }
    try file.finish()
  }
}
