import Serving

/// When requests arrive.
///
/// The first request always arrives at 0, as with vLLM's benchmark client, which sends a request and then waits.
/// Every arrival is rounded to whole microseconds, so that a last bit in which two mathematics libraries differ
/// cannot change the order of events.
public enum ArrivalProcess: Sendable, Hashable {
  /// Gaps of an exponential distribution; `rate` in requests a second.
  case poisson(rate: Double)
  /// Gaps of a gamma distribution whose shape is vLLM's burstiness: its coefficient of variation is
  /// 1 / √`burstiness`, so that 1 is Poisson.
  case gamma(rate: Double, burstiness: Double)
  /// Equal gaps.
  case constant(rate: Double)
  /// The trace's own arrivals, stretched by a factor: 0.5 doubles the rate.
  case trace(timeScale: Double)
  /// Gaps of a gamma distribution at a rate that goes along a ramp over so many requests.
  case ramp(Ramp, burstiness: Double, count: Int)
  /// Gaps of an exponential distribution at a rate that jumps; `rate` is its mean.
  case bursts(Bursts, rate: Double)
  /// Gaps of an exponential distribution at a rate that follows the time of day; `rate` is its mean over a week.
  case daily(Days, rate: Double)
  /// Every request at 0.
  case allAtOnce

  /// Requests a second in the long run; nil if the process itself has no such rate.
  public var rate: Double? {
    switch self {
    case .poisson(let rate), .gamma(let rate, _), .constant(let rate), .bursts(_, let rate),
      .daily(_, let rate):
      rate
    case .trace, .allAtOnce, .ramp: nil
    }
  }

  /// The kind, without its parameters.
  public var kind: ArrivalKind {
    switch self {
    case .poisson: .poisson
    case .gamma: .gamma
    case .constant: .constant
    case .trace: .trace
    case .ramp: .ramp
    case .bursts: .bursts
    case .daily: .daily
    case .allAtOnce: .allAtOnce
    }
  }
}
