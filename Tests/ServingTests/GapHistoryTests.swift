import Statistics
import Testing

@testable import Serving

@Suite struct GapHistoryTests {
  @Test func theLongestIsAmongTheLaterSteps() {
    var history = GapHistory()
    for (i, gap) in [5.0, 1, 3, 2].enumerated() { history.append(gap, step: i + 1) }
    let longest = (0...4).map { history.longest(after: $0) }
    #expect(longest == [5, 3, 3, 2, 0])
  }

  /// Only gaps that no longer one follows are kept.
  @Test func whatALongerGapFollowsIsForgotten() {
    var history = GapHistory()
    for step in 1...1000 { history.append(Double(step), step: step) }
    #expect(history.count == 1)
    #expect(history.longest(after: 0) == 1000)
  }

  @Test(arguments: 0..<20) func itAgreesWithALookAtEveryStep(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var history = GapHistory()
    var all: [Double] = []
    var forgotten = 0
    for step in 1...300 {
      // Few distinct values, so that there are ties; a slope, so that the stack grows.
      all.append(Double(random.next() % 8) - Double(step) * Double(seed % 3) * 0.1 + 100)
      history.append(all[step - 1], step: step)
      if random.next() % 50 == 0 {
        forgotten += (step - forgotten) / 2
        history.forget(through: forgotten)
      }
      let asked = forgotten + Int(random.next() % UInt64(step - forgotten + 1))
      let answer = history.longest(after: asked)
      #expect(answer == all[asked...].max() ?? 0)
    }
  }
}
