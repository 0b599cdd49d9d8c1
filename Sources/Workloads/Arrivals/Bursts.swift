import Serving

/// A rate that jumps between calm and bursts: a Markov-modulated Poisson process of two states.
///
/// Times in both states are exponential. Counts of long windows have a variance of
/// 1 + 2 s (1 - s) (b - c)^2 / (r (1 / l + s / (l (1 - s)))) times their mean, with the share s of the time, the length l, and the
/// rates b in bursts, c between them and r in the mean (Heffes and Lucantoni, IEEE JSAC 4(6), 1986, in other letters).
public struct Bursts: Sendable, Hashable {
  /// The rate in a burst over that between bursts, `--burst-ratio`; above 1.
  public var ratio = 10.0
  /// Share of the time that is burst, `--burst-share`; between 0 and 1.
  public var share = 0.1
  /// Mean length of a burst, `--burst-length`.
  public var length: Seconds = 30

  /// Creates bursts of ten times the rate for a tenth of the time, 30 s at a time.
  public init() {}

  /// Requests a second in and between bursts for a mean rate.
  public func rates(mean: Double) -> (burst: Double, calm: Double) {
    let calm = mean / (share * ratio + 1 - share)
    return (ratio * calm, calm)
  }

  /// Mean time between two bursts.
  public var pause: Seconds { length * (1 - share) / share }
}
