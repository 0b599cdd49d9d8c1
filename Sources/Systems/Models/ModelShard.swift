/// What one GPU of a tensor-parallel group holds of a model, in bytes.
///
/// Attention heads, expert and MLP widths and vocabulary rows are split; norms, routers, latent projections and compressed
/// attention are on every GPU. Every GPU holds its slice of every expert, or, with expert parallelism, a part of the experts.
/// With data parallelism there are several such groups, ranks, each of which has all but the experts; those are shared out
/// over the GPUs of all ranks.
public struct ModelShard: Sendable, Hashable {
  /// The whole model.
  public let model: ModelDescription
  /// GPUs that share it: those of one rank.
  public let gpus: Int
  /// Groups of GPUs that share out the experts: 1 without expert parallelism.
  public let expertRanks: Int
  /// Ranks that share the experts, each with sequences and KV memory of its own: 1 without data parallelism.
  public let dataParallel: Int
  /// Whether it holds the embedding; of a pipeline the first stage.
  public internal(set) var holdsEmbedding = true
  /// Whether it holds the final norm and the LM head; of a pipeline the last stage.
  public internal(set) var holdsHead = true
  /// Query heads on this GPU.
  public let heads: Int
  /// Key-value heads on this GPU.
  public let keyValueHeads: Int
  /// Whether there are fewer key-value heads than GPUs, so that several GPUs hold the same one.
  public let replicatesKeyValueHeads: Bool
  /// Width of the widest dense MLP on this GPU; 0 where all layers are mixtures of experts.
  public let intermediate: Int
  /// Width of one expert on this GPU; 0 in a dense model.
  public let expertIntermediate: Int
  /// Vocabulary rows on this GPU, rounded up.
  public let vocabulary: Int

  /// Bytes of this GPU's slice of one of its experts (gate if there is one, up, down), without biases.
  public let bytesPerExpert: Int
  /// Bytes of what this GPU holds of the experts of one layer that has any, without biases.
  public let expertBytesPerLayer: Int
  /// Bytes of one layer's router; 0 in a dense model.
  public let routerBytes: Int
  /// Bytes of one layer's expert biases; 0 where experts have none.
  public let expertBiasBytes: Int
  /// Bytes of the embedding table.
  public let embeddingBytes: Int
  /// Bytes of the LM head, which every iteration reads.
  ///
  /// Where embeddings are tied it is the embedding table, and takes no memory of its own.
  public let headBytes: Int

  /// All weights on this GPU, in bytes.
  public var weightBytes: Int {
    let map = model.layerMap
    let layers = zip(kinds, map.kinds.indices).reduce(0) { sum, kind in
      sum + map.count(of: kind.1, in: 0..<map.count) * bytes(of: kind.0)
    }
    let ends = (holdsEmbedding ? embeddingBytes : 0) + (holdsHead ? 2 * model.hidden : 0)
    // Tied embeddings are one table where both ends of the model are.
    let isShared = model.hasTiedEmbeddings && holdsEmbedding
    return layers + ends + (holdsHead && !isShared ? headBytes : 0)
  }

  /// Bytes of keys and values, or latent vectors, that one token adds in all layers.
  ///
  /// Sliding-window layers are counted like the others: vLLM-style block tables keep all tokens of a sequence. Latent
  /// vectors are on every GPU.
  public var keyValueBytesPerToken: Int {
    guard let windowed = model.windowedHeads else {
      return model.attentionLayers * keyValueBytesPerTokenAndLayer
    }
    return (model.attentionLayers - model.windowedLayers) * keyValueBytesPerTokenAndLayer
      + model.windowedLayers * windowed.shared(by: gpus).entryBytes(model.formats.keyValues)
  }

  /// Bytes of keys and values, or of the latent vector and the indexer's key, that one token adds in a layer with attention to
  /// all tokens, and in one with a window where the heads of those are the same.
  public var keyValueBytesPerTokenAndLayer: Int {
    let format = model.formats.keyValues
    guard let latent = model.latent else {
      var attention = model.grouped
      attention.keyValueHeads = keyValueHeads
      return attention.entryBytes(format)
    }
    guard let indexer = latent.indexer else { return format.bytes(rows: 1, columns: latent.entryWidth) }
    // In 8 bits the latent vector has four scales of 32 bits, and the rotary part stays in 16.
    let entry =
      format == .bf16 ? 2 * latent.entryWidth : latent.latent + 16 + 2 * latent.rope
    return entry + indexer.entryBytes
  }

