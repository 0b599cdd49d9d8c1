import CostModels
import Foundation
import Policies
import ResultStore
import Serving
import Support
import Systems
import Workloads

/// One run, ready to go: everything is read and checked, nothing is shared that could change.
public struct LoadedExperiment: Sendable {
  /// The experiment with every default spelt out: parameters of the policy, number of requests, block size.
  public internal(set) var specification: Experiment
  /// The system, its calibration and its expert routing.
  package var loaded: LoadedSystem
  /// The policy, with every parameter set.
  public let policy: Policy
  /// What decides which instance serves a request.
  public let router: RouterChoice
  /// The longest sequence that the engine takes, prompt and output together.
  public let maxModelLength: Tokens
  /// The requests.
  public let workload: Workload
  /// The latency limits that a good request meets.
  public let objective: ServiceObjective
  /// Blocks of KV memory of an instance.
  public let kvBlocks: Int
  /// Whether the policy is asked before every iteration; the results are the same.
  public var exactSteps = false
  /// Ends the run early when somebody wishes it; `nil` where nobody can.
  package var interruption: Interruption?

  /// The law that says how long iterations take; `nil` for kernels.
  package let law: IterationLaw?
  /// What prompts leave out; `nil` where they do not.
  package let profile: TokenProfile?
  /// How sequences keep KV entries; `nil` where they keep all.
  let kept: KeptEntries?
  /// Levels of KV memory below that of the GPUs.
  package let tiers: [LoadedTier]
  /// The instances that decode what the others have prefilled; `nil` where each does both.
  package let decoders: LoadedDecoders?

  init(
    _ experiment: Experiment, pool: LoadedPool, decoders: LoadedDecoders?, router: RouterChoice,
    workload: Workload
  ) {
    objective = experiment.objective ?? .usual(trace: experiment.workload.trace)
    loaded = pool.loaded
    policy = pool.policy
    self.router = router
    maxModelLength = pool.maxModelLength
    self.workload = workload
    kvBlocks = pool.kvBlocks
    law = pool.law
    profile = pool.profile
    kept = pool.kept
    tiers = pool.tiers
    self.decoders = decoders
    var specification = experiment
    specification.objective = objective
    specification.cluster.pool = pool.spelledOut(experiment.cluster.pool)
    if let decoders {
      for (place, pool) in (decoders.others + [decoders.pool]).enumerated() {
        specification.cluster.pools[1 + place] = pool.spelledOut(experiment.cluster.pools[1 + place])
      }
      specification.cluster.transfer = experiment.cluster.transfer ?? TransferSpecification()
    }
    // One instance has nothing to decide about.
    let senders = pool.instances + (decoders?.others.reduce(0) { $0 + $1.instances } ?? 0)
    specification.cluster.router = senders > 1 ? PolicySpecification(parsing: router.description) : nil
    specification.workload.arrivals = workload.arrivals.kind
    specification.workload.requestRate = workload.arrivals.rate
    specification.workload.burstiness = workload.gammaShape
    specification.workload.timeScale = workload.timeScale
    specification.workload.spellOut(workload.arrivals)
    specification.workload.numPrompts = workload.count
    if specification.limits.maxDuration == .infinity { specification.limits.maxDuration = nil }
    self.specification = specification
  }

  /// The longest sequence that is not rejected, in any pool.
  public var longestSequence: Tokens { pools.map(\.longestSequence).min() ?? 0 }

  /// The longest prompt that is not rejected, in any pool.
  package var longestPrompt: Tokens { pools.map(\.longestPrompt).min() ?? 0 }

  /// Why no longer prompt is admitted.
  package var reasonOfLongestPrompt: String {
    let bound = pools.min { $0.longestPrompt < $1.longestPrompt }
    return (bound.map { $0.longestPrompt < $0.longestUncutPrompt } ?? false)
      ? "the longest whose KV entries fit, which layers that see all and layers that see a window share"
      : "the longest that the policy takes without cutting it"
  }

