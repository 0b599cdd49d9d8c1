import Foundation
import Support

extension ModelDescription {
  /// Reads a Hugging Face `config.json` of one of the families in ``ModelFamily``.
  ///
  /// The model is named after the file, or after its folder where the file is called `config.json`. Fields that
  /// say nothing about time or memory (token ids, dropout, rotary parameters) are not read.
  ///
  /// - Throws: ``DescriptionError``, naming file and field.
  public init(contentsOf url: URL) throws(DescriptionError) {
    let stem = url.deletingPathExtension().lastPathComponent
    let name = stem == "config" ? url.deletingLastPathComponent().lastPathComponent : stem
    do {
      let config = try JSONReader.object(path: url.relativePath, allowsInfinity: true)
      try self.init(name: name, config: config, folder: url.deletingLastPathComponent())
    } catch {
      throw DescriptionError(error)
    }
  }

  init(name: String, config whole: JSONObject, folder: URL?) throws(JSONError) {
    let config = try Self.textModel(whole)
    let family = try Self.family(config, of: whole)
    self.name = name
    layers = try Self.layerCount(config)
    hidden = try config.integer("hidden_size", in: Self.sizes)
    vocabulary = try config.integer("vocab_size", in: Self.sizes)
    // A model of recurrences alone has no heads of attention, and no limit on positions.
    heads = family == .mamba2 ? 1 : try config.integer("num_attention_heads", in: 1...65_536)
    let blocks = family == .nemotronNAS ? try SearchedLayers(config, layers: layers, hidden: hidden) : nil
    let stated = try config.optionalInteger("num_key_value_heads", in: 1...65_536)
    keyValueHeads = blocks.map { [heads] in heads / $0.queriesOfHead } ?? stated ?? heads
    maxContext =
      family == .mamba2 ? 1 << 20 : try config.integer("max_position_embeddings", in: 1...(1 << 30))
    let stateSpaceLayers =
      family.hasStateSpace
      ? try StateSpaceLayers(config, family: family, layers: layers, hidden: hidden) : nil
    stateSpace = stateSpaceLayers?.space
    hasMixer = stateSpaceLayers?.hasMixer ?? blocks?.hasAttention ?? Array(repeating: true, count: layers)
    hasFeedForward = stateSpaceLayers?.hasFeedForward ?? Array(repeating: true, count: layers)
    hasGatedMLP = family != .nemotronH
    latent = family.isLatent ? try Self.latentAttention(config, heads: heads) : nil
    if let latent {
      headDim = latent.nope + latent.rope
    } else {
      headDim = try Self.headDim(config, family: family, hidden: hidden, heads: heads)
    }
    guard heads.isMultiple(of: keyValueHeads) else {
      throw .invalid(
        file: config.file, field: "num_key_value_heads", value: "\(keyValueHeads)",
        expected: "a divisor of num_attention_heads, \(heads)")
    }
    (hasDenseMLP, intermediate) =
      if let blocks {
        (Array(repeating: true, count: layers), blocks.widths.max() ?? 0)
      } else if family == .nemotronH, let kinds = stateSpaceLayers {
        (
          kinds.hasExperts.map(!),
          kinds.hasPlainMLP ? try config.integer("intermediate_size", in: Self.sizes) : 0
        )
      } else {
        try Self.denseMLPs(config, family: family, layers: layers)
      }
    denseWidths = blocks?.widths
    if let fields = family.expertFields, hasDenseMLP.contains(false) {
      experts = try config.integer(fields.count, in: 1...65_536)
      topK = try config.integer(
        family == .gemma4 ? "top_k_experts" : "num_experts_per_tok", in: 1...experts)
      // Families whose routers know groups are those of DeepSeek's names.
      expertGroups =
        fields.count == "n_routed_experts" ? try ExpertGroups(config, experts: experts, topK: topK) : nil
      expertIntermediate = try config.integer(fields.width, in: Self.sizes)
      sharedWidth = try Self.sharedWidth(config, family: family, expertWidth: expertIntermediate)
      expertLatent =
        family == .nemotronH ? try config.optionalInteger("moe_latent_size", in: Self.sizes) : nil
      // Router, experts on the way in and out, and the MLP on the way out each have one.
      normsBesideExperts = family == .gemma4 ? 4 : 0
    } else {
      (experts, topK, expertIntermediate) = (0, 0, 0)
    }
    routerWidth =
      family == .zaya ? try config.optionalInteger("router_hidden_size", in: Self.sizes) ?? 256 : 0
    compressed =
      family == .zaya
      ? try Self.compressedAttention(
        config, heads: heads, keyValueHeads: keyValueHeads, headDim: headDim) : nil
    hasSharedGate =
      sharedWidth > 0 && (family.isHybrid || family == .qwen2MixtureOfExperts)

    let attentionBias = try config.optionalFlag("attention_bias") ?? (family == .gptOSS)
    let isQwen2 = family == .qwen2 || family == .qwen2MixtureOfExperts
    hasQueryKeyValueBias = attentionBias || isQwen2
    hasOutputBias = attentionBias && !isQwen2 && family != .glm4MixtureOfExperts
    hasMLPBias = try config.optionalFlag("mlp_bias") ?? (family == .gptOSS)
    let sinks =
      try config.optionalFlag("add_full_attention_sink_bias") ?? false
    let windowSinks = try config.optionalFlag("add_swa_attention_sink_bias") ?? false
    hasAttentionSinks = family == .gptOSS || family == .mimoV2 && (sinks || windowSinks)
    hasSinksInWindowsAlone = family == .mimoV2 && !sinks
    let hasNorm = family == .glm4MixtureOfExperts ? try config.optionalFlag("use_qk_norm") ?? false : false
    queryKeyNorm = hasNorm ? .ofEachHead : family.queryKeyNorm
    let routingBias = try config.optionalFlag("use_moe_router_bias") ?? family.hasRoutingBias
    hasRoutingBias = experts > 0 && routingBias
    hasLayerScale = family == .gemma4
    // Qwen3-Next's has one that its configuration does not list.
    hasDraftLayer = family == .qwen3Next
    for field in ["num_nextn_predict_layers", "mtp_num_hidden_layers", "num_mtp_modules"] {
      if try config.optionalInteger(field, in: 0...4096) ?? 0 > 0 { hasDraftLayer = true }
    }
    hasOutputGate = family.isHybrid ? try config.optionalFlag("attn_output_gate") ?? true : false
    norms = family.hasFourNorms ? 4 : 2
    let isTied = try config.optionalFlag("tie_word_embeddings")
    let isWholeTied = try whole.optionalFlag("tie_word_embeddings")
    hasTiedEmbeddings = isTied ?? isWholeTied ?? family.isTied
    if let stateSpaceLayers {
      (windows, isRecurrent) = (Array(repeating: nil, count: layers), stateSpaceLayers.isRecurrent)
    } else {
      (windows, isRecurrent) = try Self.mixers(config, family: family, layers: layers)
    }
    if let topK = latent?.indexer?.topK { windows = Array(repeating: topK, count: layers) }
    delta = isRecurrent.contains(true) && stateSpace == nil ? try Self.gatedDelta(config) : nil
    let quantisation = try CheckpointFormats([whole, config], folder: folder)
    let indices = Array(0..<layers)
    let (recurrent, dense) = (isRecurrent, hasDenseMLP)
    guard stateSpace == nil || quantisation == nil || family == .nemotronH else {
      throw .invalid(
        file: config.file, field: "quantization_config", value: "given",
        expected: "16-bit weights: which matrices of such layers are quantised is not read")
    }
    let (mixes, computes) = (hasMixer, hasFeedForward)
    (formats, wideRecurrences) = try MatrixFormats.read(
      quantisation,
      attention: indices.filter { mixes[$0] && !recurrent[$0] }, isLatent: latent != nil,
      recurrent: indices.filter { recurrent[$0] }, mayDiffer: stateSpace != nil,
      dense: indices.filter { computes[$0] && dense[$0] }, routed: indices.filter { !dense[$0] },
      shared: sharedWidth > 0 ? indices.filter { !dense[$0] } : [], sharedAreMLPs: family == .gemma4,
      latents: expertLatent == nil ? [] : indices.filter { !dense[$0] }, isTied: hasTiedEmbeddings)
    try readHeadsOfKinds(config, family: family)

    let kinds = layerMap.kinds.count
    guard kinds <= Self.mostKinds else {
      throw .malformed(
        file: config.file, line: nil,
        reason: "layers are of \(kinds) kinds; expected up to \(Self.mostKinds): steps are priced by kind")
    }

    // Every product of sizes that is ever formed is a summand of this one, or a few bytes times it.
    let width = Double(max(intermediate, experts * expertIntermediate + sharedWidth))
    let attention = 2 * Double(hidden) * Double(heads * headDim) * 2
    let total =
      Double(layers) * (3 * Double(hidden) * width + attention) + 2 * Double(vocabulary) * Double(hidden)
    guard total < 1e15 else {
      throw .malformed(
        file: config.file, line: nil,
        reason: "the sizes amount to \(total) parameters; expected fewer than 1e15")
    }
  }

