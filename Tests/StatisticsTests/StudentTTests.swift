import Glibc
import Statistics
import Testing

@Suite struct StudentTTests {
  /// The 97.5 % quantiles that any table has, and some further out.
  @Test(arguments: [
    (1, 0.975, 12.706), (2, 0.975, 4.303), (3, 0.975, 3.182), (5, 0.975, 2.571), (10, 0.975, 2.228),
    (19, 0.975, 2.093), (30, 0.975, 2.042), (60, 0.975, 2.000), (120, 0.975, 1.980), (4, 0.95, 2.132),
    (9, 0.995, 3.250), (14, 0.9995, 4.140), (7, 0.9, 1.415),
  ])
  func quantilesAreThoseOfTheTables(freedom: Int, share: Double, expected: Double) {
    let t = StudentT(degreesOfFreedom: freedom)
    #expect(abs(t.quantile(share) - expected) <= 0.0005)
    #expect(t.quantile(1 - share) == -t.quantile(1 - (1 - share)))
    #expect(abs(t.quantile(1 - share) + t.quantile(share)) < 1e-12)
  }

  static let shares = [1e-9, 0.001, 0.1, 0.3, 0.4999, 0.6, 0.9, 0.975, 0.9999]

  /// With one degree of freedom it is Cauchy's distribution.
  @Test(arguments: shares) func oneDegreeIsCauchys(share: Double) {
    let expected = share < 0.5 ? -1 / tan(.pi * share) : tan(.pi * (share - 0.5))
    let found = StudentT(degreesOfFreedom: 1).quantile(share)
    #expect(abs(found / expected - 1) < 1e-9)
  }

  /// With two and four degrees of freedom there are closed forms.
  @Test(arguments: [-30, -2, -0.7, 0.01, 0.5, 1, 1.7, 3, 10]) func closedForms(t: Double) {
    let two = 0.5 + t / (2 * (2 + t * t).squareRoot())
    #expect(abs(StudentT(degreesOfFreedom: 2).cumulative(t) - two) < 1e-14)
    let u = t / (4 + t * t).squareRoot()
    let four = 0.5 + 0.75 * (u - u * u * u / 3)
    #expect(abs(StudentT(degreesOfFreedom: 4).cumulative(t) - four) < 1e-14)
  }

  /// The quantile is the inverse of the distribution function, whichever way that is computed.
  @Test(arguments: [1, 2, 3, 8, 31, 299, 300, 301, 5000]) func quantilesInvert(freedom: Int) {
    let t = StudentT(degreesOfFreedom: freedom)
    for share in Self.shares {
      #expect(abs(t.cumulative(t.quantile(share)) - share) < 1e-14, "\(share) of \(freedom)")
    }
  }

  /// The distribution function is the integral of the density, by Simpson's rule.
  @Test(arguments: [3, 6, 25, 400]) func theDensityIsItsSlope(freedom: Int) {
    let t = StudentT(degreesOfFreedom: freedom)
    let n = Double(freedom)
    func shape(_ x: Double) -> Double { exp(-(n + 1) / 2 * log1p(x * x / n)) }
    func integral(_ from: Double, _ to: Double) -> Double {
      let steps = 400
      let width = (to - from) / Double(steps)
      var sum = shape(from) + shape(to)
      for i in 1..<steps { sum += shape(from + Double(i) * width) * (i.isMultiple(of: 2) ? 2 : 4) }
      return sum * width / 3
    }
    // Constants drop out of a quotient of two ranges.
    let found = (t.cumulative(2.5) - t.cumulative(1.9)) / (t.cumulative(1) - t.cumulative(0.2))
    #expect(abs(found / (integral(1.9, 2.5) / integral(0.2, 1)) - 1) < 1e-10)
  }

  @Test func manyDegreesAreNearlyNormal() {
    let t = StudentT(degreesOfFreedom: 2_000_000)
    for share in [0.01, 0.3, 0.5, 0.8, 0.975] {
      #expect(abs(t.quantile(share) - NormalDistribution.quantile(share)) < 1e-5)
    }
  }
}

@Suite struct NormalDistributionTests {
  /// The quantile is the inverse of the distribution function, in the middle and in both tails.
  @Test(arguments: [1e-12, 1e-4, 0.024, 0.0243, 0.1, 0.4, 0.5, 0.77, 0.9757, 0.976, 0.999, 1 - 1e-9])
  func quantilesInvert(share: Double) {
    let x = NormalDistribution.quantile(share)
    // The smaller of the two tails, so that no digits are lost.
    let tail = 0.5 * erfc(abs(x) / 2.0.squareRoot())
    // A relative error of 1.2e-9 in x is one of x² times that in the tail.
    #expect(abs(tail / min(share, 1 - share) - 1) < 2e-9 * (1 + x * x))
    #expect(x == 0 || (x < 0) == (share < 0.5))
  }
}
