import Glibc

/// Student's t distribution: of a mean over its own standard error, where values are normal.
public struct StudentT: Sendable, Hashable {
  /// The number of independent deviations that the standard error rests on: values less one; at least 1.
  public let degreesOfFreedom: Int

  /// Creates the distribution.
  ///
  /// - Parameter degreesOfFreedom: At least 1.
  public init(degreesOfFreedom: Int) {
    precondition(degreesOfFreedom >= 1, "Student's t needs a degree of freedom")
    self.degreesOfFreedom = degreesOfFreedom
  }

  /// The share of the distribution that lies below a value.
  ///
  /// The relative error of the smaller tail is below 1e-13 (1e-12 beyond a million degrees of freedom).
  ///
  /// - Complexity: O(√n) for n degrees of freedom.
  public func cumulative(_ t: Double) -> Double { t < 0 ? upperTail(-t) : 1 - upperTail(t) }

  /// The value below which a share of the distribution lies.
  ///
  /// - Parameter share: Above 0 and below 1.
  /// - Returns: The quantile.
  /// - Complexity: That of some sixty calls of ``cumulative(_:)``.
  public func quantile(_ share: Double) -> Double {
    precondition(share > 0 && share < 1, "a quantile lies at a share above 0 and below 1")
    guard share >= 0.5 else { return -quantile(ofUpperTail: share) }
    return share == 0.5 ? 0 : quantile(ofUpperTail: 1 - share)
  }

  /// The value above which a share, less than a half, lies: by bisection.
  private func quantile(ofUpperTail share: Double) -> Double {
    var low = 0.0
    var high = 2.0
    while upperTail(high) > share { (low, high) = (high, 2 * high) }
    while true {
      let middle = low + (high - low) / 2
      guard low < middle, middle < high else { return high }
      if upperTail(middle) > share { low = middle } else { high = middle }
    }
  }

  /// The share that lies above a value that is not negative.
  ///
  /// Half of the regularised incomplete beta function at ν / (ν + t²): M. Abramowitz and I. A. Stegun, "Handbook of
  /// mathematical functions" (1964), 26.7.1 with 26.5.2.
  private func upperTail(_ t: Double) -> Double {
    let n = Double(degreesOfFreedom)
    let square = t * t
    guard square.isFinite else { return 0 }
    let x = n / (n + square)
    let y = square / (n + square)
    // x^(n/2) · y^(1/2) / B(n/2, 1/2), with the logarithm of x taken where it is exact.
    let front = exp(n / 2 * (x > 0.5 ? log1p(-y) : log(x))) * y.squareRoot() / beta(n)
    // The continued fraction is quick below the mean of the beta distribution; beyond, its complement is.
    if x < (n / 2 + 1) / (n / 2 + 2.5) { return front * fraction(n / 2, 0.5, x) / n }
    return (1 - 2 * front * fraction(0.5, n / 2, y)) / 2
  }

  /// B(n/2, 1/2) = Γ(n/2) Γ(1/2) / Γ((n+1)/2).
  private func beta(_ n: Double) -> Double {
    if n < 300 {
      // From B(1/2, 1/2) = π or B(1, 1/2) = 2 by B(a + 1, 1/2) = B(a, 1/2) · a / (a + 1/2).
      var a = degreesOfFreedom.isMultiple(of: 2) ? 1.0 : 0.5
      var value = degreesOfFreedom.isMultiple(of: 2) ? 2 : Double.pi
      while a < n / 2 {
        value *= a / (a + 0.5)
        a += 1
      }
      return value
    }
    // Γ(a) / Γ(a + 1/2) = a^(−1/2) (1 + 1/(8a) + 1/(128a²) − 5/(1024a³) − 21/(32768a⁴) + …), Abramowitz and Stegun, 6.1.47.
    let r = 2 / n
    let series = 1 + r * (1.0 / 8 + r * (1.0 / 128 - r * (5.0 / 1024 + r * (21.0 / 32768))))
    return (Double.pi * r).squareRoot() * series
  }

  /// The continued fraction of the incomplete beta function: Abramowitz and Stegun, 26.5.8.
  ///
  /// Evaluated from the front: W. J. Lentz, "Generating Bessel functions in Mie scattering calculations using continued
  /// fractions", Applied Optics 15 (1976), doi:10.1364/AO.15.000668.
  private func fraction(_ a: Double, _ b: Double, _ x: Double) -> Double {
    func safe(_ value: Double) -> Double { abs(value) < 1e-300 ? 1e-300 : value }
    var c = 1.0
    var d = 1 / safe(1 - (a + b) * x / (a + 1))
    var value = d
    var m = 0.0
    while true {
      m += 1
      let even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
      d = 1 / safe(1 + even * d)
      c = safe(1 + even / c)
      value *= d * c
      let odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
      d = 1 / safe(1 + odd * d)
      c = safe(1 + odd / c)
      let factor = d * c
      value *= factor
      if abs(factor - 1) < 1e-15 { return value }
    }
  }
}