  /// Kinds of layers that prices are kept for.
  private static let mostKinds = 8

  /// The number of layers: some files list their kinds alone.
  private static func layerCount(_ config: JSONObject) throws(JSONError) -> Int {
    guard config.value("num_hidden_layers") == nil, let types = try config.optionalTexts("layers_block_type"),
      (1...4096).contains(types.count)
    else { return try config.integer("num_hidden_layers", in: 1...4096) }
    return types.count
  }

  /// Bounds of any width or count of rows; no published model comes near.
  static var sizes: ClosedRange<Int> { 1...(1 << 24) }

  /// The text model inside a model that also sees or hears: its `text_config`.
  private static func textModel(_ config: JSONObject) throws(JSONError) -> JSONObject {
    try config.optionalObject("text_config") ?? config
  }

  private static func family(_ config: JSONObject, of whole: JSONObject) throws(JSONError) -> ModelFamily {
    let expected = "one of " + ModelFamily.allCases.map(\.rawValue).joined(separator: ", ")
    let (own, outer) = (try config.optionalText("model_type"), try whole.optionalText("model_type"))
    guard let type = own ?? outer else {
      throw .missing(file: config.file, field: "model_type", expected: expected)
    }
    guard let family = ModelFamily(rawValue: type) ?? ModelFamily.aliases[type] else {
      let obstacle = ModelFamily.obstacle(type).map { " (\($0))" } ?? ""
      throw .invalid(
        file: config.file, field: "model_type", value: "'\(type)'\(obstacle)", expected: expected)
    }
    return family
  }

  private static func headDim(
    _ config: JSONObject, family: ModelFamily, hidden: Int, heads: Int
  ) throws(JSONError) -> Int {
    if let headDim = try config.optionalInteger("head_dim", in: 1...65_536) ?? family.headDim {
      return headDim
    }
    guard hidden.isMultiple(of: heads) else {
      throw .invalid(
        file: config.file, field: "hidden_size", value: "\(hidden)",
        expected: "a multiple of num_attention_heads, \(heads), or a field head_dim beside it")
    }
    return hidden / heads
  }
}
