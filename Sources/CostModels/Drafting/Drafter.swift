import Serving
import Systems

/// What makes the drafts that a step of speculative decoding verifies.
///
/// After the step it runs once over the rows that have passed the last layer, for the first draft and for its own KV
/// entries, and then once over a row of each sequence for every further draft. All passes are layers like any others;
/// what their input needs beside is ``products``.
public struct Drafter: Sendable {
  /// A matrix product on the way into the draft layers.
  struct Product: Sendable {
    var shape: MatrixProduct.Shape
    /// Whether it runs in the first pass alone.
    var isOnce: Bool
  }

  /// The draft layers as a model of their own, on the GPUs of the model that they draft for.
  public let system: ServedSystem
  /// How tokens choose experts in the draft layers; `nil` without experts.
  public let routing: ExpertRouting?
  /// Drafts of each sequence in a step.
  public let drafts: Int
  /// Bytes of weights on each GPU that the served model does not have anyway.
  public let weightBytes: Int
  let products: [Product]
  /// Bytes of the layers' weights on each GPU that are the served model's own.
  private let sharedBytes: Int

  /// Bytes of keys and values that one token adds on each GPU.
  public var keyValueBytesPerToken: Int { system.shard.keyValueBytesPerToken }

  /// Bytes of states that a sequence keeps on each GPU in layers without attention.
  public var stateBytesPerSequence: Int { system.shard.stateBytesPerSequence }

  private init(
    _ model: ModelDescription, beside target: ServedSystem, drafts: Int, products: [Product],
    routing: ExpertRouting?, shared: (ModelShard) -> Int = { _ in 0 }
  ) throws(DescriptionError) {
    var engine = target.engine
    // The host has prepared the step; what is left is to launch the layers.
    let host = engine.host
    engine.host = HostOverhead()
    engine.host.eagerLayerMicroseconds = host.eagerLayerMicroseconds
    engine.host.eagerLaunchMicroseconds = host.eagerLaunchMicroseconds
    engine.host.graphLayerMicroseconds = host.graphLayerMicroseconds
    engine.repeatsEmbeddingAndHead = false
    system = try ServedSystem(
      model: model, hardware: target.hardware, engine: engine, tensorParallel: target.shard.gpus,
      expertParallel: model.isMixtureOfExperts ? target.shard.expertRanks : 1)
    self.routing = routing
    self.drafts = drafts
    self.products = products
    sharedBytes = shared(system.shard)
    weightBytes =
      system.shard.weightBytes - sharedBytes
      + products.reduce(0) { $0 + $1.shape.weightBytes }
  }

  /// EAGLE-3: one dense layer with the target's attention.
  ///
  /// Its projections read embedding and hidden state side by side. The hidden states of three layers are projected once a step; the LM head is of a smaller vocabulary.
  ///
  /// - Parameters:
  ///   - target: the model that it drafts for.
  ///   - drafts: drafts of each sequence in a step.
  ///   - intermediate: width of the layer's MLP.
  ///   - vocabulary: tokens that it can draft.
  /// - Returns: the drafter.
  /// - Throws: if the layer cannot be split over the GPUs, or the model has latent attention.
  public static func eagle3(
    for target: ServedSystem, drafts: Int, intermediate: Int, vocabulary: Int
  ) throws(DescriptionError) -> Drafter {
    let model = target.shard.model
    guard model.latent == nil, model.compressed == nil, model.stateSpace == nil else {
      throw .mismatch(
        "EAGLE-3 beside latent or compressed attention or Mamba-2, as \(model.name) has it, is not known "
          + "here"
      )
    }
    var layer = target.shard.model.lastLayer
    (layer.experts, layer.topK, layer.expertIntermediate) = (0, 0, 0)
    (layer.hasDenseMLP, layer.sharedWidth, layer.hasSharedGate) = ([true], 0, false)
    layer.hasOutputGate = false
    layer.intermediate = intermediate
    layer.vocabulary = vocabulary
    layer.hasTiedEmbeddings = false
    (layer.hasAttentionSinks, layer.hasMLPBias, layer.hasRoutingBias) = (false, false, false)
    (layer.hasQueryKeyValueBias, layer.hasOutputBias, layer.queryKeyNorm) = (false, false, .none)
    layer.formats = MatrixFormats()
    layer.formats.keyValues = target.shard.model.formats.keyValues
    let hidden = layer.hidden
    let shard = target.shard
    return try Drafter(
      layer, beside: target, drafts: drafts,
      products: [
        Product(shape: .init(n: hidden, k: 3 * hidden), isOnce: true),
        // The other half of the projections' input.
        Product(
          shape: .init(n: (shard.heads + 2 * shard.keyValueHeads) * layer.headDim, k: hidden), isOnce: false),
      ], routing: nil, shared: { $0.embeddingBytes })
  }

