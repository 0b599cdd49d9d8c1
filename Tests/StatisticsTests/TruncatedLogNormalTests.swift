import Glibc
import Statistics
import Testing

@Suite struct TruncatedLogNormalTests {
  /// Means and shares against sums over a fine grid of the density.
  @Test(arguments: [(9.9, 1.0, 128.0, 131_072.0), (3, 0.5, 5, 60)])
  func closedFormsAreIntegrals(mu: Double, sigma: Double, low: Double, high: Double) {
    let law = TruncatedLogNormal(mu: mu, sigma: sigma, range: low...high)
    // In steps of the logarithm: x f(x) dx/x.
    let (begin, end) = (Self.log(low), Self.log(high))
    let steps = 20_000
    for part in [0.3, 0.6, 0.9] {
      let mark = Self.exp(begin + part * (end - begin))
      var (all, above, sumAbove, sumBelow) = (0.0, 0.0, 0.0, 0.0)
      for step in 0..<steps {
        let y = begin + (Double(step) + 0.5) / Double(steps) * (end - begin)
        let density = Self.exp(-(y - mu) * (y - mu) / (2 * sigma * sigma))
        all += density
        if Self.exp(y) > mark {
          above += density; sumAbove += density * Self.exp(y)
        } else {
          sumBelow += density * Self.exp(y)
        }
      }
      #expect(abs(law.share(above: mark) - above / all) < 2e-4)
      #expect(abs(law.mean(above: mark) / (sumAbove / above) - 1) < 1e-3)
      #expect(abs(law.mean(upTo: mark) / (sumBelow / (all - above)) - 1) < 1e-3)
    }
    #expect(law.share(above: low) == 1 && law.share(above: high) == 0)
    #expect(law.mean(above: high) == high)
  }

  /// The mean length of Prefill as a Service's case study is 27.5 thousand tokens.
  @Test func theCaseStudysMean() {
    #expect(abs(TruncatedLogNormal(mu: 9.9, sigma: 1, range: 128...131_072).mean - 27_500) < 100)
  }

  private static func exp(_ x: Double) -> Double { Glibc.exp(x) }
  private static func log(_ x: Double) -> Double { Glibc.log(x) }
}
