import Glibc
import Serving

/// How a rate rises over the requests of a run, as `--ramp-up-strategy` says it.
public enum RampStrategy: String, Sendable, CaseIterable {
  /// By equal amounts.
  case linear
  /// By equal factors.
  case exponential
}

/// A rate that goes from one value to another over the requests of a run, as vLLM's benchmark client has it.
///
/// The gap before request i of n is drawn at the rate at i / (n - 1) of the way.
public struct Ramp: Sendable, Hashable {
  /// How it rises.
  public var strategy: RampStrategy
  /// Requests a second at the beginning.
  public var start: Double
  /// Requests a second at the end.
  public var end: Double

  /// Creates a ramp; both rates above 0 and finite.
  public init(_ strategy: RampStrategy, start: Double, end: Double) {
    self.strategy = strategy
    self.start = start
    self.end = end
  }

  /// The rate at a share of the way.
  public func rate(at progress: Double) -> Double {
    switch strategy {
    case .linear: start + (end - start) * progress
    case .exponential: start * pow(end / start, progress)
    }
  }

  /// Mean gap between two of many requests: the mean of 1 / rate over the way.
  public var meanGap: Seconds {
    guard abs(end / start - 1) > 1e-9 else { return 1 / start }
    let logarithm = log(end / start)
    return switch strategy {
    case .linear: logarithm / (end - start)
    case .exponential: (1 / start - 1 / end) / logarithm
    }
  }
}
