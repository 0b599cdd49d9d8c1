import Glibc
import Serving
import Statistics

/// Draws one arrival after another.
struct ArrivalClock: Sendable {
  private let process: ArrivalProcess
  private var random: SplitMix64
  private var gamma: GammaSampler
  private var count = 0
  /// The last arrival before it was rounded, so that rounding does not add up.
  private var now: Seconds = 0

  init(_ process: ArrivalProcess, seed: UInt64) {
    self.process = process
    random = SplitMix64(seed: seed, purpose: "arrivals")
    if case .gamma(_, let burstiness) = process {
      gamma = GammaSampler(shape: burstiness)
    } else {
      gamma = GammaSampler(shape: 1)
    }
  }

  /// The next arrival; `recorded` is what the trace has for it, if it has anything.
  mutating func next(recorded: Seconds) -> Seconds {
    defer { count += 1 }
    switch process {
    case .poisson(let rate):
      if count > 0 { now -= log1p(-random.uniform()) / rate }
    case .gamma(let rate, let burstiness):
      if count > 0 { now += gamma.sample(using: &random) / (rate * burstiness) }
    case .constant(let rate):
      now = Double(count) / rate
    case .trace(let timeScale):
      now = recorded * timeScale
    case .allAtOnce:
      return 0
    }
    return (now * 1e6).rounded() / 1e6
  }
}