  /// Bytes of states that a sequence keeps in the layers without attention, and beside keys and values in those with compressed
  /// attention, whatever its length.
  public var stateBytesPerSequence: Int {
    let map = model.layerMap
    return zip(kinds, map.kinds.indices).reduce(0) { sum, kind in
      let bytes =
        switch kind.0.mixer {
        case .gatedDelta(let delta): delta.cacheBytes
        case .stateSpace(let space), .stateSpaceBesideAttention(let space, _, _, _): space.cacheBytes
        case .compressedAttention(let attention): attention.stateBytes
        case .attention, .latentAttention, .nothing: 0
        }
      return sum + map.count(of: kind.1, in: 0..<model.layers) * bytes
    }
  }

  /// Activations that one token of an iteration needs at the peak, in bytes: an estimate.
  ///
  /// The peak is inside the MLP, whose buffers are alive beside the residual stream and one hidden state: in a
  /// fused mixture-of-experts call, for each of the token's k experts, the gate and up outputs (2i), their
  /// product (i) and the down output (h); in a dense MLP the same once. The attention's projection is counted
  /// as well, for engines whose allocator does not give its block back in between. 16 bits each.
  public var activationBytesPerToken: Int {
    let experts =
      model.topK * (model.matricesOfMLP * expertIntermediate + (model.expertLatent ?? model.hidden))
    let dense = intermediate > 0 ? 3 * intermediate + model.hidden : 0
    let mixers = kinds.map { kind in
      switch kind.mixer {
      case .attention(let attention): model.projectedWidth(of: attention)
      case .latentAttention(let latent): latent.downWidth + latent.queryWidth + latent.upWidth
      case .compressedAttention(let attention): attention.projectedWidth + 2 * attention.channels
      case .gatedDelta(let delta): delta.inputWidth + delta.channels
      case .stateSpace(let space): space.inputWidth + space.channels
      case .stateSpaceBesideAttention(let space, let heads, let keyValueHeads, let headDim):
        space.inputWidth + space.channels
          + model.projectedWidth(
            of: GroupedAttention(heads: heads, keyValueHeads: keyValueHeads, headDim: headDim))
      case .nothing: 0
      }
    }
    return 2 * (2 * model.hidden + (mixers.max() ?? 0) + max(experts, dense))
  }
}

extension ModelShard {
  /// Weights of a layer of one of this GPU's ``kinds``, in bytes.
  package func bytes(of kind: LayerKind) -> Int {
    denseBytes(of: kind) + (kind.hasExperts ? expertBytesPerLayer + expertBiasBytes : 0)
  }

  /// Weights of a layer that do not depend on which experts are used, in bytes.
  package func denseBytes(of kind: LayerKind) -> Int {
    mixerBytes(kind.mixer) + feedForwardBytes(kind.feedForward) + normBytes(of: kind)
  }

  /// Bytes of a layer's norms and of what else is no kernel's of its own: attention sinks, convolutions, gates.
  package func normBytes(of kind: LayerKind) -> Int {
    let mixer =
      switch kind.mixer {
      case .attention(let attention): model.smallParameters(of: attention)
      case .stateSpace(let space): space.otherParameters
      case .stateSpaceBesideAttention(let space, let heads, let keyValueHeads, _):
        space.otherParameters
          + model.smallParameters(
            of: GroupedAttention(heads: heads, keyValueHeads: keyValueHeads, headDim: model.headDim))
      case .nothing: 0
      case .latentAttention(let latent):
        (latent.queryRank ?? 0) + latent.latent + 2 * (latent.indexer?.headDim ?? 0)
      case .compressedAttention(let attention): attention.otherParameters
      case .gatedDelta(let delta): delta.channels * delta.kernel + delta.gateWidth + delta.valueDim
      }
    let gate = kind.hasExperts && model.hasSharedGate ? model.hidden : 0
    let scale = model.hasLayerScale ? 1 : 0
    return 2 * (model.norms(of: kind) * model.hidden + mixer + gate + scale)
  }

