/// What one GPU of a tensor-parallel group holds of a model, in bytes.
///
/// Attention heads, expert and MLP widths and vocabulary rows are split; norms and routers are on every GPU.
/// Every GPU holds its slice of every expert: tensor parallelism, not expert parallelism.
public struct ModelShard: Sendable, Hashable {
  /// The whole model.
  public let model: ModelDescription
  /// GPUs that share it.
  public let gpus: Int
  /// Query heads on this GPU.
  public let heads: Int
  /// Key-value heads on this GPU.
  public let keyValueHeads: Int
  /// Whether there are fewer key-value heads than GPUs, so that several GPUs hold the same one.
  public let replicatesKeyValueHeads: Bool
  /// Width of the dense MLP on this GPU; 0 in a mixture of experts.
  public let intermediate: Int
  /// Width of one expert on this GPU; 0 in a dense model.
  public let expertIntermediate: Int
  /// Vocabulary rows on this GPU, rounded up.
  public let vocabulary: Int

  /// Bytes of this GPU's slice of one expert (gate, up, down), without biases.
  public let bytesPerExpert: Int
  /// Bytes of this GPU's slices of all experts of one layer, without biases.
  public let expertBytesPerLayer: Int
  /// Bytes of one layer's fused query, key and value projection.
  public let queryKeyValueBytes: Int
  /// Bytes of one layer's attention output projection.
  public let outputBytes: Int
  /// Bytes of one layer's router; 0 in a dense model.
  public let routerBytes: Int
  /// Bytes of one layer's dense MLP; 0 in a mixture of experts.
  public let denseMLPBytes: Int
  /// Bytes of one layer's norms and attention sinks.
  public let normBytes: Int
  /// Bytes of one layer's expert biases; 0 where experts have none.
  public let expertBiasBytes: Int
  /// Bytes of the embedding table.
  public let embeddingBytes: Int
  /// Bytes of the LM head, which every iteration reads.
  ///
  /// Where embeddings are tied it is the embedding table, and takes no memory of its own.
  public let headBytes: Int
  /// Bytes of keys and values that one token adds in one layer.
  ///
  /// Sliding-window layers are counted like the others: vLLM-style block tables keep all tokens of a sequence.
  public let keyValueBytesPerTokenAndLayer: Int

  /// Weights of one layer that do not depend on which experts are used, in bytes.
  public var denseBytesPerLayer: Int {
    queryKeyValueBytes + outputBytes + routerBytes + denseMLPBytes + normBytes
  }

  /// All weights on this GPU, in bytes.
  public var weightBytes: Int {
    model.layers * (denseBytesPerLayer + expertBytesPerLayer + expertBiasBytes) + embeddingBytes
      + (model.hasTiedEmbeddings ? 0 : headBytes) + 2 * model.hidden
  }

  /// Bytes of keys and values that one token adds in all layers.
  public var keyValueBytesPerToken: Int { model.layers * keyValueBytesPerTokenAndLayer }

  /// Activations that one token of an iteration needs at the peak, in bytes: an estimate.
  ///
  /// The peak is inside the MLP, whose buffers are alive beside the residual stream and one hidden state: in a
  /// fused mixture-of-experts call, for each of the token's k experts, the gate and up outputs (2i), their
  /// product (i) and the down output (h); in a dense MLP the same once. The attention's projection is counted
  /// as well, for engines whose allocator does not give its block back in between. 16 bits each.
  public var activationBytesPerToken: Int {
    let mlp =
      model.isMixtureOfExperts
      ? model.topK * (3 * expertIntermediate + model.hidden) : 3 * intermediate + model.hidden
    return 2 * (2 * model.hidden + (heads + 2 * keyValueHeads) * model.headDim + mlp)
  }
}

extension ModelDescription {
  /// This model's part on one GPU of a tensor-parallel group.
  ///
  /// Where there are fewer key-value heads than GPUs, each GPU holds one and several hold the same, as in vLLM.
  ///
  /// - Throws: ``DescriptionError/indivisible(model:field:value:gpus:expected:)`` where the group's size does not
  ///   divide the query heads or the MLP's width, or neither divides nor is a multiple of the key-value heads.
  public func shard(over gpus: Int) throws(DescriptionError) -> ModelShard {
    guard (1...1024).contains(gpus) else {
      throw .invalidSetting(
        path: "tensor-parallel-size", value: "\(gpus)", expected: "1...1024, such as 1, 2, 4")
    }
    func split(_ value: Int, _ field: String) throws(DescriptionError) -> Int {
      guard value.isMultiple(of: gpus) else {
        throw .indivisible(
          model: name, field: field, value: value, gpus: gpus,
          expected: "a group whose size divides \(value)")
      }
      return value / gpus
    }
    let heads = try split(self.heads, "num_attention_heads")
    let intermediate = try split(self.intermediate, "intermediate_size")
    let expertIntermediate = try split(self.expertIntermediate, "the width of an expert")
    let replicates = keyValueHeads < gpus
    guard replicates ? gpus.isMultiple(of: keyValueHeads) : keyValueHeads.isMultiple(of: gpus) else {
      throw .indivisible(
        model: name, field: "num_key_value_heads", value: keyValueHeads, gpus: gpus,
        expected: "a group whose size divides \(keyValueHeads) or is a multiple of it")
    }
    let keyValueHeads = max(1, self.keyValueHeads / gpus)
    let vocabulary = (self.vocabulary + gpus - 1) / gpus

    let bytesPerExpert =
      expertFormat.bytes(rows: 2 * expertIntermediate, columns: hidden)
      + expertFormat.bytes(rows: hidden, columns: expertIntermediate)
    let projected = (heads + 2 * keyValueHeads) * headDim
    let hasDenseBias = hasMLPBias && !isMixtureOfExperts
    let denseMLP =
      formats.dense.bytes(rows: 2 * intermediate, columns: hidden)
      + formats.dense.bytes(rows: hidden, columns: intermediate)
      + (hasDenseBias ? 2 * (2 * intermediate + hidden) : 0)
    let queryKeyNorm = queryKeyNormParameters(heads: heads, keyValueHeads: keyValueHeads)
    return ModelShard(
      model: self,
      gpus: gpus,
      heads: heads,
      keyValueHeads: keyValueHeads,
      replicatesKeyValueHeads: replicates,
      intermediate: intermediate,
      expertIntermediate: expertIntermediate,
      vocabulary: vocabulary,
      bytesPerExpert: bytesPerExpert,
      expertBytesPerLayer: experts * bytesPerExpert,
      queryKeyValueBytes: formats.queryKeyValue.bytes(rows: projected, columns: hidden)
        + (hasQueryKeyValueBias ? 2 * projected : 0),
      outputBytes: formats.output.bytes(rows: hidden, columns: heads * headDim)
        + (hasOutputBias ? 2 * hidden : 0),
      routerBytes: 2 * (experts * hidden + (hasMLPBias ? experts : 0) + (hasRoutingBias ? experts : 0)),
      denseMLPBytes: denseMLP,
      normBytes: 2 * (2 * hidden + queryKeyNorm + (hasAttentionSinks ? heads : 0)),
      expertBiasBytes: hasMLPBias ? 2 * experts * (2 * expertIntermediate + hidden) : 0,
      embeddingBytes: 2 * vocabulary * hidden,
      headBytes: 2 * vocabulary * hidden,
      keyValueBytesPerTokenAndLayer: 2 * formats.keyValues.bytes(rows: keyValueHeads, columns: headDim))
  }
}