  /// Whether prompts with the same beginning share its blocks.
  package var cachesPrefixes: Bool { loaded.system.engine.scheduling.cachesPrefixes }

  /// All pools, in their order.
  package var pools: [LoadedPool] { [pool] + (decoders.map { $0.others + [$0.pool] } ?? []) }

  /// An empty drawing of a loaded stretch of its iterations.
  package func drawing(rows: Int, columns: Int) -> ScheduleDrawing {
    ScheduleDrawing(layers: loaded.system.shard.model.layers, rows: rows, columns: columns, moment: .loaded)
  }

  /// Runs it.
  ///
  /// - Parameters:
  ///   - percentiles: of the latencies in the summary, beside the median: numbers from 0 to 100.
  ///   - threads: most threads that instances run on, where none knows of another; the results are the same.
  /// - Returns: what came out.
  /// - Throws: if the policy breaks the engine's rules.
  /// - Complexity: O(iterations + requests).
  public func run(percentiles: [Double] = [99], threads: Int = 1) throws(SimulationError) -> RunResult {
    try run(
      RunRecorder(metrics: RunMetrics(objective: objective)), percentiles: percentiles, threads: threads)
  }

  /// Runs it with a recorder that may log, draw and show progress.
  ///
  /// Its parameters are those of ``run(percentiles:threads:)``.
  package func run(
    _ recorder: consuming RunRecorder, percentiles: [Double] = [99], threads: Int = 1
  ) throws(SimulationError) -> RunResult {
    let started = ContinuousClock.now
    var recorder = recorder
    let count = specification.cluster.instanceCount
    if !workload.classes.isEmpty { recorder.classes = workload.classes.map { ClassShare(name: $0.name) } }
    recorder.measure(specification.limits.window)
    if count > 1 { recorder.shares = Array(repeating: InstanceShare(), count: count) }
    let totals =
      threads > 1 && runsApart && !recorder.wantsKernels && !recorder.wantsRows
      ? try ParallelRun(instances: count, threads: threads, makeSimulation: makeSimulation(share:))
        .run(recorder: &recorder)
      : try run(recorder: &recorder)
    return RunResult(
      self, recorder: recorder, totals: totals, wall: ContinuousClock.now - started, percentiles: percentiles)
  }

  /// Runs it with a recorder of any kind.
  ///
  /// - Parameters:
  ///   - recorder: is told of everything.
  ///   - keepsLayerUses: whether to keep what layers use by what they carry.
  ///   - staging: what is otherwise than the experiment says.
  /// - Returns: what the recorder is not told.
  /// - Throws: if the policy breaks the engine's rules.
  /// - Complexity: O(steps + requests).
  package func run<Kept: Recorder>(
    recorder: inout Kept, keepsLayerUses: Bool = false, staging: Staging = Staging()
  ) throws(SimulationError) -> SystemTotals {
    var simulation = makeSimulation(staging)
    if keepsLayerUses { simulation.keepLayerUses() }
    try simulation.run(recorder: &recorder)
    return totals(of: simulation)
  }

  /// Runs it until a recorder has seen enough.
  ///
  /// - Parameters:
  ///   - recorder: is told of everything until then but kernels and rows of steps, which it must not want.
  ///   - hasSeenEnough: asked after each event; what has begun then is left where it is.
  /// - Returns: what the recorder is not told, of the part that was run.
  /// - Throws: if the policy breaks the engine's rules.
  /// - Complexity: O(steps + requests).
  package func run<Kept: Recorder>(
    recorder: inout Kept, until hasSeenEnough: (borrowing Kept) -> Bool
  ) throws(SimulationError) -> SystemTotals {
    var simulation = makeSimulation()
    while try simulation.step(recorder: &recorder), !hasSeenEnough(recorder) {}
    return totals(of: simulation)
  }

  private func totals(of simulation: borrowing Simulation) -> SystemTotals {
    SystemTotals(
      simulation.outcomes, further: simulation.limitUses, population: simulation.population)
  }

