extension EngineDescription {
  /// Blocks of KV memory on each GPU of a pipeline: those of the stage that has the fewest.
  ///
  /// - Parameters:
  ///   - shard: what each GPU would hold of the whole model.
  ///   - stages: what those of each stage hold.
  ///   - hardware: the GPU.
  ///   - utilisation: the share of memory that the engine may use, 0...1.
  ///   - maxBatchedTokens: the most tokens in one iteration.
  /// - Returns: the number of blocks, at least 1.
  /// - Throws: ``DescriptionError/mismatch(_:)`` where not one block fits.
  public func keyValueBlocks(
    _ shard: ModelShard, in stages: [ModelShard], on hardware: HardwareDescription, utilisation: Double,
    maxBatchedTokens: Int
  ) throws(DescriptionError) -> Int {
    let isGrouped = groupWindow(of: shard.model) != nil
    var least = Int.max
    for stage in stages {
      let layers = stage.model.layers
      // A block is of the layers of one kind; where a stage has more of one kind, the other's blocks are as large.
      let larger = max(stage.model.windowedLayers, layers - stage.model.windowedLayers)
      let bytes = stage.keyValueBytesPerToken * keyValueBlockSize * (isGrouped ? larger : layers) / layers
      least = min(
        least,
        try keyValueBlocks(
          stage, on: hardware, utilisation: utilisation, maxBatchedTokens: maxBatchedTokens, ofBytes: bytes))
    }
    return least
  }
}
