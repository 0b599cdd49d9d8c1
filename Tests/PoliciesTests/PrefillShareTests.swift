import Serving
import Testing

/// Prefills the first prompt whole while the second one passes the first two layers, then the rest of the second.
private struct Uneven: Scheduler {
  var second: Prompt?
  var iteration = 0

  mutating func plan(_ view: InstanceView, into plan: inout StepPlan) {
    if iteration == 0, let first = plan.admitNext(view), let second = plan.admitNext(view) {
      plan.prefill(first, tokens: 0..<first.tokens, layers: 0..<8)
      plan.prefill(second, tokens: 0..<second.tokens, layers: 0..<2)
      self.second = second
    } else if iteration == 1, let second {
      plan.prefill(second, tokens: 0..<second.tokens, layers: 2..<8)
    }
    iteration += 1
  }
}

/// Prompts that pass different layers in the same iteration share its energy and its traffic by their work.
@Suite struct PrefillShareTests {
  /// Rows count by tokens × layers, attention by the pairs of tokens that attend to each other.
  @Test func promptsPayForTheirTiles() throws {
    let history = try run(Uneven(), [(0, 10, 1), (0, 20, 1)])
    let first = try #require(history[request: 0])
    let second = try #require(history[request: 1])
    // The toy's rows cost 1 J for each layer, 10 × 8 of the first prompt and 20 × 2 of the second, and idle power 1 J more.
    let rows = 80.0 / 120
    // Its attention costs half of that, shared by 55 × 8 pairs of the first prompt and 210 × 2 of the second.
    let pairs = 440.0 / 860
    #expect(abs(first.joules - (121 * rows + 60 * pairs)) < 1e-9)
    #expect(abs(first.expertBytes - 8000 * rows) < 1e-9)
    // What is left of that iteration is the second one's, and all of the next: 20 rows through 6 layers.
    #expect(abs(second.joules - (121 * (1 - rows) + 60 * (1 - pairs) + 121 + 60)) < 1e-9)
    let bytes = history.iterations.reduce(0) { $0 + $1.expertBytes }
    #expect(abs(first.expertBytes + second.expertBytes - bytes) < 1e-9)
    #expect(history.iterations.map(\.layerEnd) == [8, 8] && history.iterations.map(\.layerBegin) == [0, 2])
  }
}
