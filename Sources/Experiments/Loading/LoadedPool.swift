import CostModels
import Policies
import Serving
import Systems

/// A pool of equal instances, read and checked.
package struct LoadedPool: Sendable {
  /// Its name in results.
  package let name: String
  /// Its instances: servers.
  package let instances: Int
  /// Ranks of each of them.
  package let ranks: Int
  /// The system, its calibration and its expert routing.
  package let loaded: LoadedSystem
  /// The policy, with every parameter set.
  package let policy: Policy
  /// Blocks of KV memory of an instance.
  package let kvBlocks: Int
  /// Most sequences that an iteration works on.
  package let maxSequences: Int
  /// The longest sequence that the engine takes, prompt and output together.
  package let maxModelLength: Tokens
  /// The law that says how long iterations take; `nil` for kernels.
  package let law: IterationLaw?
  /// How its sequences decode several tokens at once; `nil` where they do not.
  let speculation: SpeculativeSpecification?
  /// What its prompts leave out; `nil` where they do not.
  let profile: TokenProfile?
  /// How its sequences keep KV entries; `nil` where they keep all.
  let kept: KeptEntries?
  /// Levels of KV memory below that of the GPUs.
  package var tiers: [LoadedTier] = []

  /// The longest sequence that its instances take.
  var longestSequence: Tokens {
    min(maxModelLength, memory.capacity, policy.makeScheduler().longestSequence)
  }

  /// How the engine looks after requests and memory.
  private var rules: EngineRules {
    EngineRules(
      loaded.system.engine, model: loaded.system.shard.model, batchedTokens: policy.batchedTokens,
      stages: loaded.pipeline?.stages.count ?? 1)
  }

  /// The longest prompt that its instances can ever admit.
  var longestPrompt: Tokens { min(longestUncutPrompt, rules.longestPrompt(in: memory)) }

  /// The longest prompt that its policy takes, which may not cut prompts.
  var longestUncutPrompt: Tokens { policy.makeScheduler().longestPrompt }

  /// Memory of an instance, empty.
  var memory: KVMemory {
    let engine = loaded.system.engine
    return KVMemory(
      blocks: max(1, kvBlocks - engine.scheduling.nullBlocks), blockSize: engine.keyValueBlockSize,
      blocksPerSequence: engine.stateBlocks(loaded.system.shard, drafts: speculation?.drafts ?? 0))
  }

  /// How its instances are put together, one after the other.
  var servers: [(ranks: Int, stepTogether: Bool)] {
    Array(repeating: (ranks, loaded.system.shard.dataParallel > 1), count: instances)
  }

  /// The pool with every default spelt out.
  func spelledOut(_ pool: ClusterSpecification.Pool) -> ClusterSpecification.Pool {
    var pool = pool
    pool.policy = PolicySpecification(parsing: policy.description)
    pool.system.maxModelLength = maxModelLength
    pool.system.maxSequences = maxSequences
    pool.system.dataParallelSize = ranks > 1 ? ranks : nil
    pool.system.memoryShare = pool.system.memoryShare ?? loaded.system.engine.scheduling.memoryShare
    // Where states are paged it follows from them, and is not asked for.
    let system = loaded.system
    let followsStates = system.engine.pagesStates(of: system.shard.model)
    pool.system.blockSize = followsStates ? nil : system.engine.keyValueBlockSize
    pool.system.routing = pool.system.routing ?? loaded.routing?.model.description
    return pool
  }

  /// What its instances are made of.
  ///
  /// - Parameters:
  ///   - costModel: shared by all of them.
  ///   - contents: what prompts begin with; `nil` keeps no prefixes.
  ///   - seed: of what is accepted of drafts.
  /// - Returns: a configuration for each rank of each.
  func configurations(
    costModel: any CostModel, contents: PromptContents?, seed: UInt64
  ) -> [InstanceConfiguration] {
    let engine = loaded.system.engine
    let memory = memory
    var rules = rules
    // Look-up runs on the host, between two steps: vLLM switches asynchronous scheduling off.
    if speculation?.method == .ngram { rules.stepsInFlight = 1 }
    let sharesPrefixes = kept == nil && loaded.system.shard.model.sharesPrefixes
    let shared = tiers.map { $0.isShared ? $0.make() : nil }
    return (0..<instances * ranks).map { _ in
      let cache = (sharesPrefixes ? contents : nil).map { contents in
        PrefixCache(
          memory: memory, contents: contents, window: rules.slidingWindow > 0 ? rules.slidingWindow : nil,
          blankFirst: engine.scheduling.takesBlankFirst,
          tiers: zip(tiers, shared).map { $1 ?? $0.make() })
      }
      var configuration = InstanceConfiguration(
        scheduler: policy.makeScheduler(), costModel: costModel, memory: memory, maxSequences: maxSequences,
        rules: rules, power: loaded.system.powerLimit, cache: cache,
        speculation: speculation?.speculation(seed: seed), profile: profile,
        retention: kept?.retention)
      configuration.encodesImages = loaded.encoder != nil
      return configuration
    }
  }
}

