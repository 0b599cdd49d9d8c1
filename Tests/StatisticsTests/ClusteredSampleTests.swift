import Statistics
import Testing

@Suite struct ClusteredSampleTests {
  static let wanted: [Statistic] = [.quantile(0.99), .mean, .median, .quantile(0.9)]

  /// The sample in which each unit stands as often as its weight says, written out.
  static func expanded(_ clusters: [[Double]], _ weights: [Int32]) -> [Double] {
    let values = zip(clusters, weights).flatMap { Array(repeating: $0.0, count: Int($0.1)).flatMap(\.self) }
    return [
      Quantiles.quantile(0.99, of: values), values.reduce(0, +) / Double(values.count),
      Quantiles.quantile(0.5, of: values), Quantiles.quantile(0.9, of: values),
    ]
  }

  @Test(arguments: 0..<20) func weightsAreRepetitionsOfWholeUnits(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let clusters = (0..<12).map { _ in (0..<random.index(below: 5)).map { _ in random.normal() } }
    let sample = ClusteredSample(clusters: clusters)
    for weights in [
      Array(repeating: Int32(1), count: 12), (0..<12).map { _ in Int32(random.index(below: 3)) },
    ] {
      let found = sample.statistics(Self.wanted, weights: weights)
      for (found, expected) in zip(found, Self.expanded(clusters, weights)) {
        #expect(abs(found - expected) < 1e-12)
      }
    }
    #expect(
      sample.statistics(Self.wanted) == sample.statistics(Self.wanted, weights: clusters.map { _ in 1 }))
    #expect(sample.units == 12)
  }

  @Test func unitsMayLackAValue() {
    let sample = ClusteredSample([3, .nan, 1])
    #expect(sample.units == 3)
    #expect(sample.statistics([.mean, .median], weights: [1, 5, 1]) == [2, 2])
    #expect(sample.statistics([.mean, .quantile(1)], weights: [1, 0, 3]) == [1.5, 3])
  }

  @Test func nothingLeftIsNoNumber() {
    let sample = ClusteredSample([3, 4])
    let none = sample.statistics([.mean, .median], weights: [0, 0])
    #expect(none.count == 2 && none.allSatisfy(\.isNaN))
    let ofNothing = ClusteredSample([]).statistics([.mean])
    #expect(ofNothing[0].isNaN)
  }
}

@Suite struct IntervalTests {
  static let draws = (0...40).map { Double($0) }.reversed() + [.nan]

  @Test func endsLieAtQuantiles() {
    #expect(Interval(ofDraws: Self.draws, tails: 0.05) == Interval(low: 2, high: 38))
    #expect(Interval(ofDraws: Self.draws) == Interval(low: 1, high: 39))
    let between = Interval(ofDraws: [0, 1, 2, 3, 4], tails: 0.05)
    #expect(abs(between.low - 0.2) < 1e-12 && abs(between.high - 3.8) < 1e-12)
  }

  /// Away from the middle, to draws that there are.
  @Test func endsGoOutward() {
    #expect(Interval(ofDraws: [0, 1, 2, 3, 4], tails: 0.05, ends: .outward) == Interval(low: 0, high: 4))
    #expect(Interval(ofDraws: Self.draws, tails: 0.03, ends: .outward) == Interval(low: 1, high: 39))
    #expect(Interval(ofDraws: Self.draws, tails: 0.05, ends: .outward) == Interval(low: 2, high: 38))
  }

  @Test func noDrawsGiveNoInterval() {
    let none = Interval(ofDraws: [.nan])
    #expect(none.low.isNaN && none.high.isNaN)
    #expect(!none.excludesZero && !none.contains(0))
  }

  @Test func whatAnIntervalHolds() {
    let interval = Interval(low: -1, high: 2)
    #expect(interval.width == 3)
    #expect(
      interval.contains(-1) && interval.contains(2) && !interval.contains(2.1) && !interval.contains(-1.1))
    #expect(!interval.excludesZero)
    #expect(Interval(low: 0.1, high: 2).excludesZero && Interval(low: -2, high: -0.1).excludesZero)
    #expect(!Interval(low: 0, high: 2).excludesZero && !Interval(low: -2, high: 0).excludesZero)
    #expect(Estimate(1, interval).interval == interval)
  }
}
