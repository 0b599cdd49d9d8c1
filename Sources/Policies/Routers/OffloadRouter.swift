import Serving

/// Sends prompts that have much left to compute to the first pool, and all others to the rest: the rule of Prefill as a Service
/// (arXiv 2604.15039), whose first pool is far away.
///
/// Left to compute is what the instance that a prompt would go to was not sent before, where links are scarce that of the
/// near pools alone. Within a pool the least loaded instance that knows most of the prompt is taken; equals take turns.
public struct OffloadRouter: Router {
  private let remote: Range<Int>
  private let local: Range<Int>
  private let contents: PromptContents
  private let threshold: Tokens
  private let waiting: Double
  private var sent: [SentPrompts]
  private var next = 0

  /// Creates the router.
  ///
  /// - Parameters:
  ///   - pools: how many instances each pool has; a single pool keeps all prompts.
  ///   - contents: what prompts begin with.
  ///   - threshold: most uncached tokens of a prompt that stays.
  ///   - waiting: requests of each instance of the first pool beyond which all prompts stay.
  public init(pools: [Int], contents: PromptContents, threshold: Tokens, waiting: Double = .infinity) {
    let all = pools.reduce(0, +)
    remote = 0..<(pools.count > 1 ? pools[0] : 0)
    local = remote.upperBound..<all
    self.contents = contents
    self.threshold = threshold
    self.waiting = waiting
    sent = Array(repeating: SentPrompts(), count: all)
  }

  /// An instance of the pool by the rule above.
  ///
  /// - Complexity: O(instances x pieces of the prompt).
  public mutating func route(_ request: Request, inFlight: [Int]) -> Int {
    let prompt = contents.pieces(of: request)
    let near = best(of: local, prompt, inFlight)
    let uncached = request.promptTokens - near.matched
    let isFull = remote.isEmpty || Double(inFlight[remote].reduce(0, +)) > waiting * Double(remote.count)
    let target = uncached > threshold && !isFull ? best(of: remote, prompt, inFlight).instance : near.instance
    sent[target].note(prompt, at: request.arrival)
    next += 1
    return target
  }

  /// The instance that knows most of a prompt, of equals the least loaded.
  private func best(
    of pool: Range<Int>, _ prompt: [(source: Int, end: Tokens)], _ inFlight: [Int]
  ) -> (instance: Int, matched: Tokens) {
    var best = (instance: pool.lowerBound, matched: -1)
    for place in 0..<pool.count {
      let candidate = pool.lowerBound + (next + place) % pool.count
      let matched = sent[candidate].matched(prompt)
      if matched > best.matched
        || matched == best.matched && inFlight[candidate] < inFlight[best.instance]
      {
        best = (candidate, matched)
      }
    }
    return best
  }
}
