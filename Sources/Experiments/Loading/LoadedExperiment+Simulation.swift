import CostModels
import Policies
import Serving
import Systems
import Workloads

extension LoadedExperiment {
  /// The simulation, ready to run; its instances share a cost model.
  public func makeSimulation() -> Simulation { makeSimulation(Staging()) }

  /// A simulation of some of the instances, where they run apart.
  func makeSimulation(share: Range<Int>) -> Simulation { makeSimulation(Staging(), share: share) }

  /// Whether there are several instances and none knows of another, or only late by what is reported to the router.
  var runsApart: Bool {
    guard specification.cluster.instanceCount > 1, decoders == nil, servers == nil,
      specification.limits.maxConcurrency == nil, !specification.system.drawsRouting,
      !tiers.contains(where: \.isShared), !router.entry.usesPrices
    else { return false }
    guard router.delay == 0 else { return true }
    let facts = RouterCatalog.Facts(
      instances: pool.instances, contents: PromptContents(), blockSize: 1, seed: specification.seed)
    return router.makeRouter(facts).isOblivious
  }

  func makeSimulation(_ staging: Staging, share: Range<Int>? = nil) -> Simulation {
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
      disaggregation: decoders?.disaggregation(prefill: pool),
      reportDelay: staging.routing == nil ? router.delay : staging.reportDelay, servers: servers, share: share
    )
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
    firstChunkTokens = engine.scheduling.firstChunkTokens
    slidingWindow = order == .byAdmission ? engine.groupWindow(of: model) ?? 0 : 0
    tokensInFlight = max(stepsInFlight, stages) * batchedTokens
  }
}
