import CostModels
import Foundation
import Policies
import Serving
import Support
import Synchronization
import Systems
import Workloads

/// The folders of profiles and traces, and what has been read of them: experiments that share a system or a trace read
/// it once.
///
/// Several threads may load from it at once.
public final class Library: Sendable {
  /// What tells one system from another.
  private struct SystemKey: Hashable {
    var names: [String]
    var settings: [[String: SettingValue]]
    var gpus: Int
    var expertRanks: Int
    var dataParallel: Int
    var pipelineParallel: Int
    var pipelineLink: String?
    var blockSize: Int?
    var speculation: SpeculativeSpecification?
    var attention: PolicySpecification?
    var visionEncoder: String?
  }

  private struct Known {
    var systems: [SystemKey: LoadedSystem] = [:]
    var traces: [String: TraceFile] = [:]
  }

  /// The folder of models, GPUs, engines and calibrations.
  public let profiles: String
  /// The folder of the shipped traces.
  public let traces: String
  private let known = Mutex(Known())

  /// Creates a library; files are read when an experiment needs them.
  public init(profiles: String = "Profiles", traces: String = "Traces") {
    self.profiles = profiles
    self.traces = traces
  }

  /// Reads what an experiment names, and checks it.
  ///
  /// - Returns: the experiment, ready to run.
  /// - Throws: a `UserError` that says what is wrong and what would be right: ``ExperimentError``, `DescriptionError`,
  ///   `CalibrationError`, `PolicyError` or `WorkloadError`.
  /// - Complexity: O(*n*) in the size of the files that have not been read yet.
  public func load(_ experiment: Experiment) throws -> LoadedExperiment {
    try load(experiment) { () throws(WorkloadError) in
      let workload =
        experiment.limits.maxConcurrency == nil ? experiment.workload : experiment.workload.sentByClients()
      return try workload.load(tracesDirectory: traces) {
        path, unit throws(WorkloadError) in try trace(path, unit)
      }
    }
  }

  /// Loads an experiment whose requests are in memory already.
  package func load(_ experiment: Experiment, workload: Workload) throws -> LoadedExperiment {
    try load(experiment) { workload }
  }

  private func load(_ experiment: Experiment, workload: () throws -> Workload) throws -> LoadedExperiment {
    try experiment.cluster.checkPools()
    try experiment.limits.checkValues()
    if let pruning = experiment.system.tokenPruning, pruning.name != "none",
      experiment.workload.imageTokens ?? 0 == 0
    {
      throw ExperimentError.invalidValue(
        option: "--token-pruning", value: pruning.name,
        expected: "prompts with images: --image-tokens 576, as an image of LLaVA-1.5 has")
    }
    if let encoder = experiment.system.visionEncoder, experiment.workload.imageTokens ?? 0 == 0 {
      throw ExperimentError.invalidValue(
        option: "--vision-encoder", value: encoder,
        expected: "prompts with images: --image-tokens 576, as an image of LLaVA-1.5 has")
    }
    let router = try RouterChoice(experiment.cluster.router?.description ?? "round-robin")
    guard !experiment.cluster.isDisaggregated || router.delay == 0 else {
      throw ExperimentError.invalidValue(
        option: "--router", value: router.description,
        expected: "no delay where prefill and decode are apart, so far")
    }
    let pool = try load(experiment.cluster.pool)
    let decoders =
      try experiment.cluster.isDisaggregated
      ? LoadedDecoders(
        experiment.cluster, prefill: pool,
        others: experiment.cluster.pools.dropFirst().dropLast().map { try load($0) },
        decode: load(experiment.cluster.pools[experiment.cluster.pools.count - 1]), profiles: profiles)
      : nil
    return LoadedExperiment(
      experiment, pool: pool, decoders: decoders,
      router: router,
      workload: try workload())
  }

