import Testing

@testable import Exports

struct TimelineLanesTests {
  @Test func lanesAreUsedAnew() {
    var lanes = TimelineLanes()
    #expect(
      [(0, 4), (1, 3), (3, 5), (3.5, 6), (4, 9)].map { lanes.take(from: $0.0, to: $0.1) } == [0, 1, 1, 2, 0])
    #expect(lanes.count == 3)
  }
}
