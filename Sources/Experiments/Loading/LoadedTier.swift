import CostModels
import Serving
import Systems

/// A level of KV memory below that of the GPUs, read and checked.
package struct LoadedTier: Sendable, Hashable {
  /// What its blocks are loaded over.
  package let link: LinkProfile
  /// Blocks that it holds.
  package let blocks: Int
  /// Time to load a block of all GPUs.
  package let secondsPerBlock: Double
  /// Whether all instances of a pool have it in common.
  package let isShared: Bool

  /// An empty level.
  func make() -> CacheTier {
    CacheTier(name: link.name, blocks: blocks, secondsPerBlock: secondsPerBlock, latency: link.latency)
  }

  /// The levels of a pool.
  ///
  /// - Throws: if there is no such link, a size is none, or the system keeps no blocks that could lie below.
  static func all(
    of pool: ClusterSpecification.Pool, on system: LoadedSystem, profiles: String
  ) throws -> [LoadedTier] {
    let asked = pool.system.cacheTiers ?? []
    guard let first = asked.first else { return [] }
    func refused(_ reason: String) -> ExperimentError {
      .invalidValue(option: "--kv-tiers", value: first.link, expected: reason)
    }
    let engine = system.system.engine
    let model = system.system.shard.model
    guard engine.scheduling.cachesPrefixes else {
      throw refused("none without a prefix cache: --enable-prefix-caching")
    }
    guard engine.scheduling.order != "admission" || engine.groupWindow(of: model) ?? 0 == 0 else {
      throw refused("none where layers with a window have blocks of their own, so far")
    }
    guard !engine.pagesStates(of: model) else {
      throw refused("none with \(model.name), whose states are not kept below the GPUs' memory, so far")
    }
    guard system.system.shard.dataParallel == 1 else {
      throw refused("none where ranks step together, so far")
    }
    // Of the whole model: heads that several GPUs hold copies of are kept once.
    let perToken = try model.shard(over: 1).keyValueBytesPerToken
    let bytes = Double(perToken * engine.keyValueBlockSize)
    return try asked.map { tier in
      guard (1e-3...1e9).contains(tier.gibibytes) else {
        throw ExperimentError.invalidValue(
          option: "--kv-tiers", value: "\(tier.gibibytes)", expected: "0.001 to 1e9 GiB")
      }
      let link = try LinkProfile.named(tier.link, profiles: profiles, option: "--kv-tiers")
      let bandwidth = link.bytesPerSecond * (link.isPerGPU ? Double(system.system.shard.gpus) : 1)
      return LoadedTier(
        link: link, blocks: max(1, Int(tier.gibibytes * 0x1p30 / bytes)), secondsPerBlock: bytes / bandwidth,
        isShared: tier.isShared ?? false)
    }
  }
}
