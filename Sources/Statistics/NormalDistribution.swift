import Glibc

/// The standard normal distribution.
public enum NormalDistribution {
  /// The value below which a share of the distribution lies; relative error below 1.2e-9.
  ///
  /// P. J. Acklam, "An algorithm for computing the inverse normal cumulative distribution function" (2003).
  ///
  /// - Parameter share: above 0 and below 1.
  /// - Returns: the quantile.
  public static func quantile(_ share: Double) -> Double {
    let tail = 0.02425
    if share < tail { return lowerTail(share) }
    if share > 1 - tail { return -lowerTail(1 - share) }
    let q = share - 0.5
    let r = q * q
    var numerator = -3.969683028665376e+01
    numerator = numerator * r + 2.209460984245205e+02
    numerator = numerator * r - 2.759285104469687e+02
    numerator = numerator * r + 1.383577518672690e+02
    numerator = numerator * r - 3.066479806614716e+01
    numerator = numerator * r + 2.506628277459239e+00
    var denominator = -5.447609879822406e+01
    denominator = denominator * r + 1.615858368580409e+02
    denominator = denominator * r - 1.556989798598866e+02
    denominator = denominator * r + 6.680131188771972e+01
    denominator = denominator * r - 1.328068155288572e+01
    return q * numerator / (denominator * r + 1)
  }

  private static func lowerTail(_ share: Double) -> Double {
    let q = (-2 * log(share)).squareRoot()
    var numerator = -7.784894002430293e-03
    numerator = numerator * q - 3.223964580411365e-01
    numerator = numerator * q - 2.400758277161838e+00
    numerator = numerator * q - 2.549732539343734e+00
    numerator = numerator * q + 4.374664141464968e+00
    numerator = numerator * q + 2.938163982698783e+00
    var denominator = 7.784695709041462e-03
    denominator = denominator * q + 3.224671290700398e-01
    denominator = denominator * q + 2.445134137142996e+00
    denominator = denominator * q + 3.754408661907416e+00
    return numerator / (denominator * q + 1)
  }
}
