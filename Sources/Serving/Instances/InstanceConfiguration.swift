/// What an instance is made of.
public struct InstanceConfiguration {
  /// Decides what each step runs.
  public var scheduler: any Scheduler
  /// Says what a step costs; equal instances of one thread share it.
  public var costModel: any CostModel
  /// KV memory, empty.
  public var memory: KVMemory
  /// Most sequences that a step may work on.
  public var maxSequences: Int
  /// How the engine looks after requests and memory.
  public var rules: EngineRules
  /// The limit on the power of its GPUs; `nil` where nothing limits it.
  public var power: PowerLimit?
  /// Keeps what KV memory contains, so that prompts with the same beginning share it; `nil` where nothing is kept.
  public var cache: PrefixCache?
  /// How several tokens are decoded at once; `nil` where each step writes one.
  public var speculation: Speculation?
  /// How prompts thin out from layer to layer; `nil` where they do not.
  public var profile: TokenProfile?
  /// How many KV entries decoding sequences keep; `nil` where they keep all.
  public var retention: Retention?
  /// Whether images are encoded as the first tile of their prompt runs.
  public var encodesImages = false

  /// Creates a configuration.
  public init(
    scheduler: any Scheduler, costModel: any CostModel, memory: KVMemory, maxSequences: Int = 256,
    rules: EngineRules = EngineRules(), power: PowerLimit? = nil, cache: PrefixCache? = nil,
    speculation: Speculation? = nil, profile: TokenProfile? = nil, retention: Retention? = nil
  ) {
    precondition(
      maxSequences >= 1 && rules.stepsInFlight >= 1, "an instance runs a sequence and a step at least")
    precondition(
      retention == nil || speculation == nil && cache == nil && profile == nil && rules.slidingWindow == 0,
      "what is evicted is neither drafted on, nor shared, nor in a group of blocks of its own")
    self.scheduler = scheduler
    self.costModel = costModel
    self.memory = memory
    self.maxSequences = maxSequences
    self.rules = rules
    self.power = power
    self.cache = cache
    self.speculation = speculation
    self.profile = profile.flatMap { $0.isPlain ? nil : $0 }
    precondition(
      cache == nil || self.profile?.drops.isEmpty != false, "blocks of prompts that thin out are not shared")
    self.retention = retention
  }
}
