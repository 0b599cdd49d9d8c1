import Foundation
import TestSupport
import Testing

@testable import Experiments

/// The `vllm` policy against schedules that vLLM's own scheduler made.
@Suite struct ScheduleTests {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Schedules").path
  static let names = (try? ScheduleScenario.names(in: folder)) ?? []

  @Test func thereAreTwentyAtLeast() { #expect(Self.names.count >= 20) }

  @Test(arguments: names) func stepsAndOutcomesAreVLLMs(name: String) throws {
    let scenario = try ScheduleScenario(name, in: Self.folder)
    #expect(scenario.outcomes?.count == scenario.requests.count)
    let comparison = try ScheduleComparison(scenario)
    let difference = comparison.firstDifference.map {
      "step \($0.step): recorded \($0.recorded), simulated \($0.simulated)"
    }
    #expect(difference == nil)
    let outcome = comparison.firstOutcome.map {
      "request \($0.request): recorded \($0.recorded), simulated \($0.simulated)"
    }
    #expect(outcome == nil)
  }

  /// A step number that no recording has is refused, rather than given room.
  @Test func aStepTooLateIsAnError() throws {
    let name = try #require(Self.names.first)
    let steps = "first_step,last_step,request,tokens,computed_before\n0,1000000000,0,1,0\n"
    try ScratchFolder.with("\(name).steps.csv", steps) { file in
      let folder = file.deletingLastPathComponent().path
      for part in ["json", "requests.csv", "outcomes.csv"] {
        try FileManager.default.copyItem(
          atPath: "\(Self.folder)/\(name).\(part)", toPath: "\(folder)/\(name).\(part)")
      }
      let error = #expect(throws: (any Error).self) { try ScheduleScenario(name, in: folder) }
      #expect(error.map { "\($0)".contains("1000000000") } == true)
    }
  }

  /// More blocks than any GPU has would be given room.
  @Test func tooManyBlocksAreAnError() throws {
    let name = try #require(Self.names.first)
    let settings = try Project.text("Tests/ExperimentsTests/Schedules/\(name).json")
    let field = try #require(settings.firstMatch(of: /"num_blocks": *\d+/)).output
    for (blocks, isRefused) in [(1 << 24, false), (1 << 24 + 1, true), (1, true)] {
      let changed = settings.replacing(field, with: "\"num_blocks\": \(blocks)")
      try ScratchFolder.with("\(name).json", changed) { file in
        let folder = file.deletingLastPathComponent().path
        for part in ["steps.csv", "requests.csv", "outcomes.csv"] {
          try FileManager.default.copyItem(
            atPath: "\(Self.folder)/\(name).\(part)", toPath: "\(folder)/\(name).\(part)")
        }
        let error = #expect(throws: (any Error).self) {
          _ = try ScheduleScenario(name, in: folder)
          if !isRefused { throw CancellationError() }
        }
        #expect(error.map { "\($0)".contains("num_blocks") } == isRefused)
      }
    }
  }

  @Test func aFolderWithoutScenariosIsAnError() {
    #expect(throws: ScheduleError.self) { try ScheduleScenario.names(in: "/nowhere") }
  }
}
