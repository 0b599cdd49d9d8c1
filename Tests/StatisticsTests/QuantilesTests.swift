import Statistics
import Testing

@Suite struct QuantilesTests {
  /// `numpy.quantile([15, 20, 35, 40, 50], [0, 0.05, 0.3, 0.4, 0.5, 0.95, 1])`.
  @Test func theyAreNumpys() {
    let values = [35.0, 15, 50, 20, 40]
    let found = [0, 0.05, 0.3, 0.4, 0.5, 0.95, 1].map { Quantiles.quantile($0, of: values) }
    let expected = [15, 16, 23, 29, 35, 48, 50]
    for (found, expected) in zip(found, expected) { #expect(abs(found - Double(expected)) < 1e-12) }
  }

  @Test func oneValueIsEveryQuantile() {
    for share in [0, 0.3, 1] { #expect(Quantiles.quantile(share, of: [7]) == 7) }
  }

  @Test func nothingHasNone() {
    #expect(Quantiles.quantile(0.5, of: []).isNaN)
    let weighted = Quantiles.quantiles([0.5, 1], count: 2, value: { Double($0) }, weight: { _ in 0 })
    #expect(weighted.count == 2 && weighted.allSatisfy(\.isNaN))
  }

  @Test func aPositionLiesBetweenTwoRanks() {
    let middle = Quantiles.Position(0.5, count: 4)
    #expect(middle.below == 1 && middle.above == 2 && middle.fraction == 0.5)
    let last = Quantiles.Position(1, count: 4)
    #expect(last.below == 3 && last.above == 3 && last.fraction == 0)
  }

  /// Weights of 0 among them, at the ends too.
  @Test(arguments: 0..<20) func aWeightIsARepetition(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let values = (0..<30).map { _ in Double(random.index(below: 12)) }.sorted()
    let weights = (0..<30).map { _ in random.index(below: 4) }
    let expanded = zip(values, weights).flatMap { Array(repeating: $0.0, count: $0.1) }
    let shares = [0.99, 0, 0.5, 0.25, 1, 0.5]
    let found = Quantiles.quantiles(
      shares, count: values.count, value: { values[$0] }, weight: { weights[$0] })
    #expect(found == shares.map { Quantiles.quantile($0, ofSorted: expanded) })
  }
}
