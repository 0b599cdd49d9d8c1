/// The shape of a decoder-only transformer: what its `config.json` says, and what follows from it alone.
///
/// Per-GPU sizes come from ``shard(over:)``.
public struct ModelDescription: Sendable, Hashable {
  /// The name that results carry, such as `qwen3-30b-a3b`.
  public var name: String
  /// Transformer layers.
  public var layers: Int
  /// Width of the residual stream.
  public var hidden: Int
  /// Rows of the embedding table.
  public var vocabulary: Int
  /// Query heads.
  public var heads: Int
  /// Key-value heads; divides ``heads``.
  public var keyValueHeads: Int
  /// Width of one head.
  public var headDim: Int
  /// Width of the dense gated MLP; 0 where all layers are mixtures of experts.
  public var intermediate: Int
  /// Routed experts in each layer; 0 in a dense model.
  public var experts: Int
  /// Experts that one token uses; 0 in a dense model.
  public var topK: Int
  /// Width of one expert's gated MLP; 0 in a dense model.
  public var expertIntermediate: Int
  /// Whether the LM head is the embedding table.
  public var hasTiedEmbeddings: Bool
  /// Whether queries and keys pass an RMSNorm of their own.
  public var queryKeyNorm: QueryKeyNorm
  /// Whether the query, key and value projections have biases.
  public var hasQueryKeyValueBias: Bool
  /// Whether the attention's output projection has a bias.
  public var hasOutputBias: Bool
  /// Whether router and MLP (each expert's, in a mixture) have biases.
  public var hasMLPBias: Bool
  /// Whether the router adds a learned bias to the scores of each expert.
  public var hasRoutingBias: Bool
  /// Whether each query head has an attention sink, one learned logit.
  public var hasAttentionSinks: Bool
  /// How many earlier tokens each layer attends to; nil where it attends to all.
  public var windows: [Int?]
  /// How the matrices are stored, and keys and values.
  public var formats: MatrixFormats
  /// The longest sequence, in tokens.
  public var maxContext: Int

  /// How the experts' matrices are stored.
  public var expertFormat: WeightFormat { formats.experts }

  /// Whether the layers are mixtures of experts.
  public var isMixtureOfExperts: Bool { experts > 0 }

  /// Layers that attend to a sliding window only.
  public var windowedLayers: Int { windows.count { $0 != nil } }

  /// The window of a layer in tokens; nil where it attends to all earlier tokens.
  public func window(layer: Int) -> Int? { windows[layer] }
}

extension ModelDescription {
  /// Weights of one expert's three matrices (gate, up, down), without biases.
  public var parametersPerExpert: Int { 3 * hidden * expertIntermediate }

  /// Bytes of one expert's three matrices on all GPUs together, without biases.
  public var bytesPerExpert: Int {
    expertFormat.bytes(rows: 2 * expertIntermediate, columns: hidden)
      + expertFormat.bytes(rows: hidden, columns: expertIntermediate)
  }

  /// Bytes of all experts' matrices of one layer, on all GPUs together.
  public var expertBytesPerLayer: Int { experts * bytesPerExpert }

  /// Weights of the whole model, biases, norms and attention sinks included.
  public var parameters: Int {
    layers * (attentionParameters + mlpParameters(experts: experts)) + embeddingParameters
      + (hasTiedEmbeddings ? 0 : embeddingParameters) + hidden
  }

  /// Weights that one token passes through.
  ///
  /// - Parameter includingEmbedding: whether to count the input embedding, of which a token reads one row.
  ///   Model cards differ: Qwen3-30B-A3B's "3.3 B activated" counts it, gpt-oss-20b's "3.6 B" does not.
  /// - Returns: the number of weights.
  public func activeParameters(includingEmbedding: Bool) -> Int {
    layers * (attentionParameters + mlpParameters(experts: topK)) + embeddingParameters + hidden
      + (includingEmbedding && !hasTiedEmbeddings ? embeddingParameters : 0)
  }

  /// Weights of the embedding table.
  var embeddingParameters: Int { vocabulary * hidden }

  /// Weights of one layer's attention and of its two RMSNorms.
  private var attentionParameters: Int {
    let outputs = (heads + 2 * keyValueHeads) * headDim
    return hidden * outputs + heads * headDim * hidden + 2 * hidden
      + (hasQueryKeyValueBias ? outputs : 0) + (hasOutputBias ? hidden : 0)
      + queryKeyNormParameters(heads: heads, keyValueHeads: keyValueHeads) + (hasAttentionSinks ? heads : 0)
  }

  /// Weights of one layer's query and key norms, with so many heads.
  func queryKeyNormParameters(heads: Int, keyValueHeads: Int) -> Int {
    switch queryKeyNorm {
    case .none: 0
    case .ofEachHead: 2 * headDim
    case .ofAllHeads: (heads + keyValueHeads) * headDim
    }
  }

  /// Weights of one layer's MLP, or of its router and that many experts.
  private func mlpParameters(experts count: Int) -> Int {
    guard isMixtureOfExperts else {
      return 3 * hidden * intermediate + (hasMLPBias ? 2 * intermediate + hidden : 0)
    }
    let router = experts * hidden + (hasMLPBias ? experts : 0) + (hasRoutingBias ? experts : 0)
    return router + count * (parametersPerExpert + (hasMLPBias ? 2 * expertIntermediate + hidden : 0))
  }
}

extension ModelDescription {
  /// The model with everything dequantised to 16 bits, as an engine serves it that has no kernels for quantised weights.
  public func dequantised() -> ModelDescription {
    var copy = self
    copy.formats = MatrixFormats()
    return copy
  }

  /// The model with keys and values in FP8.
  public func keepingKeyValuesInFP8() -> ModelDescription {
    var copy = self
    copy.formats.keyValues = .fp8
    return copy
  }

  /// The model with its sliding window in every layer; unchanged where no layer has one.
  public func windowedInEveryLayer() -> ModelDescription {
    guard let window = windows.compactMap({ $0 }).min() else { return self }
    var copy = self
    copy.windows = Array(repeating: window, count: layers)
    return copy
  }
}

/// An RMSNorm of queries and keys before the rotary embedding.
public enum QueryKeyNorm: Sendable, Hashable {
  /// There is none.
  case none
  /// One of each head's width, shared by the heads.
  case ofEachHead
  /// One over all heads of a token.
  case ofAllHeads
}
