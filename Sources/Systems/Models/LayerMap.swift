/// The kinds of a model's layers, and which layer is of which kind.
public struct LayerMap: Sendable, Hashable {
  /// The different kinds, in the order of their first layers.
  public let kinds: [LayerKind]
  /// For each layer the position of its kind in ``kinds``.
  public let kindOfLayer: [Int]
  /// For each kind the layers of it before each layer and before the end.
  private let before: [[Int]]

  /// Creates the map of a list of layers.
  ///
  /// - Complexity: O(layers × kinds).
  public init(_ layers: [LayerKind]) {
    var kinds: [LayerKind] = []
    kindOfLayer = layers.map { layer in
      if let index = kinds.firstIndex(of: layer) { return index }
      kinds.append(layer)
      return kinds.count - 1
    }
    self.kinds = kinds
    before = kinds.indices.map { [kindOfLayer] kind in
      kindOfLayer.reduce(into: [0]) { $0.append($0[$0.count - 1] + ($1 == kind ? 1 : 0)) }
    }
  }

  /// Number of layers.
  public var count: Int { kindOfLayer.count }

  /// How many layers of a kind a range holds: one subtraction.
  public func count(of kind: Int, in layers: Range<Int>) -> Int {
    before[kind][layers.upperBound] - before[kind][layers.lowerBound]
  }
}

extension ModelDescription {
  /// The kind of a layer, with the sizes of the whole model.
  public func kind(ofLayer layer: Int) -> LayerKind {
    LayerKind(
      mixer: hasMixer[layer] ? mixer(ofLayer: layer) : .nothing,
      feedForward: hasFeedForward[layer] ? feedForward(ofLayer: layer) : .nothing)
  }

  private func mixer(ofLayer layer: Int) -> LayerKind.Mixer {
    if isRecurrent[layer], let delta { return .gatedDelta(delta) }
    if var stateSpace {
      stateSpace.isWide = wideRecurrences.contains(layer)
      if isRecurrent[layer] { return .stateSpace(stateSpace) }
      if !isRecurrent.contains(true) {
        return .stateSpaceBesideAttention(
          stateSpace, heads: heads, keyValueHeads: keyValueHeads, headDim: headDim)
      }
    }
    if let latent { return .latentAttention(latent) }
    if let compressed { return .compressedAttention(compressed) }
    var attention = windows[layer] == nil ? grouped : windowedHeads ?? grouped
    attention.window = windows[layer]
    return .attention(attention)
  }

  private func feedForward(ofLayer layer: Int) -> LayerKind.FeedForward {
    guard !hasDenseMLP[layer] else {
      let width = denseWidths?[layer] ?? intermediate
      return hasGatedMLP ? .dense(width: width) : .plain(width: width)
    }
    return .experts(
      count: experts, active: topK, width: expertIntermediate, shared: sharedWidth, format: expertFormat,
      isGated: hasGatedMLP, latent: expertLatent)
  }

  /// The heads of layers that attend to all tokens; and of the others, where ``windowedHeads`` says nothing else.
  public var grouped: GroupedAttention {
    GroupedAttention(
      heads: heads, keyValueHeads: keyValueHeads, headDim: headDim, valueDim: valueDim,
      projectsValues: projectsValues)
  }

  /// The kinds of all layers.
  public var layerMap: LayerMap { LayerMap((0..<layers).map(kind(ofLayer:))) }
}

extension ModelShard {
  /// This GPU's shares of the different kinds of layers, in the order of the model's ``ModelDescription/layerMap``.
  package var kinds: [LayerKind] {
    model.layerMap.kinds.map {
      $0.shared(by: gpus, expertRanks: expertRanks, dataParallel: dataParallel)
    }
  }
}
