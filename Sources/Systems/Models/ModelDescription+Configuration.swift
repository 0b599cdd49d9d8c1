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
    let family = try Self.family(config)
    self.name = name
    layers = try config.integer("num_hidden_layers", in: 1...4096)
    hidden = try config.integer("hidden_size", in: Self.sizes)
    vocabulary = try config.integer("vocab_size", in: Self.sizes)
    heads = try config.integer("num_attention_heads", in: 1...65_536)
    keyValueHeads = try config.optionalInteger("num_key_value_heads", in: 1...65_536) ?? heads
    maxContext = try config.integer("max_position_embeddings", in: 1...(1 << 30))
    headDim = try Self.headDim(config, family: family, hidden: hidden, heads: heads)
    guard heads.isMultiple(of: keyValueHeads) else {
      throw .invalid(
        file: config.file, field: "num_key_value_heads", value: "\(keyValueHeads)",
        expected: "a divisor of num_attention_heads, \(heads)")
    }

    if let fields = family.expertFields {
      intermediate = 0
      experts = try config.integer(fields.count, in: 1...65_536)
      topK = try config.integer("num_experts_per_tok", in: 1...experts)
      expertIntermediate = try config.integer(fields.width, in: Self.sizes)
      try Self.requireExpertsInEveryLayer(config)
    } else {
      intermediate = try config.integer("intermediate_size", in: Self.sizes)
      (experts, topK, expertIntermediate) = (0, 0, 0)
    }

    let attentionBias = try config.optionalFlag("attention_bias") ?? (family == .gptOSS)
    hasQueryKeyValueBias = attentionBias || family == .qwen2
    hasOutputBias = attentionBias && family != .qwen2
    hasMLPBias = try config.optionalFlag("mlp_bias") ?? (family == .gptOSS)
    hasAttentionSinks = family == .gptOSS
    queryKeyNorm =
      switch family {
      case .qwen3, .qwen3MixtureOfExperts: .ofEachHead
      case .minimaxM2: .ofAllHeads
      default: .none
      }
    hasRoutingBias = family == .minimaxM2
    let isTied = try config.optionalFlag("tie_word_embeddings")
    let isWholeTied = try whole.optionalFlag("tie_word_embeddings")
    hasTiedEmbeddings = isTied ?? isWholeTied ?? false
    windows = try Self.windows(config, family: family, layers: layers)
    let quantisation = try CheckpointFormats([whole, config], folder: folder)
    formats = try MatrixFormats(
      quantisation, layers: 0..<layers, dense: experts > 0 ? 0..<0 : 0..<layers,
      routed: experts > 0 ? 0..<layers : 0..<0, shared: 0..<0)

    // Every product of sizes that is ever formed is a summand of this one, or a few bytes times it.
    let width = Double(max(intermediate, experts * expertIntermediate))
    let attention = 2 * Double(hidden) * Double(heads * headDim) * 2
    let total =
      Double(layers) * (3 * Double(hidden) * width + attention) + 2 * Double(vocabulary) * Double(hidden)
    guard total < 1e15 else {
      throw .malformed(
        file: config.file, line: nil,
        reason: "the sizes amount to \(total) parameters; expected fewer than 1e15")
    }
  }

  /// Bounds of any width or count of rows; no published model comes near.
  private static var sizes: ClosedRange<Int> { 1...(1 << 24) }

  /// The text model inside a model that also sees or hears: its `text_config`.
  private static func textModel(_ config: JSONObject) throws(JSONError) -> JSONObject {
    try config.optionalObject("text_config") ?? config
  }

  private static func family(_ config: JSONObject) throws(JSONError) -> ModelFamily {
    let expected = "one of " + ModelFamily.allCases.map(\.rawValue).joined(separator: ", ")
    guard let type = try config.optionalText("model_type") else {
      throw .missing(file: config.file, field: "model_type", expected: expected)
    }
    guard let family = ModelFamily(rawValue: type) ?? ModelFamily.aliases[type] else {
      throw .invalid(file: config.file, field: "model_type", value: "'\(type)'", expected: expected)
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

  /// Layers of different kinds in one model are not described yet; better to say so than to be wrong.
  private static func requireExpertsInEveryLayer(_ config: JSONObject) throws(JSONError) {
    if let step = try config.optionalInteger("decoder_sparse_step", in: 0...4096), step != 1 {
      throw .invalid(
        file: config.file, field: "decoder_sparse_step", value: "\(step)",
        expected: "1: models that mix dense and expert layers are not supported")
    }
    if case .list(let layers)? = config.value("mlp_only_layers"), !layers.isEmpty {
      throw .invalid(
        file: config.file, field: "mlp_only_layers", value: "a list of \(layers.count)",
        expected: "[]: models that mix dense and expert layers are not supported")
    }
  }

  /// The window of each layer: from `layer_types` where given, else from the families' older fields.
  private static func windows(
    _ config: JSONObject, family: ModelFamily, layers: Int
  ) throws(JSONError) -> [Int?] {
    let full = [Int?](repeating: nil, count: layers)
    let window = try config.optionalInteger("sliding_window", in: 1...(1 << 30))
    if let types = try config.optionalTexts("layer_types") {
      guard types.count == layers else {
        throw .invalid(
          file: config.file, field: "layer_types", value: "a list of \(types.count)",
          expected: "one entry for each of the \(layers) layers")
      }
      var windows = full
      for (layer, type) in types.enumerated() {
        switch type {
        case "full_attention": break
        case "sliding_attention":
          guard let window else {
            throw config.missing("sliding_window", expected: "the window of layer \(layer)")
          }
          windows[layer] = window
        default:
          throw .invalid(
            file: config.file, field: "layer_types[\(layer)]", value: "'\(type)'",
            expected: "'full_attention' or 'sliding_attention'; other kinds of layers are not supported")
        }
      }
      return windows
    }
    guard let window else { return full }
    switch family {
    case .mistral, .mixtral:
      return Array(repeating: window, count: layers)
    case .gptOSS:
      // transformers' GptOssConfig: every other layer, beginning with the first.
      return (0..<layers).map { $0.isMultiple(of: 2) ? window : nil }
    case .qwen2, .qwen3, .qwen3MixtureOfExperts:
      guard try config.optionalFlag("use_sliding_window") ?? false else { return full }
      let firstWindowed = try config.optionalInteger("max_window_layers", in: 0...4096) ?? layers
      return (0..<layers).map { $0 >= firstWindowed ? window : nil }
    case .llama, .minimaxM2:
      return full
    }
  }
}
