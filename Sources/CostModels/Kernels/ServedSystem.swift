import Serving
import Systems

/// A model on some GPUs under a serving engine: what a cost model prices.
public struct ServedSystem: Sendable {
  /// The model as the engine serves it, and what each GPU holds of it.
  public let shard: ModelShard
  /// The GPU.
  public let hardware: HardwareDescription
  /// The engine.
  public let engine: EngineDescription

  /// Puts a system together.
  ///
  /// - Parameters:
  ///   - model: the model as its checkpoint has it.
  ///   - hardware: the GPU.
  ///   - engine: the engine.
  ///   - tensorParallel: GPUs that share the model.
  ///   - expertParallel: groups of them that share out the experts.
  /// - Throws: if the model cannot be split over that many GPUs, or if the GPU's figures contradict each other.
  public init(
    model: ModelDescription, hardware: HardwareDescription, engine: EngineDescription, tensorParallel: Int,
    expertParallel: Int = 1
  ) throws(DescriptionError) {
    if let contradiction = hardware.contradiction {
      throw .invalidSetting(
        path: contradiction.path, value: contradiction.value, expected: contradiction.expected)
    }
    shard = try engine.served(model, on: hardware).shard(over: tensorParallel, expertRanks: expertParallel)
    self.hardware = hardware
    self.engine = engine.adapted(to: hardware)
  }

  /// The limit on the power of all of its GPUs together.
  public var powerLimit: PowerLimit {
    PowerLimit(
      headroomWatts: Double(shard.gpus) * (hardware.powerLimitWatts - hardware.energy.idleWatts),
      window: hardware.power.windowMilliseconds * 1e-3, clockExponent: hardware.power.clockExponent)
  }
}