  /// What says how long an iteration of a pool takes.
  private func makeCostModel(of loaded: LoadedSystem, law: IterationLaw?) -> any CostModel {
    if let law { return LawCostModel(law, layers: loaded.system.shard.model.layers) }
    if specification.system.costModel == .unit {
      if let pipeline = loaded.pipeline { return pipeline.unitCostModel }
      return UnitCostModel(layers: loaded.system.shard.model.layers)
    }
    if let pipeline = loaded.pipeline {
      return pipeline.costModel(
        calibration: loaded.calibration,
        drawSeed: specification.system.drawsRouting ? specification.seed : nil)
    }
    if loaded.system.shard.dataParallel > 1 {
      return SharedExpertsCostModel(
        system: loaded.system, calibration: loaded.calibration, routing: loaded.routing,
        drawSeed: specification.system.drawsRouting ? specification.seed : nil)
    }
    return KernelCostModel(
      system: loaded.system, calibration: loaded.calibration, routing: loaded.routing,
      drawSeed: specification.system.drawsRouting ? specification.seed : nil,
      width: 1 + (specification.system.speculation?.drafts ?? 0), drafter: loaded.drafter,
      draftCalibration: loaded.draftCalibration, encoder: loaded.encoder,
      encoderCalibration: loaded.encoderCalibration, profile: profile, kept: kept)
  }

  /// The pool that requests are sent to, as it is now.
  package var pool: LoadedPool {
    var pool = LoadedPool(
      name: specification.cluster.pool.name, instances: specification.cluster.pool.instances,
      ranks: specification.system.dataParallelSize ?? 1, loaded: loaded, policy: policy, kvBlocks: kvBlocks,
      maxSequences: maxSequences, maxModelLength: maxModelLength,
      law: law,
      speculation: specification.system.speculation, profile: profile, kept: kept)
    pool.tiers = tiers
    return pool
  }

  /// What a simulation of an experiment does otherwise.
  package struct Staging {
    /// Makes a router from what is known; `nil` for the experiment's own.
    package var routing: ((RouterCatalog.Facts) -> any Router)?
    /// The requests, in order of arrival; `nil` for the experiment's own.
    package var requests: [Request]?

    package init(routing: ((RouterCatalog.Facts) -> any Router)? = nil, requests: [Request]? = nil) {
      self.routing = routing
      self.requests = requests
    }
  }

  /// The simulation, ready to run; its instances share a cost model.
  public func makeSimulation() -> Simulation { makeSimulation(Staging()) }

  /// A simulation of some of the instances, where they run apart.
  func makeSimulation(share: Range<Int>) -> Simulation { makeSimulation(Staging(), share: share) }

  /// Whether there are several instances and none knows of another.
  var runsApart: Bool {
    guard specification.cluster.instanceCount > 1, decoders == nil, servers == nil,
      specification.limits.maxConcurrency == nil, !specification.system.drawsRouting,
      !tiers.contains(where: \.isShared), !router.entry.usesPrices
    else { return false }
    let facts = RouterCatalog.Facts(
      instances: pool.instances, contents: PromptContents(), blockSize: 1, seed: specification.seed)
    return router.makeRouter(facts).isOblivious
  }

