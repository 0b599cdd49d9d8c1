import Support

extension ModelDescription {
  /// Which layers have a dense MLP where others have experts, and how wide it is; 0 if none has one.
  static func denseMLPs(
    _ config: JSONObject, family: ModelFamily, layers: Int
  ) throws(JSONError) -> (isDense: [Bool], width: Int) {
    if family == .mamba2 { return (Array(repeating: true, count: layers), 0) }
    if family == .graniteHybrid {
      // Without experts, what would be shared beside them is the MLP.
      let shared = try config.integer("shared_intermediate_size", in: sizes)
      let count = try config.optionalInteger("num_local_experts", in: 0...65_536) ?? 0
      guard count == 0 else { return (Array(repeating: false, count: layers), 0) }
      return (Array(repeating: true, count: layers), shared)
    }
    if family == .gemma4, try config.optionalFlag("enable_moe_block") == true {
      // The dense MLP of each layer runs beside its experts.
      return (Array(repeating: false, count: layers), 0)
    }
    // A Jamba with one expert has MLPs.
    let least = family == .jamba ? 1 : 0
    let count = try config.optionalInteger("num_experts", in: least...65_536) ?? 16
    let isDenseJamba = family == .jamba && count < 2
    guard family.expertFields != nil, family != .gemma4, !isDenseJamba else {
      return (Array(repeating: true, count: layers), try config.integer("intermediate_size", in: sizes))
    }
    var isDense = Array(repeating: false, count: layers)
    if let first = try config.optionalInteger("first_k_dense_replace", in: 0...layers) {
      for layer in 0..<first { isDense[layer] = true }
    }
    if family == .jamba {
      let period = try config.optionalInteger("expert_layer_period", in: 1...4096) ?? 2
      let offset = try config.optionalInteger("expert_layer_offset", in: 0...period - 1) ?? min(1, period - 1)
      for layer in 0..<layers where layer % period != offset { isDense[layer] = true }
    }
    if case .list(let flags)? = config.value("moe_layer_freq") {
      guard flags.count == layers, flags.allSatisfy({ $0 == .integer(0) || $0 == .integer(1) }) else {
        throw .invalid(
          file: config.file, field: "moe_layer_freq", value: "a list of \(flags.count)",
          expected: "0 or 1 for each of the \(layers) layers")
      }
      for layer in 0..<layers where flags[layer] == .integer(0) { isDense[layer] = true }
    } else if let step = try config.optionalInteger("moe_layer_freq", in: 1...4096) {
      for layer in 0..<layers where layer % step != 0 { isDense[layer] = true }
    }
    for field in ["decoder_sparse_step", "interleave_moe_layer_step"] {
      guard let step = try config.optionalInteger(field, in: 1...4096) else { continue }
      for layer in 0..<layers where (layer + 1) % step != 0 { isDense[layer] = true }
    }
    if case .list(let only)? = config.value("mlp_only_layers") {
      for (index, value) in only.enumerated() {
        guard case .integer(let layer) = value, (0..<layers).contains(layer) else {
          throw config.invalid(
            "mlp_only_layers[\(index)]", value, expected: "the number of a layer, 0 to \(layers - 1)")
        }
        isDense[layer] = true
      }
    }
    guard isDense.contains(false) else {
      throw .invalid(
        file: config.file, field: family.expertFields?.count ?? "", value: "experts, but in no layer",
        expected: "fields that leave some layers to experts")
    }
    guard isDense.contains(true) else { return (isDense, 0) }
    let field = family == .llama4 ? "intermediate_size_mlp" : "intermediate_size"
    return (isDense, try config.integer(field, in: sizes))
  }

  /// The width of the MLP that every token passes beside its experts; 0 without.
  static func sharedWidth(
    _ config: JSONObject, family: ModelFamily, expertWidth: Int
  ) throws(JSONError) -> Int {
    switch family {
    case .llama4: return expertWidth
    case .jamba: return 0
    case .gemma4: return try config.integer("intermediate_size", in: sizes)
    case .step3: return try config.optionalInteger("share_expert_dim", in: 0...(1 << 24)) ?? 0
    case .nemotronH:
      guard try config.optionalInteger("n_shared_experts", in: 0...1) != 0 else { return 0 }
      return try config.optionalInteger("moe_shared_expert_intermediate_size", in: 0...(1 << 24)) ?? 0
    case .qwen2MixtureOfExperts, .qwen3Next, .qwen35MixtureOfExperts:
      return try config.optionalInteger("shared_expert_intermediate_size", in: 0...(1 << 24)) ?? 0
    case .minimaxM2, .graniteHybrid:
      return try config.optionalInteger("shared_intermediate_size", in: 0...(1 << 24)) ?? 0
    default:
      return try expertWidth * (config.optionalInteger("n_shared_experts", in: 0...64) ?? 0)
    }
  }

  /// The latent attention of DeepSeek's models and their kin.
  static func latentAttention(_ config: JSONObject, heads: Int) throws(JSONError) -> LatentAttention {
    var attention = LatentAttention(
      heads: heads, queryRank: try config.optionalInteger("q_lora_rank", in: sizes),
      latent: try config.integer("kv_lora_rank", in: sizes),
      nope: try config.integer("qk_nope_head_dim", in: 1...65_536),
      rope: try config.integer("qk_rope_head_dim", in: 1...65_536),
      value: try config.integer("v_head_dim", in: 1...65_536))
    if let topK = try config.optionalInteger("index_topk", in: 1...(1 << 30)) {
      attention.indexer = Indexer(
        heads: try config.integer("index_n_heads", in: 1...65_536),
        headDim: try config.integer("index_head_dim", in: 1...65_536), topK: topK)
    }
    return attention
  }

