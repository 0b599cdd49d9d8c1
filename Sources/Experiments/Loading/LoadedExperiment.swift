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
      : "the longest that the policy takes without cutting it; trtllm[chunks=yes] cuts prompts"
  }

  /// Whether prompts with the same beginning share its blocks.
  package var cachesPrefixes: Bool { loaded.system.engine.scheduling.cachesPrefixes }

  /// All pools, in their order.
  package var pools: [LoadedPool] { [pool] + (decoders.map { $0.others + [$0.pool] } ?? []) }

  /// An empty drawing of a loaded stretch of its iterations.
  package func drawing(rows: Int, columns: Int) -> ScheduleDrawing {
    ScheduleDrawing(layers: loaded.system.shard.model.layers, rows: rows, columns: columns, moment: .loaded)
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

  /// Most sequences that an iteration works on.
  var maxSequences: Int {
    specification.system.maxSequences ?? loaded.system.engine.scheduling.maxSequences
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
