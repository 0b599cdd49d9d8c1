import Testing

@testable import Experiments
@testable import sim

@Suite struct SensitivityReportTests {
  func line(
    _ lever: SensitivityLever, present: Double, below: Double? = nil, above: Double? = nil,
    searched: ClosedRange<Double>
  ) -> String {
    func crossing(_ value: Double?) -> CrossingSearch.Crossing? {
      value.map { CrossingSearch.Crossing(holding: $0, failing: $0) }
    }
    let sensitivity = Sensitivity(
      lever: lever, concerned: [0], winner: 1, present: present, below: crossing(below),
      above: crossing(above), searched: searched)
    return SensitivityReport(names: ["chunked", "layered"], metric: .endToEnd, sensitivities: [sensitivity])
      .line(sensitivity)
  }

  @Test func linesSayWhereTheWinnerChanges() {
    #expect(
      line(.hostPerStage, present: 0.5, above: 2.1, searched: 0...2.5)
        == "host time per layered step (host.partial_depth_ms), now 0.5 ms: layered wins as long as it is below "
        + "2.1 ms; searched: 0 to 2.5 ms.")
    #expect(
      line(.expertKernels, present: 1, searched: 0.125...8)
        == "time factor of expert kernels (kernel_scale.expert_mlp), now 1: chunked never wins within 0.125 to 8."
    )
    #expect(
      line(.chunkBudget, present: 512, below: 300, above: 1500, searched: 256...2048)
        == "chunk budget of chunked, now 512 tokens: layered wins as long as it is between 300 and 1500 tokens; "
        + "searched: 256 to 2048 tokens.")
  }

  @Test func compareEndsWithThem() throws {
    let outcome = try Binary.run([
      "compare", "chunked[budget=512]", "layered", "--request-rate", "2", "--num-prompts", "20", "--no-db",
    ])
    #expect(outcome.status == 0)
    #expect(outcome.output.contains("What would have to be different for "))
    #expect(outcome.output.contains("chunk budget of chunked, now 512 tokens"))
    let json = try Binary.run([
      "compare", "chunked[budget=512]", "layered", "--request-rate", "2", "--num-prompts", "20", "--no-db",
      "--json",
    ])
    #expect(json.output.contains(#""lever": "host.partial_depth_ms""#))
  }

  /// So few requests tell no winner: none is named, nor what would have to be different for the other to win.
  @Test func fewRequestsTellNoWinner() throws {
    let outcome = try Binary.run([
      "compare", "chunked[budget=512]", "layered", "--request-rate", "2", "--num-prompts", "8", "--no-db",
    ])
    #expect(outcome.status == 0 && outcome.output.contains("too few to tell a difference from chance"))
    #expect(!outcome.output.contains("layered wins") && !outcome.output.contains("layered loses"))
    #expect(
      outcome.output.contains("is not searched for: so few requests tell no winner"), "\(outcome.output)")
  }
}
