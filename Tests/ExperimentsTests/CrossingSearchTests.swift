import Testing

@testable import Experiments

@Suite struct CrossingSearchTests {
  /// Lines 3 + 2x and 10 + x cross at 7: the first is less below that.
  @Test func theCrossingOfTwoLinesIsFound() throws {
    let search = CrossingSearch(from: 0, through: [1, 2, 4, 8, 16], scale: .linear(0.001)) {
      3 + 2 * $0 < 10 + $0
    }
    let crossing = try #require(search.crossing)
    #expect(crossing.holding < 7 && crossing.failing >= 7)
    #expect(abs(crossing.value - 7) < 0.07)
    // Steps beyond the crossing are not tried.
    #expect(search.searched == 8)
  }

  /// 5 + 8/x meets 7 at 4; by ratios.
  @Test func ratiosAreBisected() throws {
    let search = CrossingSearch(from: 32, through: [16, 8, 4, 2, 1], scale: .geometric(0.01)) {
      5 + 8 / $0 < 7
    }
    let crossing = try #require(search.crossing)
    #expect(crossing.holding > 4 && crossing.failing <= 4 && crossing.holding / crossing.failing <= 1.01)
  }

  @Test func wholeNumbersStayWhole() throws {
    let search = CrossingSearch(from: 512, through: [1024, 2048], scale: .whole(0.001)) { $0 <= 1499 }
    #expect(search.crossing == CrossingSearch.Crossing(holding: 1499, failing: 1500))
  }

  @Test func withoutACrossingTheRangeIsSaid() {
    let search = CrossingSearch(from: 1, through: [2, 4, 8], scale: .linear(0.1)) { _ in true }
    #expect(search.crossing == nil && search.searched == 8)
  }

  @Test func impossibleValuesEndTheSearch() {
    let search = CrossingSearch(from: 1, through: [2, 4, 8], scale: .linear(0.1)) { $0 > 5 ? nil : true }
    #expect(search.crossing == nil && search.searched == 4)
  }
}
