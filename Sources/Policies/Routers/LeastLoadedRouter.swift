import Serving

/// Sends each request to the instance with the fewest, waiting or running; equals take turns.
public struct LeastLoadedRouter: Router {
  private var next = 0

  /// Creates the router.
  public init() {}

  /// The first of the least loaded, from the one on that is behind the last chosen one.
  ///
  /// - Complexity: O(instances).
  public mutating func route(_ request: Request, inFlight: [Int]) -> Int {
    let count = inFlight.count
    var best = next % count
    for i in 1..<max(count, 1) {
      let candidate = (next + i) % count
      if inFlight[candidate] < inFlight[best] { best = candidate }
    }
    next = best + 1
    return best
  }
}