  /// Reads what a pool names, and checks it.
  private func load(_ pool: ClusterSpecification.Pool) throws -> LoadedPool {
    try pool.system.checkValues()
    let system = try system(pool.system)
    let scheduling = system.system.engine.scheduling
    // A longer length that was asked for is warned about and stays.
    let maxModelLength =
      pool.system.maxModelLength ?? min(32_768, max(system.system.shard.model.maxContext, 2))
    var asked = try Policy(pool.policy?.description ?? scheduling.policy)
    let budget = scheduling.batchedTokens
    if budget > 0, asked.entry.name == scheduling.policy, !asked.has(asked.entry.batchedTokens) {
      try asked.set(asked.entry.batchedTokens, to: "\(budget)")
    }
    let policy = try asked.resolved(
      layers: system.system.shard.model.layers, maxModelLength: maxModelLength, batchedTokens: budget)
    try pool.checkPipeline(policy: policy)
    if let drafts = pool.system.speculation?.drafts, policy.batchedTokens <= drafts {
      throw ExperimentError.invalidValue(
        option: "--speculative-config: num_speculative_tokens", value: "\(drafts)",
        expected: "fewer than the \(policy.batchedTokens) tokens of an iteration")
    }
    var law: IterationLaw?
    if case .law(let name) = pool.system.costModel { law = try LawProfile.named(name, profiles: profiles) }
    if let speculation = pool.system.speculation, law != nil || pool.role != nil {
      throw ExperimentError.invalidValue(
        option: "--speculative-config", value: speculation.method.rawValue,
        expected: law != nil
          ? "none with a law of whole iterations" : "none where prefill and decode are apart")
    }
    let profile = try profile(of: pool, on: system, policy: policy, longest: maxModelLength, law: law)
    let maxSequences = pool.system.maxSequences ?? scheduling.maxSequences
    let kept = try pool.system.keyValuePolicy.flatMap {
      try KeptEntries.make($0, for: pool, on: system, longest: maxModelLength)
    }
    var loaded = LoadedPool(
      name: pool.name, instances: pool.instances, ranks: pool.system.dataParallelSize ?? 1, loaded: system,
      policy: policy,
      kvBlocks: try pool.system.kvBlocks
        ?? system.kvBlocks(
          utilisation: pool.system.memoryShare ?? scheduling.memoryShare,
          maxBatchedTokens: policy.batchedTokens, maxSequences: maxSequences,
          drafts: pool.system.speculation?.drafts ?? 0, profile: profile),
      maxSequences: maxSequences, maxModelLength: maxModelLength, law: law,
      speculation: pool.system.speculation, profile: profile, kept: kept)
    loaded.tiers = try LoadedTier.all(of: pool, on: system, profiles: profiles)
    return loaded
  }

  /// What the prompts of a pool leave out; `nil` where they do not.
  ///
  /// - Throws: if the system or its policy cannot have it.
  private func profile(
    of pool: ClusterSpecification.Pool, on system: LoadedSystem, policy: Policy, longest: Tokens,
    law: IterationLaw?
  ) throws -> TokenProfile? {
    let asked = try [
      pool.system.prefillSparsity.flatMap { try SparsitySpecification($0, option: "--prefill-sparsity") },
      pool.system.tokenPruning.flatMap { try SparsitySpecification($0, option: "--token-pruning") },
    ].compactMap { $0 }
    guard let method = asked.first else { return nil }
    func refused(_ reason: String) -> ExperimentError {
      .invalidValue(option: method.method.option, value: method.method.rawValue, expected: reason)
    }
    guard asked.count == 1 else { throw refused("none beside \(asked[1].method.option)") }
    let profile = try method.profile(for: system.system.shard.model, longest: longest)
    guard let profile else { return nil }
    guard law == nil else { throw refused("none with a law of whole iterations") }
    guard system.system.shard.dataParallel == 1 else {
      throw refused("none with --data-parallel-size, so far")
    }
    guard profile.reuse == nil || pool.role == nil else {
      throw refused("none where prefill and decode are apart, so far")
    }
    if !profile.drops.isEmpty, system.system.engine.scheduling.cachesPrefixes {
      throw refused(
        "--no-enable-prefix-caching: blocks of prompts that have dropped tokens do not hold their own")
    }
    if method.method == .adaptinfer, policy.cutsPrompts {
      throw refused(
        "a policy that computes prompts whole, such as layered or orca: text scores all image tokens of its prompt"
      )
    }
    return profile
  }

