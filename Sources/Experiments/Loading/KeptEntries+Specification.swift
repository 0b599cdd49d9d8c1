import CostModels
import Serving
import Systems

extension KeptEntries {
  /// What a pool keeps of KV entries.
  ///
  /// A budget that no sequence exceeds evicts nothing: then engine and prices are those of a run without one.
  ///
  /// - Parameters:
  ///   - policy: what was asked for, as `--kv-policy` takes it: `arkv[budget=2048]`.
  ///   - pool: what it was asked of.
  ///   - system: the model, and the engine.
  ///   - longest: tokens of the longest sequence.
  /// - Returns: the way to keep entries; `nil` if all are kept.
  /// - Throws: if there is no such policy, or it does not go with what else was asked for.
  static func make(
    _ policy: PolicySpecification, for pool: ClusterSpecification.Pool, on system: LoadedSystem,
    longest: Tokens
  ) throws -> KeptEntries? {
    let parameters = try MethodParameters(
      policy, option: "--kv-policy", named: "arkv", knowing: ["budget", "window", "fp8", "statistics"],
      example: "arkv[budget=2048,window=32,fp8=0.2,statistics=second-pass]")
    let budget = try parameters.integer("budget", in: 2...1 << 24)
    let retention = Retention(
      budget: budget,
      window: try parameters.integer("window", in: 0...budget - 1, default: min(32, budget - 1)),
      narrowShare: try parameters.number("fp8", in: 0...1, default: 0.2))
    let statistics = try parameters.word("statistics", default: Statistics.secondPass)
    let model = system.system.shard.model
    func refused(_ reason: String) -> ExperimentError { parameters.bad("none \(reason)") }
    if pool.system.speculation != nil {
      throw refused("with --speculative-config: which drafts' entries are evicted is not known")
    }
    if pool.system.prefillSparsity != nil || pool.system.tokenPruning != nil {
      throw refused("with --prefill-sparsity or --token-pruning: what both would evict is not known")
    }
    if pool.role != nil {
      throw refused(
        "where prefill and decode are apart: what is evicted is known when a prompt is through, and sent before"
      )
    }
    switch pool.system.costModel {
    case .law: throw refused("with a law of whole iterations")
    case .unit, .kernels, nil: break
    }
    guard model.latent == nil, model.attentionLayers > 0, model.windows.allSatisfy({ $0 == nil }) else {
      throw refused("with \(model.name): a budget is of layers that attend to all tokens by keys and values")
    }
    guard model.formats.keyValues == .bf16 else {
      throw refused("with KV entries in FP8: it stores some of them so itself")
    }
    guard budget < longest else { return nil }
    if pool.system.engineSettings["cache.prefixes"] == .flag(true) {
      throw refused("with --enable-prefix-caching: what is evicted cannot be shared")
    }
    return KeptEntries(retention, statistics: statistics)
  }
}
