import Statistics
import Testing

@Suite struct BootstrapTests {
  @Test func resamplesAreAsLargeAsTheSample() {
    for blockLength in [1, 5, 7] {
      var bootstrap = Bootstrap(count: 100, blockLength: blockLength, seed: 3)
      var weights = Array(repeating: Int32(9), count: 100)
      var sums = Array(repeating: 0, count: 100)
      for _ in 0..<2000 {
        bootstrap.draw(into: &weights)
        #expect(weights.reduce(0, +) == 100)
        for i in weights.indices { sums[i] += Int(weights[i]) }
      }
      // Each unit is drawn once on average, the first and the last like the others.
      #expect(sums.allSatisfy { (1750...2250).contains($0) })
    }
  }

  /// The numbers of draws of a unit are binomial: their variance is 1 − 1/n.
  @Test func unitsAreDrawnOneByOne() {
    var bootstrap = Bootstrap(count: 50, seed: 4)
    var weights = Array(repeating: Int32(0), count: 50)
    var squares = 0.0
    for _ in 0..<2000 {
      bootstrap.draw(into: &weights)
      squares += weights.reduce(0.0) { $0 + Double(($1 - 1) * ($1 - 1)) }
    }
    #expect(abs(squares / 100_000 - 0.98) < 0.02)
  }