  /// The policy that the engine of a system runs unless another one is asked for.
  ///
  /// - Throws: `DescriptionError`, if there is no such engine, or it does not take its settings.
  package func ownPolicy(of system: SystemSpecification) throws -> String {
    try ProfileFolder(URL(filePath: profiles)).engine(of: system).scheduling.policy
  }

  /// Reads the profiles of a system, and puts it together.
  package func system(_ specification: SystemSpecification) throws -> LoadedSystem {
    let key = SystemKey(
      names: [
        specification.model, specification.hardware, specification.engine, specification.routing ?? "",
      ],
      settings: [specification.engineSettings, specification.hardwareSettings],
      gpus: specification.tensorParallelSize, expertRanks: specification.expertParallelSize ?? 1,
      dataParallel: specification.dataParallelSize ?? 1,
      pipelineParallel: specification.pipelineParallelSize ?? 1, pipelineLink: specification.pipelineLink,
      blockSize: specification.blockSize,
      speculation: specification.speculation, attention: specification.attention,
      visionEncoder: specification.visionEncoder)
    if let system = known.withLock({ $0.systems[key] }) { return system }
    let system = try LoadedSystem(specification, profiles: profiles)
    known.withLock { $0.systems[key] = system }
    return system
  }

  private func trace(_ path: String, _ unit: TimeUnit?) throws(WorkloadError) -> TraceFile {
    let key = "\(unit?.rawValue ?? "")\n\(path)"
    if let file = known.withLock({ $0.traces[key] }) { return file }
    let file = try TraceFile.read(path, timeUnit: unit)
    known.withLock { $0.traces[key] = file }
    return file
  }
}

