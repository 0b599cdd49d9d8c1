import Foundation
import Statistics
import Testing

@Suite struct WeightedDistributionTests {
  func distribution(_ pairs: [(Double, Int)]) -> WeightedDistribution {
    var result = WeightedDistribution()
    for (value, weight) in pairs { result.add(value, weight: weight) }
    return result
  }

  /// `numpy.percentile([1, 2, 3, 4], [0, 25, 50, 99, 100])`, in any order of entry.
  @Test func percentilesAreNumpys() {
    let values = distribution([(3, 1), (1, 1), (4, 1), (2, 1)])
    let percentiles = values.percentiles([0, 25, 50, 99, 100]).map { ($0 * 1e9).rounded() / 1e9 }
    #expect(percentiles == [1, 1.75, 2.5, 3.97, 4])
  }

  /// As of [1, 1, 1, 10].
  @Test func aWeightIsARepetition() {
    let percentiles = distribution([(10, 1), (1, 3)]).percentiles([0, 50, 75, 100])
    #expect(percentiles == [1, 1, 3.25, 10])
  }

  @Test func momentsAndExtremes() {
    let values = distribution([(2, 3), (6, 1)])
    #expect(values.count == 4)
    #expect(values.mean == 3)
    #expect(values.deviation == 3.0.squareRoot())
    #expect(values.min == 2)
    #expect(values.max == 6)
  }

  /// Gaps of microseconds beside hours, one by one, by repetition and in stretches: no order changes a bit.
  @Test(arguments: 0..<5) func momentsDoNotDependOnTheOrder(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var pairs = (0..<300).map { _ in
      (exp(Double(random.next() % 2400) / 100 - 13), 1 + Int(random.next() % 300))
    }
    let once = distribution(pairs)
    let count = pairs.reduce(0) { $0 + $1.1 }
    let mean = pairs.reduce(0) { $0 + $1.0 * Double($1.1) } / Double(count)
    let square = pairs.reduce(0) { $0 + $1.0 * $1.0 * Double($1.1) } / Double(count)
    #expect((once.mean / mean - 1).magnitude < 1e-12)
    #expect((once.deviation / (square - mean * mean).squareRoot() - 1).magnitude < 1e-9)
    for _ in 0..<10 {
      pairs.shuffle(using: &random)
      let again = distribution(pairs)
      #expect(again.mean == once.mean && again.deviation == once.deviation)
    }
    var stretches = WeightedDistribution()
    for weight in Set(pairs.map(\.1)) {
      let values = pairs.filter { $0.1 == weight }.map(\.0)
      stretches.add(values.span, weight: weight)
    }
    #expect(stretches.mean == once.mean && stretches.deviation == once.deviation)
  }

  /// Times that no run should have neither stop the program nor turn a mean negative.
  @Test func timesBeyondAllMeasure() {
    let values = distribution([(1e300, 1), (1, 3)])
    #expect(values.mean >= 1e15 && values.deviation >= 0)
  }

  @Test func anEmptyOneIsZero() {
    let empty = WeightedDistribution()
    #expect(empty.mean == 0)
    #expect(empty.deviation == 0)
    #expect(empty.percentiles([50, 99]) == [0, 0])
  }

  @Test func aSingleValueIsEveryPercentile() {
    let percentiles = distribution([(7, 1)]).percentiles([0, 1, 50, 99.9, 100])
    #expect(percentiles == [7, 7, 7, 7, 7])
  }

  @Test(arguments: 0..<10) func itAgreesWithTheExpandedList(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let pairs = (0..<200).map { _ in (Double(random.next() % 50), 1 + Int(random.next() % 9)) }
    let expanded = pairs.flatMap { Array(repeating: $0.0, count: $0.1) }.sorted()
    let percents = [0, 0.1, 1, 5, 25, 50, 75, 90, 95, 99, 99.9, 100]
    let expected = percents.map { percent in
      let position = percent / 100 * Double(expanded.count - 1)
      let rank = Int(position)
      let above = expanded[min(rank + 1, expanded.count - 1)]
      return expanded[rank] + (above - expanded[rank]) * (position - Double(rank))
    }
    let actual = distribution(pairs).percentiles(percents)
    #expect(actual == expected)
  }

