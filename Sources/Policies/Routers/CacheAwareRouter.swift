import Serving

/// Sends prompts where their beginnings were sent before, unless loads are too far apart: the rule of SGLang's gateway and
/// vLLM's router.
///
/// Where the largest load is more than `absolute` above the least and more than `relative` times as large, the least loaded
/// instance is taken. Else the one that was sent the longest beginning of this prompt, if that is more than the share
/// `threshold` of it; else the one that was sent the fewest tokens. What was sent where is the router's own record: it
/// does not see evictions, and forgets what is oldest beyond a size, every 120 s.
public struct CacheAwareRouter: Router {
  /// When to trust the record, and when loads are too far apart.
  public struct Rules: Sendable, Hashable {
    /// Least share of a prompt that is worth following.
    public var threshold = 0.3
    /// Difference of loads, in requests.
    public var absolute = 64.0
    /// Ratio of loads.
    public var relative = 1.5
    /// Tokens that the record of an instance keeps: 2^26 characters at four to a token.
    public var size: Tokens = 1 << 24

    /// The defaults of SGLang's gateway.
    public init() {}
  }

  private static let secondsBetweenChecks = 120.0
  private let rules: Rules
  private let contents: PromptContents
  private var sent: [SentPrompts]
  private var nextCheck = secondsBetweenChecks
  private var leastLoaded = LeastLoadedRouter()

  /// Creates the router for some instances.
  public init(instances: Int, contents: PromptContents, rules: Rules = Rules()) {
    self.rules = rules
    self.contents = contents
    sent = Array(repeating: SentPrompts(), count: instances)
  }

  /// The instance by the rule above.
  ///
  /// - Complexity: O(instances x pieces of the prompt).
  public mutating func route(_ request: Request, inFlight: [Int]) -> Int {
    if request.arrival >= nextCheck {
      for i in sent.indices { sent[i].forget(beyond: rules.size) }
      while nextCheck <= request.arrival { nextCheck += Self.secondsBetweenChecks }
    }
    let prompt = contents.pieces(of: request)
    let target = target(request, prompt, inFlight)
    sent[target].note(prompt, at: request.arrival)
    return target
  }

  private mutating func target(
    _ request: Request, _ prompt: [(source: Int, end: Tokens)], _ inFlight: [Int]
  ) -> Int {
    let (least, most) = (inFlight.min() ?? 0, inFlight.max() ?? 0)
    if Double(most - least) > rules.absolute, Double(most) > rules.relative * Double(least) {
      return leastLoaded.route(request, inFlight: inFlight)
    }
    var (longest, best) = (0, 0)
    for i in sent.indices {
      let matched = sent[i].matched(prompt)
      if matched > longest { (longest, best) = (matched, i) }
    }
    if Double(longest) > rules.threshold * Double(request.promptTokens) { return best }
    let smallest = sent.map(\.tokens).min() ?? 0
    // Of equal records, as of empty ones, the least loaded instance is taken.
    return leastLoaded.route(
      request, inFlight: sent.indices.map { sent[$0].tokens == smallest ? inFlight[$0] : .max })
  }
}
