import Statistics
import Testing

/// The cheapest assignment, held against all of them.
@Suite struct AssignmentTests {
  /// The least cost over all ways to give rows different columns.
  func leastByTrial(_ cost: [[Double]], row: Int = 0, taken: Set<Int> = []) -> Double {
    guard row < cost.count else { return 0 }
    return (0..<cost[row].count).filter { !taken.contains($0) }.map {
      cost[row][$0] + leastByTrial(cost, row: row + 1, taken: taken.union([$0]))
    }.min() ?? .infinity
  }

  @Test(arguments: 0..<60) func noOtherAssignmentIsCheaper(seed: Int) {
    var draws = SplitMix64(seed: UInt64(seed), purpose: "assignment")
    let rows = 1 + draws.index(below: 5)
    let columns = rows + draws.index(below: 3)
    // Whole numbers make ties.
    let cost = (0..<rows).map { _ in (0..<columns).map { _ in Double(draws.index(below: 9)) - 2 } }
    let chosen = Assignment.cheapest(rows: rows, columns: columns) { cost[$0][$1] }
    #expect(Set(chosen).count == rows)
    let sum = chosen.enumerated().reduce(0) { $0 + cost[$1.offset][$1.element] }
    #expect(sum == leastByTrial(cost))
  }

  @Test func nothingIsAssignedToNobody() {
    #expect(Assignment.cheapest(rows: 0, columns: 0) { _, _ in 0 }.isEmpty)
  }
}