  /// Multi-token prediction: one more layer of the model, experts included, behind a projection of embedding and hidden
  /// state; embedding and LM head are the model's own.
  ///
  /// - Parameters:
  ///   - target: the model that it drafts for.
  ///   - drafts: drafts of each sequence in a step; the one module makes them all.
  ///   - law: how tokens choose experts; nil, or counts of the model's layers, for what is published of the layer's model.
  /// - Returns: the drafter.
  /// - Throws: if the layer has no such routing.
  public static func multiTokenPrediction(
    for target: ServedSystem, drafts: Int, law: RoutingModel?
  ) throws -> Drafter {
    guard target.shard.model.stateSpace == nil else {
      throw DescriptionError.mismatch(
        "--speculative-config: method mtp is not known here for models with Mamba layers, of which \(target.shard.model.name) "
          + "is one; use ngram or draft_model")
    }
    let layer = target.shard.model.lastLayer
    return try Drafter(
      layer, beside: target, drafts: drafts,
      products: [Product(shape: .init(n: layer.hidden, k: 2 * layer.hidden), isOnce: false)],
      routing: layer.isMixtureOfExperts
        ? try ExpertRouting(.ofDrafts(layer, for: target.shard.model, law: law), for: layer) : nil,
      shared: { $0.embeddingBytes + ($0.model.hasTiedEmbeddings ? 0 : $0.headBytes) })
  }

  /// A smaller model with the same vocabulary.
  ///
  /// - Parameters:
  ///   - model: the smaller model.
  ///   - target: the model that it drafts for.
  ///   - drafts: drafts of each sequence in a step.
  ///   - law: how tokens choose experts; nil, or a law of the target's own experts, for what is published of the
  ///     smaller model.
  /// - Returns: the drafter.
  /// - Throws: if the vocabularies differ, or if the model cannot be split over the GPUs.
  public static func model(
    _ model: ModelDescription, for target: ServedSystem, drafts: Int, law: RoutingModel?
  ) throws -> Drafter {
    guard model.vocabulary == target.shard.model.vocabulary else {
      throw DescriptionError.mismatch(
        "\(model.name) cannot draft for \(target.shard.model.name): its vocabulary has \(model.vocabulary) tokens, "
          + "not \(target.shard.model.vocabulary)")
    }
    return try Drafter(
      model, beside: target, drafts: drafts, products: [],
      routing: model.isMixtureOfExperts
        ? try ExpertRouting(.ofDrafts(model, for: target.shard.model, law: law), for: model) : nil)
  }

  /// The same beside another system: other figures of the GPU or of the engine.
  ///
  /// - Parameter target: the system.
  /// - Returns: the drafter.
  /// - Throws: if the GPU's figures contradict each other.
  public func beside(_ target: ServedSystem) throws(DescriptionError) -> Drafter {
    let shared = sharedBytes
    return try Drafter(
      system.shard.model, beside: target, drafts: drafts, products: products, routing: routing,
      shared: { _ in shared })
  }
}

extension ModelDescription {
  /// One layer of the model that sees everything, or what an indexer picks, as a model.
  fileprivate var lastLayer: ModelDescription {
    var layer = self
    layer.layers = 1
    layer.windows = [latent?.indexer?.topK]
    layer.hasDenseMLP = [hasDenseMLP.last ?? !isMixtureOfExperts]
    layer.isRecurrent = [false]
    layer.delta = nil
    (layer.hasMixer, layer.hasFeedForward) = ([true], [true])
    (layer.windowedHeads, layer.denseWidths, layer.wideRecurrences) = (nil, nil, [])
    return layer
  }
}
