extension ModelDescription {
  /// This model's part on one GPU of a tensor-parallel group.
  ///
  /// Where there are fewer key-value heads than GPUs, each GPU holds one and several hold the same, as in vLLM.
  ///
  /// - Parameters:
  ///   - gpus: the GPUs of a rank.
  ///   - expertRanks: groups of all GPUs that share out the experts; 1 where each holds its slice of all.
  ///   - dataParallel: ranks that share the experts.
  /// - Returns: what each GPU holds.
  /// - Throws: ``DescriptionError/indivisible(model:field:value:gpus:expected:)`` where the group's size does not
  ///   divide the query heads or the MLP's width, or neither divides nor is a multiple of the key-value heads.
  public func shard(
    over gpus: Int, expertRanks: Int = 1, dataParallel: Int = 1
  ) throws(DescriptionError) -> ModelShard {
    guard (1...1024).contains(gpus) else {
      throw .invalidSetting(
        path: "tensor-parallel-size", value: "\(gpus)", expected: "1...1024, such as 1, 2, 4")
    }
    guard (1...1024).contains(dataParallel), dataParallel == 1 || isMixtureOfExperts else {
      throw .invalidSetting(
        path: "data-parallel-size", value: "\(dataParallel)",
        expected: isMixtureOfExperts ? "1...1024, such as 1, 2, 8" : "1: there are no experts to share")
    }
    let all = gpus * dataParallel
    guard expertRanks >= 1, all.isMultiple(of: expertRanks) else {
      throw .invalidSetting(
        path: "expert parallelism", value: "\(expertRanks)", expected: "a divisor of the \(all) GPUs")
    }
    func split(_ value: Int, _ field: String, by parts: Int? = nil) throws(DescriptionError) -> Int {
      let parts = parts ?? gpus
      guard value.isMultiple(of: parts) else {
        throw .indivisible(
          model: name, field: field, value: value, gpus: parts,
          expected: "a group whose size divides \(value)")
      }
      return value / parts
    }
    let isWhole = latent != nil || compressed != nil || attentionLayers == 0
    let heads =
      compressed == nil && attentionLayers > 0 ? try split(self.heads, "num_attention_heads") : self.heads
    let intermediate = try split(self.intermediate, "intermediate_size")
    for width in denseWidths ?? [] { _ = try split(width, "intermediate_size") }
    let expertIntermediate = try split(
      self.expertIntermediate, "the width of an expert", by: all / expertRanks)
    let expertsHere = try split(experts, "the number of experts", by: expertRanks)
    _ = try split(sharedWidth, "the width of the shared experts")
    let replicates = !isWhole && keyValueHeads < gpus
    for heads in isWhole ? [] : [keyValueHeads] + (windowedHeads.map { [$0.keyValueHeads] } ?? []) {
      guard heads < gpus ? gpus.isMultiple(of: heads) : heads.isMultiple(of: gpus) else {
        throw .indivisible(
          model: name, field: "num_key_value_heads", value: heads, gpus: gpus,
          expected: "a group whose size divides \(heads) or is a multiple of it")
      }
    }
    if let windowedHeads { _ = try split(windowedHeads.heads, "the query heads of layers with a window") }
    if let delta {
      _ = try split(delta.valueHeads, "linear_num_value_heads")
      if delta.keyHeads > gpus { _ = try split(delta.keyHeads, "linear_num_key_heads") }
    }
    if let stateSpace {
      _ = try split(stateSpace.heads, "the number of Mamba-2 heads")
      if stateSpace.groups > gpus { _ = try split(stateSpace.groups, "the number of Mamba-2 groups") }
    }
    let keyValueHeads = compressed?.keyValueHeads ?? max(1, self.keyValueHeads / gpus)
    let vocabulary = (self.vocabulary + gpus - 1) / gpus
    let bytesPerExpert = bytesPerExpert(width: expertIntermediate)
    return ModelShard(
      model: self, gpus: gpus, expertRanks: expertRanks, dataParallel: dataParallel, heads: heads,
      keyValueHeads: keyValueHeads,
      replicatesKeyValueHeads: replicates, intermediate: intermediate,
      expertIntermediate: expertIntermediate, vocabulary: vocabulary, bytesPerExpert: bytesPerExpert,
      expertBytesPerLayer: expertsHere * bytesPerExpert,
      routerBytes: 2 * routerParameters,
      expertBiasBytes: hasMLPBias ? 2 * expertsHere * (2 * expertIntermediate + hidden) : 0,
      embeddingBytes: 2 * vocabulary * hidden,
      headBytes: formats.head.bytes(rows: vocabulary, columns: hidden))
  }
}
