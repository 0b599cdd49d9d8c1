import Foundation
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

  @Test func aFolderWithoutScenariosIsAnError() {
    #expect(throws: ScheduleError.self) { try ScheduleScenario.names(in: "/nowhere") }
  }
}
