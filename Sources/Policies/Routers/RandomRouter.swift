import Serving
import Statistics

/// Sends each request to any instance, each as likely as the others.
public struct RandomRouter: Router {
  private var draws: SplitMix64

  /// True.
  public var isOblivious: Bool { true }

  /// Creates the router of a run's seed.
  public init(seed: UInt64) { draws = SplitMix64(seed: seed, purpose: "router") }

  /// An instance at random.
  public mutating func route(_ request: Request, inFlight: [Int]) -> Int {
    draws.index(below: inFlight.count)
  }
}
