import Glibc

/// A log-normal distribution of which only a range is left.
public struct TruncatedLogNormal: Sendable, Hashable {
  /// Mean of the logarithm, before it is cut.
  public let mu: Double
  /// Its deviation.
  public let sigma: Double
  /// The range that is left.
  public let range: ClosedRange<Double>

  /// Creates a distribution.
  ///
  /// - Precondition: `sigma` and the range's ends are above 0.
  public init(mu: Double, sigma: Double, range: ClosedRange<Double>) {
    precondition(sigma > 0 && range.lowerBound > 0, "a log-normal number is above 0")
    self.mu = mu
    self.sigma = sigma
    self.range = range
  }

  /// Share of the numbers that lie above one.
  public func share(above x: Double) -> Double { weight(from: x, shift: 0) / weight(from: 0, shift: 0) }

  /// Mean of the numbers above one; that number where there is none.
  public func mean(above x: Double) -> Double {
    let share = weight(from: x, shift: 0)
    return share > 0 ? exp(mu + sigma * sigma / 2) * weight(from: x, shift: sigma) / share : x
  }

  /// Mean of the numbers up to one; that number where there is none.
  public func mean(upTo x: Double) -> Double {
    let share = weight(from: 0, shift: 0) - weight(from: x, shift: 0)
    let sum = weight(from: 0, shift: sigma) - weight(from: x, shift: sigma)
    return share > 0 ? exp(mu + sigma * sigma / 2) * sum / share : x
  }

  /// The mean.
  public var mean: Double { mean(above: range.lowerBound) }

  /// The part of a normal distribution, moved by a shift, between the logarithms of a number and of the range's end.
  private func weight(from x: Double, shift: Double) -> Double {
    func below(_ x: Double) -> Double { erfc(-((log(x) - mu) / sigma - shift) / 2.0.squareRoot()) / 2 }
    let begin = min(max(x, range.lowerBound), range.upperBound)
    return below(range.upperBound) - below(begin)
  }
}
