extension ModelDescription {
  /// Matrices of an MLP: gate, up and down, or the last two.
  var matricesOfMLP: Int { hasGatedMLP ? 3 : 2 }

  /// Weights of one expert's matrices (gate if there is one, up, down), without biases.
  public var parametersPerExpert: Int { matricesOfMLP * (expertLatent ?? hidden) * expertIntermediate }

  /// Bytes of one expert's matrices on all GPUs together, without biases.
  public var bytesPerExpert: Int { bytesPerExpert(width: expertIntermediate) }

  /// Bytes of one expert's matrices, of which a GPU has so many columns and rows.
  func bytesPerExpert(width: Int) -> Int {
    let (outer, inner) = expertFormat.padded(hidden: expertLatent ?? hidden, intermediate: width)
    return expertFormat.bytes(rows: (matricesOfMLP - 1) * inner, columns: outer)
      + expertFormat.bytes(rows: outer, columns: inner)
  }

  /// Bytes of all experts' matrices of one layer, on all GPUs together.
  public var expertBytesPerLayer: Int { experts * bytesPerExpert }

  /// Weights of the whole model, biases, norms and attention sinks included.
  public var parameters: Int {
    layerParameters(experts: experts) + embeddingParameters
      + (hasTiedEmbeddings ? 0 : embeddingParameters) + hidden
  }

  /// Weights that one token passes through.
  ///
  /// - Parameter includingEmbedding: whether to count the input embedding, of which a token reads one row.
  ///   Model cards differ: Qwen3-30B-A3B's "3.3 B activated" counts it, gpt-oss-20b's "3.6 B" does not.
  /// - Returns: the number of weights.
  public func activeParameters(includingEmbedding: Bool) -> Int {
    layerParameters(experts: topK) + embeddingParameters + hidden
      + (includingEmbedding && !hasTiedEmbeddings ? embeddingParameters : 0)
  }

  /// Weights of the embedding table.
  var embeddingParameters: Int { vocabulary * hidden }

  /// Weights of all layers, of so many experts in each that has any.
  private func layerParameters(experts: Int) -> Int {
    let map = layerMap
    return map.kinds.indices.reduce(0) { sum, index in
      let kind = map.kinds[index]
      let layer = parameters(of: kind.mixer) + parameters(of: kind.feedForward, experts: experts)
      return sum + map.count(of: index, in: 0..<layers)
        * (layer + norms(of: kind) * hidden + (hasLayerScale ? 1 : 0))
    }
  }

  /// RMSNorms over the residual stream in a layer.
  package func norms(of kind: LayerKind) -> Int {
    norms / 2 * kind.halves + (kind.hasExperts ? normsBesideExperts : 0)
  }

  /// Weights of a layer's mixer.
  private func parameters(of mixer: LayerKind.Mixer) -> Int {
    switch mixer {
    case .latentAttention(let attention): return attention.parameters(hidden: hidden)
    case .compressedAttention(let attention): return attention.parameters(hidden: hidden)
    case .gatedDelta(let delta): return delta.parameters(hidden: hidden)
    case .stateSpace(let space): return space.parameters(hidden: hidden)
    case .nothing: return 0
    case .stateSpaceBesideAttention(let space, let heads, let keyValueHeads, let headDim):
      return space.parameters(hidden: hidden)
        + parameters(
          of: .attention(
            GroupedAttention(heads: heads, keyValueHeads: keyValueHeads, headDim: headDim)))
    case .attention(let attention):
      let outputs = projectedWidth(of: attention)
      return hidden * outputs + attention.outputWidth * hidden
        + (hasQueryKeyValueBias ? outputs : 0) + (hasOutputBias ? hidden : 0)
        + smallParameters(of: attention)
    }
  }

  /// Columns of the projection of queries, their gates if there are any, keys and values.
  package func projectedWidth(of attention: GroupedAttention) -> Int {
    attention.projectedWidth(hasGate: hasOutputGate)
  }

  /// Weights of one layer's query and key norms, and of its attention sinks.
  func smallParameters(of attention: GroupedAttention) -> Int {
    let hasSinks = hasAttentionSinks && (!hasSinksInWindowsAlone || attention.window != nil)
    let norm =
      switch queryKeyNorm {
      case .none: 0
      case .ofEachHead: 2 * attention.headDim
      case .ofAllHeads: (attention.heads + attention.keyValueHeads) * attention.headDim
      }
    return norm + (hasSinks ? attention.heads : 0)
  }

  /// Weights of a layer's MLP, or of its router, shared experts and so many routed ones.
  private func parameters(of feedForward: LayerKind.FeedForward, experts chosen: Int) -> Int {
    switch feedForward {
    case .dense(let width):
      return 3 * hidden * width + (hasMLPBias ? 2 * width + hidden : 0)
    case .plain(let width): return 2 * hidden * width + (hasMLPBias ? width + hidden : 0)
    case .nothing: return 0
    case .experts(_, _, _, let shared, _, _, let latent):
      return routerParameters + chosen
        * (parametersPerExpert + (hasMLPBias ? 2 * expertIntermediate + hidden : 0))
        + matricesOfMLP * hidden * shared + (hasSharedGate ? hidden : 0) + 2 * hidden * (latent ?? 0)
    }
  }
}

extension ModelDescription {
  /// Weights of a layer's router; 0 in a dense model.
  ///
  /// An MLP (ZAYA's) goes down to its width, through two square matrices, and to a score of each expert and one of none.
  package var routerParameters: Int {
    guard routerWidth > 0 else {
      return experts * hidden + (hasMLPBias ? experts : 0) + (hasRoutingBias ? experts : 0)
    }
    return routerProducts.reduce(0) { $0 + $1.n * $1.k }
  }

  /// Outputs and inputs of the router's products, in order.
  package var routerProducts: [(n: Int, k: Int)] {
    guard routerWidth > 0 else { return [(experts, hidden)] }
    return [
      (routerWidth, hidden), (routerWidth, routerWidth), (routerWidth, routerWidth),
      (experts + 1, routerWidth),
    ]
  }
}