  private func mixerBytes(_ mixer: LayerKind.Mixer) -> Int {
    let formats = model.formats
    let hidden = model.hidden
    switch mixer {
    case .attention(let attention):
      let projected = model.projectedWidth(of: attention)
      return formats.queryKeyValue.bytes(rows: projected, columns: hidden)
        + (model.hasQueryKeyValueBias ? 2 * projected : 0)
        + formats.output.bytes(rows: hidden, columns: attention.outputWidth)
        + (model.hasOutputBias ? 2 * hidden : 0)
    case .latentAttention(let latent):
      let queries =
        latent.queryRank.map {
          formats.queryKeyValue.bytes(rows: latent.downWidth, columns: hidden)
            + formats.queryKeyValue.bytes(rows: latent.queryWidth, columns: $0)
        } ?? formats.queryKeyValue.bytes(rows: latent.queryWidth + latent.entryWidth, columns: hidden)
      return queries + formats.queryKeyValue.bytes(rows: latent.upWidth, columns: latent.latent)
        + formats.output.bytes(rows: hidden, columns: latent.heads * latent.value)
        + absorbedBytes(latent) + indexerBytes(latent)
    case .compressedAttention(let attention):
      return formats.queryKeyValue.bytes(rows: attention.projectedWidth, columns: hidden)
        + formats.output.bytes(rows: hidden, columns: attention.queryWidth)
        + 2 * attention.headConvolutionWeights
    case .nothing: return 0
    case .stateSpace(let space):
      let format = formats.recurrence(of: space)
      let steps = space.rank.map { space.stepWidth(rank: $0) * space.innerWidth + space.innerWidth * $0 }
      return format.bytes(rows: space.inputWidth, columns: hidden) + 2 * (steps ?? 0)
        + format.bytes(rows: hidden, columns: space.innerWidth)
    case .stateSpaceBesideAttention(let space, let heads, let keyValueHeads, let headDim):
      return mixerBytes(.stateSpace(space))
        + mixerBytes(
          .attention(GroupedAttention(heads: heads, keyValueHeads: keyValueHeads, headDim: headDim)))
    case .gatedDelta(let delta):
      return formats.recurrence.bytes(rows: delta.inputWidth, columns: hidden)
        + 2 * delta.gateWidth * hidden
        + formats.recurrence.bytes(rows: hidden, columns: delta.valueHeads * delta.valueDim)
    }
  }

  /// Bytes of the 16-bit copies of the up-projection that decode multiplies queries and outputs with; engines keep them
  /// beside the projection itself.
  package func absorbedBytes(_ latent: LatentAttention) -> Int { 2 * latent.upWidth * latent.latent }

  /// Bytes of the indexer's projections, which every GPU holds whole, in 16 bits.
  package func indexerBytes(_ latent: LatentAttention) -> Int {
    latent.indexer.map {
      2 * ($0.parameters(hidden: model.hidden, queryRank: latent.queryRank ?? model.hidden) - 2 * $0.headDim)
    } ?? 0
  }

  private func feedForwardBytes(_ feedForward: LayerKind.FeedForward) -> Int {
    let hidden = model.hidden
    func gated(_ width: Int, _ format: WeightFormat, isGated: Bool = true) -> Int {
      format.bytes(rows: isGated ? 2 * width : width, columns: hidden)
        + format.bytes(rows: hidden, columns: width)
    }
    switch feedForward {
    case .dense(let width):
      return gated(width, model.formats.dense) + (model.hasMLPBias ? 2 * (2 * width + hidden) : 0)
    case .plain(let width):
      return model.formats.dense.bytes(rows: width, columns: hidden)
        + model.formats.dense.bytes(rows: hidden, columns: width)
        + (model.hasMLPBias ? 2 * (width + hidden) : 0)
    case .nothing: return 0
    case .experts(_, _, _, let shared, _, let isGated, let latent):
      let projections = latent.map {
        model.formats.latents.bytes(rows: $0, columns: hidden)
          + model.formats.latents.bytes(rows: hidden, columns: $0)
      }
      return routerBytes + (projections ?? 0)
        + (shared > 0 ? gated(shared, model.formats.sharedExperts, isGated: isGated) : 0)
    }
  }
}
