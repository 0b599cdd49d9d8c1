import Serving

/// Sends each request where it expects to be through first, whatever that costs the others: what a client would choose for
/// itself.
///
/// What it expects is a forecast from what was sent where, first tokens and ends, priced by straight lines through the cost
/// model. Of equals the first one after the last choice is taken.
public struct SelfishRouter: Router {
  private var known: LatencyForecast
  private var next = 0

  /// Creates the router for some instances.
  public init(instances: Int, contents: PromptContents, prices: ServicePrices) {
    known = LatencyForecast(instances: instances, contents: contents, prices: prices)
  }

  /// True: what is computed, and how much requests write, is known from what has ended.
  public var listens: Bool { true }

  /// The instance with the least latency that it expects.
  ///
  /// - Complexity: O(instances x pieces of the prompt).
  public mutating func route(_ request: Request, inFlight: [Int]) -> Int {
    let latencies = known.forecast(request).map { $0.first + $0.rest }
    var best = next % latencies.count
    for i in 1..<max(latencies.count, 1) {
      let candidate = (next + i) % latencies.count
      if latencies[candidate] < latencies[best] { best = candidate }
    }
    next = best + 1
    known.noteSent(request, to: best)
    return best
  }

  /// The prompt is computed.
  public mutating func noteFirstToken(of request: Int, at time: Seconds) { known.noteFirstToken(of: request) }

  /// The request is gone.
  public mutating func noteEnd(of request: Int, at time: Seconds) { known.noteEnd(of: request) }
}
