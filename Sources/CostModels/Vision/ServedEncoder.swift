import Systems

/// A vision encoder beside the model that it serves, on the same GPUs.
public struct ServedEncoder: Sendable {
  /// What is computed of an image.
  public let encoder: VisionEncoder
  /// Its layers as a system: one kernel launched after another, and no host beside that.
  package let system: ServedSystem
  /// Bytes of its weights on each GPU.
  public let weightBytes: Int

  /// Spreads an encoder over the GPUs of a system, tensor-parallel as the model is.
  ///
  /// - Parameters:
  ///   - encoder: the encoder.
  ///   - target: the system.
  /// - Throws: if its heads or its MLP cannot be split over so many GPUs.
  public init(_ encoder: VisionEncoder, beside target: ServedSystem) throws(DescriptionError) {
    self.encoder = encoder
    var engine = target.engine
    let host = engine.host
    engine.host = HostOverhead()
    engine.host.eagerLayerMicroseconds = host.eagerLayerMicroseconds
    engine.host.eagerLaunchMicroseconds = host.eagerLaunchMicroseconds
    // No graph is captured of it.
    if !engine.graphs.sizes.isEmpty { engine.graphs.sizes = [1] }
    engine.graphs.largest = 0
    engine.keepsKeyValuesInFP8 = false
    engine.repeatsEmbeddingAndHead = false
    system = try ServedSystem(
      model: encoder.model, hardware: target.hardware, engine: engine, tensorParallel: target.shard.gpus)
    weightBytes = system.shard.weightBytes
  }
}