  private func makeSimulation(_ staging: Staging, share: Range<Int>? = nil) -> Simulation {
    let costModel = makeCostModel(of: loaded, law: law)
    let engine = loaded.system.engine
    let pool = pool
    let senders = pools.count > 2 ? pools.dropLast() : [pool]
    let needsContents = engine.scheduling.cachesPrefixes || senders.reduce(0) { $0 + $1.instances } > 1
    let contents = needsContents ? workload.contents : PromptContents()
    var instances = pool.configurations(
      costModel: costModel, contents: engine.scheduling.cachesPrefixes ? contents : nil,
      seed: specification.seed)
    for other in decoders?.others ?? [] {
      instances += other.configurations(
        costModel: makeCostModel(of: other.loaded, law: other.law),
        contents: other.loaded.system.engine.scheduling.cachesPrefixes ? contents : nil,
        seed: specification.seed)
    }
    if let decoders {
      // Prompts come with all of their KV entries: what a cache would find is sent anyway.
      instances += decoders.pool.configurations(
        costModel: makeCostModel(of: decoders.pool.loaded, law: decoders.pool.law), contents: nil,
        seed: specification.seed)
    }
    var facts = RouterCatalog.Facts(
      instances: senders.reduce(0) { $0 + $1.instances }, contents: contents,
      blockSize: engine.keyValueBlockSize, seed: specification.seed)
    facts.pools = senders.map(\.instances)
    if router.entry.usesPrices || staging.routing != nil { facts.prices = ServicePrices(costModel) }
    return Simulation(
      instances: instances, router: staging.routing.map { $0(facts) } ?? router.makeRouter(facts),
      requests: requests(staging),
      maxModelLength: maxModelLength,
      maxConcurrency: specification.limits.maxConcurrency ?? .max,
      stopAt: specification.limits.maxDuration ?? .infinity,
      frontEnd: FrontEnd(
        seconds: engine.scheduling.outsideMilliseconds * 1e-3,
        secondsPerToken: engine.scheduling.outsideTokenMicroseconds * 1e-6), fastForwards: !exactSteps,
      disaggregation: decoders?.disaggregation(prefill: pool), servers: servers, share: share)
  }

  private func requests(_ staging: Staging) -> any IteratorProtocol<Request> {
    if let requests = staging.requests { return requests.makeIterator() }
    return interruption.map {
      InterruptibleRequests(requests: workload.makeIterator(), interruption: $0)
    } ?? workload.makeIterator()
  }

  /// How instances are put together, where that is not one to a server.
  private var servers: Servers? {
    let all = pools.flatMap(\.servers)
    return all.contains { $0.ranks > 1 } ? Servers(all) : nil
  }

  /// Most sequences that an iteration works on.
  var maxSequences: Int {
    specification.system.maxSequences ?? loaded.system.engine.scheduling.maxSequences
  }
}

extension EngineRules {
  /// The rules of an engine for a model.
  init(_ engine: EngineDescription, model: ModelDescription, batchedTokens: Tokens, stages: Int = 1) {
    self.init()
    order = engine.scheduling.order == "admission" ? .byAdmission : .byEntry
    queue = engine.scheduling.queue == "priority" ? .priority : .firstComeFirstServed
    victim = engine.scheduling.victim == "fewest-outputs" ? .fewestOutputs : .ofOrder
    stepsInFlight = engine.scheduling.stepsInFlight
    seesArrivalsInFlight = engine.scheduling.seesArrivals
    reservesWholePrompt = engine.scheduling.reservesWholePrompt
    watermark = engine.scheduling.watermark
    nullBlocks = engine.scheduling.nullBlocks
    slidingWindow = order == .byAdmission ? engine.groupWindow(of: model) ?? 0 : 0
    tokensInFlight = max(stepsInFlight, stages) * batchedTokens
  }
}

extension ServiceObjective {
  /// What the evaluations of layered prefill hold a trace's requests against.
  static func usual(trace: String) -> ServiceObjective {
    var objective = ServiceObjective()
    objective.timeToFirstToken = trace == "sharegpt" ? 5 : 10
    objective.timeBetweenTokens = 0.125
    return objective
  }
}

extension Workload {
  /// The shape of gamma gaps; `nil` for other arrivals.
  fileprivate var gammaShape: Double? {
    switch arrivals {
    case .gamma(_, let burstiness), .ramp(_, let burstiness, _): burstiness
    default: nil
    }
  }

  /// The factor on the trace's own arrivals.
  fileprivate var timeScale: Double? {
    if case .trace(let scale) = arrivals { scale } else { nil }
  }
}
