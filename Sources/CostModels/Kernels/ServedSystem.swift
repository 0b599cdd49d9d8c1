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
  /// - Throws: if the model cannot be split over that many GPUs.
  public init(
    model: ModelDescription, hardware: HardwareDescription, engine: EngineDescription, tensorParallel: Int
  ) throws(DescriptionError) {
    shard = try engine.served(model).shard(over: tensorParallel)
    self.hardware = hardware
    self.engine = engine
  }
}
