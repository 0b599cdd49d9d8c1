import Glibc
import Statistics
import Testing

@Suite struct SampleTests {
  @Test func momentsOfASmallSample() {
    let sample = Sample([4, 1, 7])
    #expect(sample.count == 3)
    #expect(sample.sorted == [1, 4, 7])
    #expect(sample.mean == 4)
    #expect(sample.variance == 9)
    #expect(sample.deviation == 3)
    #expect(abs(sample.standardError - 3.0.squareRoot()) < 1e-15)
    #expect(sample.quantile(0.25) == 2.5)
  }

  @Test func fewValuesHaveNoSpread() {
    #expect(Sample([]).mean.isNaN)
    #expect(Sample([2]).mean == 2)
    #expect(Sample([2]).variance.isNaN)
    #expect(Sample([2]).meanInterval() == nil)
    #expect(Sample([2, 2]).meanInterval() == Interval(low: 2, high: 2))
  }

  /// The interval of 1, 2, 3 is 2 ± 4.303 / √3.
  @Test func theIntervalIsStudents() throws {
    let interval = try #require(Sample([1, 2, 3]).meanInterval())
    #expect(abs(interval.low - (2 - 4.30265 / 3.0.squareRoot())) < 1e-5)
    #expect(abs(interval.low + interval.high - 4) < 1e-14)
  }

  /// The variance is right on average, which it is not with n in the denominator.
  @Test func theVarianceIsUnbiased() {
    var random = SplitMix64(seed: 11)
    let mean = (0..<20_000).map { _ in Sample(random.normals(3)).variance }.reduce(0, +) / 20_000
    #expect(abs(mean - 1) < 0.03)
  }

  /// A share of `level` of all intervals holds the truth, however few values there are.
  @Test(arguments: [(2, 0.9), (3, 0.9), (5, 0.95), (10, 0.9), (40, 0.8)])
  func intervalsOfMeansHoldTheTruth(count: Int, level: Double) {
    let covered = share(of: 4000) { random in
      Sample(random.normals(count).map { 5 + 2 * $0 }).meanInterval(level: level)?.contains(5) ?? false
    }
    #expect(abs(covered - level) < 0.015, "covered: \(covered)")
  }

  /// Values of another distribution, which is skew, are enough if there are some tens of them.
  @Test func skewValuesNearlyDo() {
    let covered = share(of: 2000) { random in
      let values = (0..<40).map { _ in -log1p(-random.uniform()) }
      return Sample(values).meanInterval(level: 0.9)?.contains(1) ?? false
    }
    #expect((0.86...0.915).contains(covered), "covered: \(covered)")
  }
}