extension LoadedSystem {
  /// Reads the profiles of a system.
  fileprivate init(_ specification: SystemSpecification, profiles path: String) throws {
    let profiles = ProfileFolder(URL(filePath: path))
    var engine = try profiles.engine(of: specification)
    if let blockSize = specification.blockSize {
      try engine.change(["kv.block_size": .number(Double(blockSize))])
    }
    var hardware = try profiles.hardware(specification.hardware)
    var model = try profiles.model(specification.model)
    if let attention = specification.attention { model = try model.having(attention) }
    if !model.sharesPrefixes {
      if specification.engineSettings["cache.prefixes"] == .flag(true) {
        throw ExperimentError.invalidValue(
          option: "--enable-prefix-caching", value: model.name,
          expected:
            "no prefix caching: what its convolutions have seen of a prefix is not kept here")
      }
      engine.scheduling.cachesPrefixes = false
    }
    // Snapshots of states take memory: engines keep them if they are asked to.
    if model.stateSpace != nil || model.delta != nil,
      specification.engineSettings["cache.prefixes"] != .flag(true)
    {
      engine.scheduling.cachesPrefixes = false
    }
    if engine.pagesStates(of: model), let size = specification.blockSize {
      throw ExperimentError.invalidValue(
        option: "--block-size", value: "\(size)",
        expected: "none with \(model.name): a block is as large as the state of a layer")
    }
    let served = engine.served(model, on: hardware)
    let expertRanks = served.isMixtureOfExperts ? specification.expertParallelSize ?? 1 : 1
    let paths = Calibration.paths(
      gpu: hardware.name, profiles: profiles, for: served, expertRanks: expertRanks)
    var asked = hardware
    try asked.change(specification.hardwareSettings)
    let isCalibrated = FileManager.default.fileExists(atPath: paths[0])
    func fits(for model: ModelDescription) throws -> Calibration {
      try isCalibrated
        ? Calibration(gpu: hardware.name, profiles: profiles, for: model, expertRanks: expertRanks)
        : Calibration(dataSheetOf: asked)
    }
    let calibration = try fits(for: served)
    // Measurements override the file's estimates, and the user overrides both.
    if let energy = calibration.energy { hardware.adopt(energy) }
    try hardware.change(specification.hardwareSettings)
    // Ranks of a dense model have nothing in common.
    let ranks = served.isMixtureOfExperts ? specification.dataParallelSize ?? 1 : 1
    let system = try ServedSystem(
      model: model, hardware: hardware, engine: engine, tensorParallel: specification.tensorParallelSize,
      expertParallel: expertRanks,
      dataParallel: ranks,
      exchange: ranks > 1
        ? ExchangeProfile.law(of: hardware.name, gpus: specification.gpus, profiles: path) : nil)
    try system.checkPlacement()
    let usual = RoutingModel.published(for: system.shard.model)
    let law = try specification.routing.map { try RoutingModel(parsing: $0, usual: usual) }
    let drafter = try specification.speculation.flatMap {
      try Drafter.make($0, for: system, law: law, profiles: profiles)
    }
    let draftPaths = drafter.map {
      Calibration.paths(gpu: hardware.name, profiles: profiles, for: $0.system.shard.model)
    }
    let calibrationBytes = (paths + (draftPaths ?? []).filter { !paths.contains($0) }).flatMap { path in
      FileManager.default.contents(atPath: path).map { Array($0) } ?? []
    }
    let routing =
      model.isMixtureOfExperts
      ? try ExpertRouting(law ?? usual, for: system.shard.model) : nil
    let stages = specification.pipelineParallelSize ?? 1
    self.init(
      system: system, calibration: calibration, calibrationDigest: SHA256.hexDigest(of: calibrationBytes),
      routing: routing,
      drafter: drafter, draftCalibration: try drafter.map { try fits(for: $0.system.shard.model) },
      pipeline: stages > 1
        ? try LoadedPipeline(
          system, routing: routing, stages: stages,
          over: specification.pipelineLink.map {
            try LinkProfile.named($0, profiles: path, option: "--pipeline-link")
          })
        : nil)
    encoder = try specification.visionEncoder.map {
      try ServedEncoder(try profiles.visionEncoder($0), beside: system)
    }
    encoderCalibration = try encoder.map { try fits(for: $0.encoder.model) }
  }
}

extension ProfileFolder {
  /// The engine of a system with its settings.
  fileprivate func engine(of system: SystemSpecification) throws(DescriptionError) -> EngineDescription {
    var engine = try engine(system.engine)
    try engine.change(system.engineSettings)
    return engine
  }
}

extension Descriptor {
  /// Changes settings; one that has the value already keeps its source.
  mutating func change(_ settings: [String: SettingValue]) throws(DescriptionError) {
    for (path, value) in settings.sorted(by: { $0.key < $1.key }) {
      var changed = self
      try changed.set("\(path)=\(value)")
      let setting = Self.settings.first { $0.path == path }
      if setting?.text(in: changed) != setting?.text(in: self) { self = changed }
    }
  }
}

extension ServedSystem {
  /// Whether experts can be balanced as the engine is asked to.
  fileprivate func checkPlacement() throws(ExperimentError) {
    guard engine.balancesExperts else {
      guard engine.redundantExperts == 0 else {
        throw .invalidValue(
          option: "--eplb-config (experts.redundant)",
          value: "num_redundant_experts \(engine.redundantExperts)",
          expected: "--enable-eplb (experts.balanced=true) beside it")
      }
      return
    }
    guard shard.expertRanks > 1 else {
      throw .invalidValue(
        option: "--enable-eplb (experts.balanced)", value: shard.model.name,
        expected: "--enable-expert-parallel and several GPUs, which share out the experts of a mixture")
    }
    let (experts, ranks) = (shard.model.experts, shard.expertRanks)
    guard (experts + engine.redundantExperts).isMultiple(of: ranks) else {
      throw .invalidValue(
        option: "--eplb-config", value: "num_redundant_experts \(engine.redundantExperts)",
        expected: "a number that makes \(experts) experts a multiple of \(ranks) ranks, such as \(ranks)")
    }
  }
}