  /// More pairs than are kept: seconds from 10 µs to 100 s go to bins, and percentiles move by 0.05 % at most.
  @Test func binsAreNearlyExact() {
    var random = SplitMix64(seed: 3)
    var values = WeightedDistribution()
    var all: [Double] = []
    for _ in 0..<WeightedDistribution.exactPairs + 1000 {
      let octaves = 23 * random.uniform()
      let value = 1e-5 * Double(1 << Int(octaves)) * (1 + random.uniform())
      values.add(value)
      all.append(value)
    }
    all.sort()
    let percents = [0, 0.1, 1, 10, 50, 90, 99, 99.9, 100]
    for (percent, actual) in zip(percents, values.percentiles(percents)) {
      let exact = all[Int(percent / 100 * Double(all.count - 1))]
      #expect(abs(actual / exact - 1) < 5e-4, "at \(percent) %: \(actual), exactly \(exact)")
    }
    #expect(values.min == all[0])
    #expect(values.max == all[all.count - 1])
    #expect(values.count == all.count)
  }

  /// As many pairs as are kept are exact, added one by one or together; one more is not.
  @Test func theBorderOfExactness() {
    let value = 1.0002  // not the middle of a bin
    var oneByOne = WeightedDistribution()
    for _ in 0..<WeightedDistribution.exactPairs { oneByOne.add(value) }
    var together = WeightedDistribution()
    let list = Array(repeating: value, count: WeightedDistribution.exactPairs / 2)
    for _ in 0..<2 { together.add(list.span, weight: 1) }
    // A last value that is far off keeps the extremes away from the median.
    for var values in [oneByOne, together] {
      #expect(values.percentile(50) == value)
      values.add(0.5)
      values.add(2)
      #expect(values.percentile(50) != value)
      #expect(abs(values.percentile(50) / value - 1) < 2e-4)
    }
  }

  /// The moments do not depend on how values come in, nor on whether they are kept or counted in bins.
  @Test func aListIsAddedAsIfOneByOne() {
    var random = SplitMix64(seed: 9)
    let list = (0..<1000).map { _ in random.uniform() }
    var oneByOne = WeightedDistribution()
    var together = WeightedDistribution()
    for _ in 0..<2 + WeightedDistribution.exactPairs / 1000 {
      for value in list { oneByOne.add(value, weight: 3) }
      together.add(list.span, weight: 3)
    }
    #expect(
      together.count == oneByOne.count
        && together.count == 3 * 1000 * (2 + WeightedDistribution.exactPairs / 1000))
    #expect(together.min == oneByOne.min && together.max == oneByOne.max)
    #expect(abs(together.mean / oneByOne.mean - 1) < 1e-9)
    #expect(abs(together.deviation / oneByOne.deviation - 1) < 1e-9)
    let percents = [1.0, 25, 50, 75, 99]
    #expect(together.percentiles(percents) == oneByOne.percentiles(percents))
    let mean = list.reduce(0, +) / 1000
    let variance = list.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 1000
    #expect(
      abs(together.mean / mean - 1) < 1e-9 && abs(together.deviation / variance.squareRoot() - 1) < 1e-9)
  }

  @Test func binsKeepWeights() {
    var values = WeightedDistribution()
    for _ in 0..<WeightedDistribution.exactPairs { values.add(1, weight: 2) }
    values.add(5, weight: 6 * WeightedDistribution.exactPairs)
    let quartiles = values.percentiles([20, 30])
    #expect(abs(quartiles[0] - 1) < 5e-4)
    #expect(abs(quartiles[1] / 5 - 1) < 5e-4)
  }
}
