import Statistics
import Testing

@Suite struct SplitMix64Tests {
  /// The first numbers of the authors' C code, for two seeds.
  @Test(
    arguments: [
      (0, [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4, 0x06c4_5d18_8009_454f, 0xf88b_b8a8_724c_81ec]),
      (
        1_234_567,
        [
          6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
          4_593_380_528_125_082_431,
        ]
      ),
    ] as [(UInt64, [UInt64])])
  func theNumbersAreThePublishedOnes(seed: UInt64, expected: [UInt64]) {
    var random = SplitMix64(seed: seed)
    let numbers = expected.map { _ in random.next() }
    #expect(numbers == expected)
  }

  @Test func uniformNumbersLieBelowOne() {
    var random = SplitMix64(seed: 7)
    let numbers = (0..<10_000).map { _ in random.uniform() }
    let mean = numbers.reduce(0, +) / 10_000
    #expect(numbers.allSatisfy { (0..<1).contains($0) })
    #expect(abs(mean - 0.5) < 0.01)
  }

  /// A purpose has its own stream, which does not depend on how much the others have drawn.
  @Test func purposesAreIndependent() {
    var arrivals = SplitMix64(seed: 42, purpose: "arrivals")
    var lengths = SplitMix64(seed: 42, purpose: "lengths")
    let pairs = (0..<10_000).map { _ in (arrivals.uniform() - 0.5, lengths.uniform() - 0.5) }
    let correlation = pairs.map { $0.0 * $0.1 }.reduce(0, +) / 10_000 * 12
    #expect(abs(correlation) < 0.05)
    var again = SplitMix64(seed: 42, purpose: "arrivals")
    #expect(again.uniform() - 0.5 == pairs[0].0)
  }

  @Test func seedsGiveDifferentStreams() {
    let first = (0..<1000 as Range<UInt64>).map { seed in
      var random = SplitMix64(seed: seed, purpose: "arrivals")
      return random.next()
    }
    #expect(Set(first).count == 1000)
  }
}
