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
  /// Whether there is a burst, and when that changes.
  private var isBurst = false
  private var change: Seconds = 0

  init(_ process: ArrivalProcess, seed: UInt64) {
    self.process = process
    random = SplitMix64(seed: seed, purpose: "arrivals")
    switch process {
    case .gamma(_, let burstiness), .ramp(_, let burstiness, _): gamma = GammaSampler(shape: burstiness)
    default: gamma = GammaSampler(shape: 1)
    }
    if case .bursts(let bursts, _) = process {
      isBurst = random.uniform() < bursts.share
      change = exponential() * (isBurst ? bursts.length : bursts.pause)
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
    case .ramp(let ramp, let burstiness, let most):
      let rate = ramp.rate(at: Double(count) / Double(max(most - 1, 1)))
      if count > 0 { now += gamma.sample(using: &random) / (rate * burstiness) }
    case .bursts(let bursts, let rate):
      if count > 0 { advance(bursts, rates: bursts.rates(mean: rate)) }
    case .daily(let days, let rate):
      if count > 0 { advance(days, rate: rate) }
    case .allAtOnce:
      return 0
    }
    return (now * 1e6).rounded() / 1e6
  }

  /// A number of the exponential distribution with mean 1.
  private mutating func exponential() -> Double { -log1p(-random.uniform()) }

  /// Goes on to the next request: an exponential amount of expected requests, through calm and bursts.
  private mutating func advance(_ bursts: Bursts, rates: (burst: Double, calm: Double)) {
    var left = exponential()
    while true {
      let rate = isBurst ? rates.burst : rates.calm
      let passing = (change - now) * rate
      guard passing <= left else {
        now += left / rate
        return
      }
      left -= passing
      now = change
      isBurst.toggle()
      change += exponential() * (isBurst ? bursts.length : bursts.pause)
    }
  }

  /// Goes on to the next request, by thinning a process of the highest rate (Lewis and Shedler 1979).
  private mutating func advance(_ days: Days, rate: Double) {
    repeat {
      now += exponential() / (rate * days.peak)
    } while random.uniform() * days.peak >= days.factor(at: now)
  }
}