  /// The compressed attention of ZAYA1, as transformers 5 writes it; older files count its two halves of a layer as two layers.
  static func compressedAttention(
    _ config: JSONObject, heads: Int, keyValueHeads: Int, headDim: Int
  ) throws(JSONError) -> CompressedAttention {
    guard config.value("zaya_layers") == nil, config.value("num_query_groups") == nil else {
      throw .invalid(
        file: config.file, field: "zaya_layers or num_query_groups", value: "of an older format",
        expected:
          "the format of transformers' ZayaConfig: layers with num_key_value_heads and moe_intermediate_size")
    }
    return CompressedAttention(
      heads: heads, keyValueHeads: keyValueHeads, headDim: headDim,
      channelTaps: try config.optionalInteger("cca_time0", in: 1...64) ?? 2,
      headTaps: try config.optionalInteger("cca_time1", in: 1...64) ?? 2)
  }

  /// The recurrence of the layers without attention.
  static func gatedDelta(_ config: JSONObject) throws(JSONError) -> GatedDelta {
    let delta = GatedDelta(
      keyHeads: try config.integer("linear_num_key_heads", in: 1...65_536),
      valueHeads: try config.integer("linear_num_value_heads", in: 1...65_536),
      keyDim: try config.integer("linear_key_head_dim", in: 1...65_536),
      valueDim: try config.integer("linear_value_head_dim", in: 1...65_536),
      kernel: try config.optionalInteger("linear_conv_kernel_dim", in: 1...64) ?? 4)
    guard delta.valueHeads.isMultiple(of: delta.keyHeads) else {
      throw .invalid(
        file: config.file, field: "linear_num_value_heads", value: "\(delta.valueHeads)",
        expected: "a multiple of linear_num_key_heads, \(delta.keyHeads)")
    }
    return delta
  }

  /// The window of each layer, and whether it is a recurrence: from `layer_types` where given, else from the families'
  /// older fields.
  static func mixers(
    _ config: JSONObject, family: ModelFamily, layers: Int
  ) throws(JSONError) -> (windows: [Int?], isRecurrent: [Bool]) {
    guard let types = try config.optionalTexts("layer_types") else {
      let windows = try olderWindows(config, family: family, layers: layers)
      guard family.isHybrid else { return (windows, Array(repeating: false, count: layers)) }
      let interval = try config.integer("full_attention_interval", in: 1...4096)
      return (windows, (0..<layers).map { ($0 + 1) % interval != 0 })
    }
    guard types.count == layers else {
      throw .invalid(
        file: config.file, field: "layer_types", value: "a list of \(types.count)",
        expected: "one entry for each of the \(layers) layers")
    }
    let window = try config.optionalInteger("sliding_window", in: 1...(1 << 30))
    let chunk = try config.optionalInteger("attention_chunk_size", in: 1...(1 << 30))
    var windows = [Int?](repeating: nil, count: layers)
    var isRecurrent = Array(repeating: false, count: layers)
    for (layer, type) in types.enumerated() {
      switch type {
      case "full_attention": break
      case "hybrid" where family == .zaya: break
      case "deepseek_sparse_attention" where family.isLatent: break
      case "linear_attention" where family.isHybrid: isRecurrent[layer] = true
      case "chunked_attention" where chunk != nil: windows[layer] = chunk
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
    guard isRecurrent.contains(false) else {
      throw .invalid(
        file: config.file, field: "layer_types", value: "no layer with attention",
        expected: "at least one with 'full_attention'")
    }
    return (windows, isRecurrent)
  }

  private static func olderWindows(
    _ config: JSONObject, family: ModelFamily, layers: Int
  ) throws(JSONError) -> [Int?] {
    let full = [Int?](repeating: nil, count: layers)
    if family == .llama4 {
      // Layers without rotary embedding see everything: every fourth, unless the file says which. The others see the tokens
      // of their own chunk: the window is the most that is.
      let chunk = try config.optionalInteger("attention_chunk_size", in: 1...(1 << 30))
      guard case .list(let rotary)? = config.value("no_rope_layers"), rotary.count == layers else {
        return (0..<layers).map { ($0 + 1) % 4 == 0 ? nil : chunk }
      }
      return rotary.map { $0 == .integer(0) ? nil : chunk }
    }
    guard let window = try config.optionalInteger("sliding_window", in: 1...(1 << 30)) else { return full }
    if family == .mimoV2 {
      guard case .list(let flags)? = config.value("hybrid_layer_pattern"), flags.count == layers else {
        throw config.missing(
          "hybrid_layer_pattern", expected: "1 for a window or 0 for each of the \(layers) layers")
      }
      return flags.map { $0 == .integer(0) ? nil : window }
    }
    switch family {
    case .mistral, .mixtral:
      return Array(repeating: window, count: layers)
    case .gptOSS:
      // transformers' GptOssConfig: every other layer, beginning with the first.
      return (0..<layers).map { $0.isMultiple(of: 2) ? window : nil }
    case .gemma3, .gemma4:
      let pattern = try config.optionalInteger("sliding_window_pattern", in: 1...4096) ?? 6
      return (0..<layers).map { ($0 + 1) % pattern == 0 ? nil : window }
    case .qwen2, .qwen3, .qwen3MixtureOfExperts, .qwen2MixtureOfExperts:
      guard try config.optionalFlag("use_sliding_window") ?? false else { return full }
      let firstWindowed = try config.optionalInteger("max_window_layers", in: 0...4096) ?? layers
      return (0..<layers).map { $0 >= firstWindowed ? window : nil }
    case .phi3:
      // As wide as the context in the published files, where it cuts nothing.
      return Array(repeating: window, count: layers)
    default:
      return full
    }
  }
}
