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
  /// How rows get to the experts of other ranks and back; `nil` where all that share experts have all rows.
  public let exchange: ExpertExchange.Law?

  /// Puts a system together.
  ///
  /// - Parameters:
  ///   - model: the model as its checkpoint has it.
  ///   - hardware: the GPU.
  ///   - engine: the engine.
  ///   - tensorParallel: GPUs that share the model: those of a rank.
  ///   - expertParallel: groups of all GPUs that share out the experts.
  ///   - dataParallel: ranks that share the experts.
  ///   - exchange: how rows get to the experts of other ranks; what it should be is estimated if several ranks have none.
  /// - Throws: if the model cannot be split over that many GPUs, or if the GPU's figures contradict each other.
  public init(
    model: ModelDescription, hardware: HardwareDescription, engine: EngineDescription, tensorParallel: Int,
    expertParallel: Int = 1, dataParallel: Int = 1, exchange: ExpertExchange.Law? = nil
  ) throws(DescriptionError) {
    if let contradiction = hardware.contradiction {
      throw .invalidSetting(
        path: contradiction.path, value: contradiction.value, expected: contradiction.expected)
    }
    shard = try engine.served(model, on: hardware)
      .shard(over: tensorParallel, expertRanks: expertParallel, dataParallel: dataParallel)
    self.exchange = dataParallel > 1 ? exchange ?? .estimate : nil
    self.hardware = hardware
    self.engine = engine.adapted(to: hardware).paged(for: shard)
  }

  private init(_ whole: ServedSystem, shard: ModelShard) {
    self.shard = shard
    hardware = whole.hardware
    engine = whole.engine
    exchange = whole.exchange
  }

  /// A stage of a pipeline: some of the layers, on GPUs of their own.
  ///
  /// - Throws: if the stage's model cannot be split as the whole is.
  public func stage(_ layers: Range<Int>) throws(DescriptionError) -> ServedSystem {
    ServedSystem(self, shard: try shard.stage(layers))
  }

  /// The kernels that the engine has for it.
  public var kernelChoice: KernelChoice {
    var choice = engine.kernelChoice
    choice.exchange = exchange
    return choice
  }

  /// The limit on the power of all GPUs of a rank together.
  public var powerLimit: PowerLimit {
    PowerLimit(
      headroomWatts: Double(shard.gpus) * (hardware.powerLimitWatts - hardware.energy.idleWatts),
      window: hardware.power.windowMilliseconds * 1e-3, clockExponent: hardware.power.clockExponent)
  }
}
