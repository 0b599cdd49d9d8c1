import Serving

/// The routers by name.
///
/// A new one is listed here, and every command knows it.
public enum RouterCatalog {
  /// A router's entry.
  public struct Entry: Sendable {
    /// What `--router` calls it.
    public let name: String
    /// What it does, in a line.
    public let summary: String
    /// Its parameters.
    public internal(set) var parameters: [Parameter]
    /// Whether it asks for ``Facts/prices``.
    public var usesPrices = false
    /// Whether it chooses between pools, ``Facts/pools``.
    public var choosesPools = false
    /// Makes the router from values of all parameters.
    let make: @Sendable (_ values: [String: Double], _ facts: Facts) -> any Router
  }

  /// A parameter of a router: a number, at least 0.
  public struct Parameter: Sendable {
    /// Its name within the brackets.
    public let name: String
    /// What it means, in a line.
    public let summary: String
    /// Its default.
    public let fallback: Double
    /// The largest value that it takes.
    let most: Double

    init(_ name: String, _ summary: String, default fallback: Double, atMost most: Double = 1e12) {
      self.name = name
      self.summary = summary
      self.fallback = fallback
      self.most = most
    }
  }

  /// What routers may depend on.
  public struct Facts: Sendable {
    /// How many instances there are.
    public var instances: Int
    /// What prompts begin with.
    public var contents: PromptContents
    /// Tokens in a block of KV memory.
    public var blockSize: Int
    /// The seed of the run.
    public var seed: UInt64
    /// How many instances each pool has, in order; one pool where nothing else is said.
    public var pools: [Int]
    /// How long things take; all 0 where nothing is known of it.
    public var prices = ServicePrices(promptToken: 0, step: 0, sequence: 0)

    /// Creates the facts.
    public init(instances: Int, contents: PromptContents, blockSize: Int, seed: UInt64) {
      self.instances = instances
      pools = [instances]
      self.contents = contents
      self.blockSize = blockSize
      self.seed = seed
    }
  }

  /// All routers, with the parameters that are theirs and those that routers share.
  public static let entries: [Entry] = rules.map { $0.withSharedParameters() }

  /// All routers, with the parameters that are theirs alone.
  private static let rules: [Entry] = [
    Entry(
      name: "round-robin", summary: "instances in turn", parameters: [], make: { _, _ in RoundRobin() }),
    Entry(
      name: "random", summary: "any instance, each as likely as the others", parameters: [],
      make: { RandomRouter(seed: $1.seed) }),
    Entry(
      name: "least-loaded", summary: "the instance with the fewest requests, waiting or running",
      parameters: [], make: { _, _ in LeastLoadedRouter() }),
    Entry(
      name: "power-of-two", summary: "the less loaded of two instances at random", parameters: [],
      make: { PowerOfTwoRouter(seed: $1.seed) }),
    Entry(
      name: "prefix",
      summary: "where the prompt's beginning was sent before, unless loads are uneven (SGLang's gateway)",
      parameters: [
        Parameter("threshold", "least share of a prompt that is worth following", default: 0.3, atMost: 1),
        Parameter("absolute", "loads are uneven if they differ by more requests", default: 64),
        Parameter("relative", "and by a larger factor", default: 1.5),
        Parameter("size", "tokens that the record of an instance keeps", default: 16_777_216),
      ],
      make: { values, facts in
        var rules = CacheAwareRouter.Rules()
        rules.threshold = values["threshold", default: 0]
        rules.absolute = values["absolute", default: 0]
        rules.relative = values["relative", default: 0]
        rules.size = Tokens(values["size", default: 0])
        return CacheAwareRouter(instances: facts.instances, contents: facts.contents, rules: rules)
      }),
    Entry(
      name: "kv",
      summary: "least prompt left to compute and blocks held, less what is cached (NVIDIA Dynamo)",
      parameters: [
        Parameter("temperature", "chance, relative to the range of the costs", default: 0),
        Parameter("credit", "what a cached block is worth", default: 1),
        Parameter("scale", "weight of the prompt", default: 1),
        Parameter("delta", "how fast credit falls where prompts wait", default: 0),
        Parameter("load", "what an active request costs, in blocks", default: 0),
        Parameter("lifetime", "seconds for which a prompt is taken for cached", default: 120),
      ],
      make: { values, facts in
        var rules = KVRouter.Rules()
        rules.temperature = values["temperature", default: 0]
        rules.credit = values["credit", default: 0]
        rules.scale = values["scale", default: 0]
        rules.delta = values["delta", default: 0]
        rules.load = values["load", default: 0]
        rules.lifetime = values["lifetime", default: 0]
        return KVRouter(
          instances: facts.instances, contents: facts.contents, blockSize: facts.blockSize, seed: facts.seed,
          rules: rules)
      }),
    Entry(
      name: "offload",
      summary: "long uncached prompts to the first pool, the others to the rest (Prefill as a Service)",
      parameters: [
        Parameter("tokens", "most uncached tokens of a prompt that stays", default: 16_384),
        Parameter(
          "waiting", "requests of each instance of the first pool beyond which all stay", default: 1e9),
      ], choosesPools: true,
      make: { values, facts in
        OffloadRouter(
          pools: facts.pools, contents: facts.contents, threshold: Tokens(values["tokens", default: 0]),
          waiting: values["waiting", default: 0])
      }),
    Entry(
      name: "adaptive",
      summary: "kv, whose weights follow the 99th percentile of times to first token (arXiv 2606.17081)",
      parameters: [
        Parameter("interval", "seconds between two readings", default: 5),
        Parameter("weight", "of the newest reading among earlier ones", default: 0.3, atMost: 1),
        Parameter("readings", "in a row that change the regime", default: 3),
        Parameter("transition", "seconds from which on load is in transition", default: 1),
        Parameter("saturated", "seconds from which on it saturates", default: 5),
        Parameter("temperature", "of kv in transition", default: 0.4),
        Parameter("scale", "weight of the prompt in transition", default: 0.5),
      ],
      make: { values, facts in
        var rules = AdaptiveRouter.Rules()
        rules.interval = max(1e-3, values["interval", default: 0])
        rules.weight = values["weight", default: 0]
        rules.readings = Int(values["readings", default: 0])
        rules.transition = values["transition", default: 0]
        rules.saturated = values["saturated", default: 0]
        rules.temperature = values["temperature", default: 0]
        rules.scale = values["scale", default: 0]
        return AdaptiveRouter(
          KVRouter(
            instances: facts.instances, contents: facts.contents, blockSize: facts.blockSize,
            seed: facts.seed), rules: rules)
      }),
    Entry(
      name: "selfish",
      summary: "where the request itself expects to be through first, by what was sent where and its price",
      parameters: [], usesPrices: true,
      make: {
        SelfishRouter(instances: $1.instances, contents: $1.contents, prices: $1.prices)
      }),
  ]
}