/// The instances that decode what others have prefilled, and the way there.
package struct LoadedDecoders: Sendable {
  /// The instances.
  package let pool: LoadedPool
  /// Further pools that compute prompts, behind the first one.
  package let others: [LoadedPool]
  /// The network, and what of it was asked for otherwise.
  package let link: LinkProfile
  /// What is sent when.
  package let mode: Disaggregation.Mode
  /// How transfers share the network.
  package let sharing: KVNetwork.Sharing
  /// What the port of a rank that computes prompts, and of one that decodes, carries each way, in bytes a second.
  package let prefillBandwidth: Double
  package let decodeBandwidth: Double
  /// The same of the ranks of ``others``.
  package let otherBandwidths: [Double]
  package let latency: Seconds
  /// The site of each pool by its place, and the lines between them.
  package let sites: [Int]
  package let lines: [KVNetwork.Line]
  /// Which pool gives the first token to the client.
  package let firstToken: Disaggregation.FirstToken
  /// Which instance decodes a prompt.
  package let choice: Disaggregation.Choice

  /// Reads what a cluster says of it.
  init(
    _ cluster: ClusterSpecification, prefill: LoadedPool, others: [LoadedPool] = [], decode: LoadedPool,
    profiles: String
  ) throws {
    let transfer = cluster.transfer ?? TransferSpecification()
    pool = decode
    self.others = others
    let names = cluster.pools.map { $0.site ?? "" }
    let sites = Set(names).sorted()
    self.sites = names.map { name in sites.firstIndex(of: name) ?? 0 }
    lines = (cluster.lines ?? []).compactMap { line in
      guard let from = sites.firstIndex(of: line.from), let to = sites.firstIndex(of: line.to) else {
        return nil
      }
      return KVNetwork.Line(
        from: from, to: to, bytesPerSecond: line.bytesPerSecond, latency: line.latency ?? 0)
    }
    let profile = try LinkProfile.named(transfer.link, profiles: profiles)
    link = profile
    func word<Word: CaseIterable & RawRepresentable<String>>(_ option: String, _ text: String) throws -> Word
    {
      guard let word = Word(rawValue: text) else {
        throw ExperimentError.invalidValue(
          option: option, value: text, expected: Word.allCases.map(\.rawValue).joined(separator: ", "))
      }
      return word
    }
    mode = try word("--kv-transfer", transfer.mode)
    sharing = try word("--kv-sharing", transfer.sharing)
    firstToken = try word("--first-token", transfer.firstToken ?? "prefill")
    choice = try word("--decode-router", transfer.choice ?? "fewest")
    if let bandwidth = transfer.bytesPerSecond, !(1e3...1e15 ~= bandwidth) {
      throw ExperimentError.invalidValue(
        option: "--kv-bandwidth", value: "\(bandwidth / 1e9)",
        expected: "more than 0.000001 and at most 1000000 GB/s")
    }
    if let latency = transfer.latency, !(latency >= 0 && latency < 1000) {
      throw ExperimentError.invalidValue(
        option: "--kv-latency", value: "\(latency * 1e6)", expected: "0 us or more, and less than 1000 s")
    }
    guard ([prefill] + others).allSatisfy({ $0.profile == decode.profile }) else {
      throw ExperimentError.invalidValue(
        option: "pools", value: "of different sparsity",
        expected: "prompts that leave out the same in both pools")
    }
    let (from, to) = (prefill.loaded.system.shard, decode.loaded.system.shard)
    for from in ([prefill] + others).map(\.loaded.system.shard) {
      guard from.model.layers == to.model.layers, from.model.keyValueHeads == to.model.keyValueHeads,
        from.model.headDim == to.model.headDim
      else {
        throw ExperimentError.invalidValue(
          option: "pools", value: "\(from.model.name),\(to.model.name)",
          expected: "the same model in all pools")
      }
    }
    let tables = ([prefill] + others).map { $0.law?.promptBytes }
    guard tables.allSatisfy({ ($0 == nil) == (tables[0] == nil) }) else {
      throw ExperimentError.invalidValue(
        option: "pools", value: "with and without tables",
        expected: "KV bytes by a table in all pools that compute prompts, or in none")
    }
    guard from.stateBytesPerSequence == 0 else {
      throw ExperimentError.invalidValue(
        option: "pools", value: from.model.name,
        expected: "a model that keeps keys and values alone: states are not sent, so far")
    }
    guard from.model.windowedHeads == nil, !from.model.hasMixer.contains(false) else {
      throw ExperimentError.invalidValue(
        option: "pools", value: from.model.name,
        expected: "a model all of whose layers keep keys and values of the same size, so far")
    }
    // A server's port is shared by its ranks.
    func bandwidth(_ pool: LoadedPool) -> Double {
      let gpus = Double(pool.loaded.system.shard.gpus * (pool.loaded.pipeline?.stages.count ?? 1))
      let whole = transfer.bytesPerSecond ?? profile.bytesPerSecond
      return transfer.bytesPerSecond == nil && profile.isPerGPU ? whole * gpus : whole / Double(pool.ranks)
    }
    prefillBandwidth = bandwidth(prefill)
    decodeBandwidth = bandwidth(decode)
    otherBandwidths = others.map(bandwidth)
    latency = transfer.latency ?? profile.latency
  }

  /// How a simulation is to go about it.
  func disaggregation(prefill: LoadedPool) -> Disaggregation {
    let model = prefill.loaded.system.shard.model
    // Latent vectors are the same on every GPU, and are sent once.
    let bytes =
      model.latent == nil
      ? 2 * model.formats.keyValues.bytes(rows: model.keyValueHeads, columns: model.headDim)
      : prefill.loaded.system.shard.keyValueBytesPerTokenAndLayer
    let pools = [prefill] + others + [pool]
    let counts = pools.map { $0.instances * $0.ranks }
    func each<Value>(_ values: [Value]) -> [Value] {
      zip(values, counts).flatMap { Array(repeating: $0, count: $1) }
    }
    let ports = each([prefillBandwidth] + otherBandwidths + [decodeBandwidth])
    var rules = Disaggregation(
      prefillInstances: counts.dropLast().reduce(0, +), bytesPerTokenAndLayer: Double(bytes), mode: mode,
      network: KVNetwork(
        bytesPerSecond: ports, latency: latency, sharing: sharing, sites: lines.isEmpty ? [] : each(sites),
        lines: lines))
    rules.promptBytes = prefill.law?.promptBytes
    rules.firstToken = firstToken
    rules.choice = choice
    return rules
  }
}
