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
  /// Width of one head's value; nil where it is ``headDim``.
  public var valueDim: Int?
  /// Whether values have a projection of their own.
  public var projectsValues = true
  /// The heads of layers with a window, where they differ from those above; nil in other models.
  public var windowedHeads: GroupedAttention?
  /// Width of the dense gated MLP; 0 where all layers are mixtures of experts.
  public var intermediate: Int
  /// The width of each layer's dense MLP, where they differ; nil in other models.
  public var denseWidths: [Int]?
  /// Whether each layer's MLP is dense, and not a mixture of experts.
  public var hasDenseMLP: [Bool]
  /// Routed experts in each layer that has any; 0 in a dense model.
  public var experts: Int
  /// Experts that one token uses; 0 in a dense model.
  public var topK: Int
  /// Groups of experts that limit a token's choice; nil where it is free.
  public var expertGroups: ExpertGroups?
  /// Width of one expert's MLP; 0 in a dense model.
  public var expertIntermediate: Int
  /// Width that tokens are projected down to on their way into routed experts, and up from behind them; nil where experts see
  /// the residual stream.
  public var expertLatent: Int?
  /// Width of the MLP that routes tokens to experts; 0 where one product does.
  public var routerWidth = 0
  /// Width of the MLP that every token passes beside its experts: all shared experts together, or a dense MLP; 0 without.
  public var sharedWidth = 0
  /// RMSNorms more in layers with experts: where a dense MLP runs beside them, each has norms of its own.
  public var normsBesideExperts = 0
  /// Whether each layer's output is multiplied by one number.
  public var hasLayerScale = false
  /// Whether a gate of one number a token weighs the shared experts.
  public var hasSharedGate = false
  /// Attention over latent vectors, in place of the heads above; nil in models without.
  public var latent: LatentAttention?
  /// Attention in a compressed space, in place of that of the heads above, whose numbers are the same; nil in models without.
  public var compressed: CompressedAttention?
  /// The recurrence of the layers that have no attention; nil in models without.
  public var delta: GatedDelta?
  /// The Mamba-2 or Mamba-1 recurrence of the layers that have no attention or, if all have, beside it; nil in models without.
  public var stateSpace: StateSpace?
  /// The layers whose recurrence has projections in 16 bits, where others' are not.
  public var wideRecurrences: [Int] = []
  /// Whether each layer is a recurrence, and has no attention.
  public var isRecurrent: [Bool]
  /// Whether tokens see each other in each layer: half-layers have a mixer or an MLP.
  public var hasMixer: [Bool]
  /// Whether something is computed of each token in each layer.
  public var hasFeedForward: [Bool]
  /// Whether MLPs have a gate, those of experts among them.
  public var hasGatedMLP = true
  /// Whether attention's output is multiplied by a gate of its width, projected with the queries.
  public var hasOutputGate = false
  /// RMSNorms over the residual stream in each layer.
  public var norms = 2
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
  /// Whether the router has a learned number for each expert beside its scores: a bias, or a scale.
  public var hasRoutingBias: Bool
  /// Whether each query head has an attention sink, one learned logit.
  public var hasAttentionSinks: Bool
  /// Whether those are in layers with a window alone.
  public var hasSinksInWindowsAlone = false
  /// How many earlier tokens each layer attends to; nil where it attends to all.
  public var windows: [Int?]
  /// Whether the checkpoint is said to have a layer that makes drafts (multi-token prediction), which is not counted here.
  public var hasDraftLayer = false
  /// How the matrices are stored, and keys and values.
  public var formats: MatrixFormats
  /// The longest sequence, in tokens.
  public var maxContext: Int

  /// How the experts' matrices are stored.
  public var expertFormat: WeightFormat { formats.experts }

  /// Whether layers are mixtures of experts.
  public var isMixtureOfExperts: Bool { experts > 0 }

  /// Layers with routed experts.
  public var expertLayers: Int { hasDenseMLP.count { !$0 } }

  /// Layers with attention.
  public var attentionLayers: Int { (0..<layers).count { hasAttention(layer: $0) } }

  /// Layers that keep a state of each sequence, whatever its length.
  public var stateLayers: Int {
    delta == nil && stateSpace == nil
      ? 0 : isRecurrent.contains(true) ? isRecurrent.count { $0 } : layers
  }

  /// Whether prompts with the same beginning can share what is kept of it: keys and values alone, or states.
  public var sharesPrefixes: Bool { compressed == nil }

  /// Tokens of a chunk of its recurrence, at whose end a state can be kept; gated DeltaNet's kernels have 64.
  public var snapshotChunk: Int { stateSpace?.chunk ?? 64 }

  /// Whether a layer has attention.
  public func hasAttention(layer: Int) -> Bool { hasMixer[layer] && !isRecurrent[layer] }

  /// Layers that attend to a sliding window only.
  public var windowedLayers: Int { windows.count { $0 != nil } }

  /// The window of a layer in tokens; nil where it attends to all earlier tokens.
  public func window(layer: Int) -> Int? { windows[layer] }
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
