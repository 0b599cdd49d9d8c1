import Serving
import Statistics

/// Looks at two instances at random, and sends the request to the one with fewer.
///
/// Mitzenmacher, "The power of two choices in randomized load balancing", IEEE TPDS 2001, doi:10.1109/71.963420.
public struct PowerOfTwoRouter: Router {
  private var draws: SplitMix64

  /// Creates the router of a run's seed.
  public init(seed: UInt64) { draws = SplitMix64(seed: seed, purpose: "router") }

  /// The less loaded of two distinct instances; the first one drawn if both have the same load.
  public mutating func route(_ request: Request, inFlight: [Int]) -> Int {
    guard inFlight.count > 1 else { return 0 }
    let first = draws.index(below: inFlight.count)
    let second = (first + 1 + draws.index(below: inFlight.count - 1)) % inFlight.count
    return inFlight[second] < inFlight[first] ? second : first
  }
}