  /// Whole blocks, around the end: 12 units in blocks of 4 are three runs.
  @Test func blocksAreOfSuccessiveUnits() {
    var bootstrap = Bootstrap(count: 12, blockLength: 4, seed: 5)
    var weights = Array(repeating: Int32(0), count: 12)
    var starts = Set<Int>()
    for _ in 0..<400 {
      bootstrap.draw(into: &weights)
      // How often blocks start at a unit, less how often they ended before it: weights' differences.
      let rises = (0..<12).map { Int(weights[$0]) - Int(weights[($0 + 11) % 12]) }
      #expect(rises.filter { $0 > 0 }.reduce(0, +) <= 3)
      if rises.filter({ $0 > 0 }) == [3], let start = rises.firstIndex(of: 3) { starts.insert(start) }
    }
    // Of a block that is drawn three times there are 400 / 144 cases.
    #expect(!starts.isEmpty)
    #expect(
      [1: 1, 8: 2, 10: 2, 27: 3, 1000: 10].allSatisfy { Bootstrap.blockLength(ofSeries: $0.key) == $0.value })
    #expect(Bootstrap.blockLength(ofSeries: 0) == 1)
  }

  @Test func theLastBlockIsCut() {
    var bootstrap = Bootstrap(count: 5, blockLength: 3, seed: 6)
    var weights = Array(repeating: Int32(0), count: 5)
    for _ in 0..<100 {
      bootstrap.draw(into: &weights)
      #expect(weights.reduce(0, +) == 5 && weights.allSatisfy { $0 <= 2 })
    }
  }

  @Test func theSameSeedDrawsTheSame() {
    func draws(_ seed: UInt64) -> [[Double]] {
      var bootstrap = Bootstrap(count: 20, seed: seed)
      return bootstrap.draws(5) { $0.map { Double($0) } }
    }
    #expect(draws(1) == draws(1))
    #expect(draws(1) != draws(2))
    let figures = draws(1)
    #expect(figures.count == 20 && figures.allSatisfy { $0.count == 5 })
  }

  @Test func noUnitsGiveNothing() {
    var bootstrap = Bootstrap(count: 0, seed: 1)
    let draws = bootstrap.draws(3) { _ in [1] }
    #expect(draws == [[1, 1, 1]])
  }

  /// The interval of a mean and of a median holds the truth nine times out of ten.
  @Test func intervalsHoldTheTruth() {
    var means = 0
    var medians = 0
    for trial in 0..<1000 {
      var random = SplitMix64(seed: UInt64(trial), purpose: "trial")
      let sample = ClusteredSample(random.normals(60).map { 3 + $0 })
      var bootstrap = Bootstrap(count: 60, seed: UInt64(trial))
      let draws = bootstrap.draws(300) { sample.statistics([.mean, .median], weights: $0) }
      if Interval(ofDraws: draws[0], tails: 0.05).contains(3) { means += 1 }
      if Interval(ofDraws: draws[1], tails: 0.05).contains(3) { medians += 1 }
    }
    #expect((865...925).contains(means), "means: \(means)")
    #expect((865...930).contains(medians), "medians: \(medians)")
  }

  /// Values of a unit that are alike count as little more than one: units have to be drawn whole.
  @Test func unitsHaveToBeDrawnWhole() {
    var whole = 0
    var apart = 0
    for trial in 0..<1000 {
      var random = SplitMix64(seed: UInt64(trial), purpose: "trial")
      let clusters = (0..<50).map { unit in
        let own = random.normal()
        return (0..<1 + unit % 8).map { _ in own + 0.3 * random.normal() }
      }
      func interval(_ sample: ClusteredSample) -> Interval {
        var bootstrap = Bootstrap(count: sample.units, seed: UInt64(trial))
        return Interval(
          ofDraws: bootstrap.draws(200) { sample.statistics([.mean], weights: $0) }[0], tails: 0.05)
      }
      if interval(ClusteredSample(clusters: clusters)).contains(0) { whole += 1 }
      if interval(ClusteredSample(clusters.flatMap(\.self))).contains(0) { apart += 1 }
    }
    #expect((860...925).contains(whole), "whole: \(whole)")
    #expect(apart < 700, "apart: \(apart)")
  }

  /// What both sides have in common drops out of a paired difference.
  @Test func pairedDifferencesAreSharp() {
    var covered = 0
    var narrower = 0.0
    for trial in 0..<1000 {
      var random = SplitMix64(seed: UInt64(trial), purpose: "trial")
      let common = random.normals(60)
      let a = ClusteredSample(common.map { $0 + 0.1 * random.normal() })
      let b = ClusteredSample(common.map { $0 + 0.5 + 0.1 * random.normal() })
      var bootstrap = Bootstrap(count: 60, seed: UInt64(trial))
      let draws = bootstrap.draws(200) { weights in
        let means = (a.statistics([.mean], weights: weights)[0], b.statistics([.mean], weights: weights)[0])
        return [means.1 - means.0, means.1]
      }
      let difference = Interval(ofDraws: draws[0], tails: 0.05)
      if difference.contains(0.5) { covered += 1 }
      narrower += difference.width / Interval(ofDraws: draws[1], tails: 0.05).width
    }
    #expect((865...925).contains(covered), "covered: \(covered)")
    #expect((0.12...0.16).contains(narrower / 1000), "narrower: \(narrower / 1000)")
  }

  /// A series whose neighbours are alike: blocks of them, unlike single units, give intervals that are nearly wide enough.
  @Test func aSeriesIsDrawnInBlocks() {
    var blocks = 0
    var units = 0
    for trial in 0..<1000 {
      var random = SplitMix64(seed: UInt64(trial), purpose: "trial")
      var series = [random.normal() / 0.75.squareRoot()]
      for _ in 1..<216 { series.append(0.5 * series[series.count - 1] + random.normal()) }
      let sample = ClusteredSample(series)
      func covers(_ blockLength: Int) -> Bool {
        var bootstrap = Bootstrap(count: 216, blockLength: blockLength, seed: UInt64(trial))
        let draws = bootstrap.draws(200) { sample.statistics([.mean], weights: $0) }
        return Interval(ofDraws: draws[0], tails: 0.05).contains(0)
      }
      if covers(Bootstrap.blockLength(ofSeries: 216)) { blocks += 1 }
      if covers(1) { units += 1 }
    }
    #expect((810...900).contains(blocks), "blocks: \(blocks)")
    #expect(units < 710, "units: \(units)")
  }
}
