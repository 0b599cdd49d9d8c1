import Support

/// Where families with Mamba-2 layers say which layer has what.
struct StateSpaceLayers {
  /// The recurrence.
  var space: StateSpace
  /// Whether each layer is the recurrence, and has no attention.
  var isRecurrent: [Bool]
  /// Whether each layer has a mixer at all, and an MLP: half-layers have one of them.
  var hasMixer: [Bool]
  var hasFeedForward: [Bool]
  /// Whether each half-layer is a mixture of experts.
  var hasExperts: [Bool]
  /// Whether some half-layer is an MLP.
  var hasPlainMLP: Bool { zip(hasFeedForward, hasExperts).contains { $0 && !$1 } }

  /// Reads what a family says.
  ///
  /// - Throws: `JSONError` where it is contradictory, or a layer is of a kind that has no law here.
  init(_ config: JSONObject, family: ModelFamily, layers: Int, hidden: Int) throws(JSONError) {
    hasMixer = Array(repeating: true, count: layers)
    hasFeedForward = Array(repeating: true, count: layers)
    hasExperts = Array(repeating: false, count: layers)
    isRecurrent = Array(repeating: true, count: layers)
    space = try Self.space(config, family: family, hidden: hidden)
    switch family {
    case .mamba2: hasFeedForward = Array(repeating: false, count: layers)
    case .falconH1: isRecurrent = Array(repeating: false, count: layers)
    case .bamba:
      guard case .list(let indices)? = config.value("attn_layer_indices") else {
        throw config.missing("attn_layer_indices", expected: "the numbers of the layers with attention")
      }
      for (place, value) in indices.enumerated() {
        guard case .integer(let layer) = value, (0..<layers).contains(layer) else {
          throw config.invalid(
            "attn_layer_indices[\(place)]", value, expected: "the number of a layer, 0 to \(layers - 1)")
        }
        isRecurrent[layer] = false
      }
    case .graniteHybrid:
      guard let types = try config.optionalTexts("layer_types"), types.count == layers else {
        throw config.missing(
          "layer_types", expected: "'mamba' or 'attention' for each of the \(layers) layers")
      }
      for (layer, type) in types.enumerated() {
        guard type == "mamba" || type == "attention" else {
          throw .invalid(
            file: config.file, field: "layer_types[\(layer)]", value: "'\(type)'",
            expected: "'mamba' or 'attention'")
        }
        isRecurrent[layer] = type == "mamba"
      }
    case .nemotronH:
      for (layer, letter) in try Self.halves(config, layers: layers).enumerated() {
        isRecurrent[layer] = letter == "M"
        hasMixer[layer] = letter == "M" || letter == "*"
        hasFeedForward[layer] = !hasMixer[layer]
        hasExperts[layer] = letter == "E"
      }
    case .jamba:
      let period = try config.optionalInteger("attn_layer_period", in: 1...4096) ?? 8
      let offset = try config.optionalInteger("attn_layer_offset", in: 0...4095) ?? 4
      for layer in 0..<layers { isRecurrent[layer] = layer % period != offset }
    default: break
    }
  }

  /// What each half-layer of a Nemotron is: M (Mamba-2), * (attention), - (MLP) or E (experts).
  ///
  /// Older files have a text of such letters, newer ones a list of words.
  private static func halves(_ config: JSONObject, layers: Int) throws(JSONError) -> [Character] {
    let words: [String: Character] = [
      "mamba": "M", "linear_attention": "M", "attention": "*", "full_attention": "*", "mlp": "-", "moe": "E",
    ]
    var pattern: [Character] = []
    var field = "hybrid_override_pattern"
    if let types = try config.optionalTexts("layers_block_type") {
      field = "layers_block_type"
      for (layer, type) in types.enumerated() {
        guard let letter = words[type] else {
          throw .invalid(
            file: config.file, field: "layers_block_type[\(layer)]", value: "'\(type)'",
            expected: "'mamba', 'attention', 'mlp' or 'moe'")
        }
        pattern.append(letter)
      }
    } else {
      pattern = Array(try config.text(field))
    }
    guard pattern.count == layers else {
      throw .invalid(
        file: config.file, field: field, value: "of \(pattern.count) layers",
        expected: "one letter or word for each of the \(layers) layers")
    }
    if let layer = pattern.firstIndex(where: { !"M*-E".contains($0) }) {
      throw .invalid(
        file: config.file, field: field, value: "'\(pattern[layer])' for layer \(layer)",
        expected: "M (Mamba-2), * (attention), - (MLP) or E (experts)")
    }
    return pattern
  }

  /// The Mamba-1 of Jamba: each channel is a head of width one.
  private static func selective(_ config: JSONObject, hidden: Int) throws(JSONError) -> StateSpace {
    var rank = (hidden + 15) / 16
    if case .text("auto")? = config.value("mamba_dt_rank") {
    } else {
      rank = try config.optionalInteger("mamba_dt_rank", in: 1...65_536) ?? rank
    }
    return StateSpace(
      heads: try hidden * (config.optionalInteger("mamba_expand", in: 1...64) ?? 2), headDim: 1,
      stateSize: try config.optionalInteger("mamba_d_state", in: 1...65_536) ?? 16, groups: 1,
      kernel: try config.optionalInteger("mamba_d_conv", in: 1...64) ?? 4, chunk: 1, hasNorm: false,
      stateNumberBytes: try stateBytes(config), rank: rank)
  }

  private static func space(_ config: JSONObject, family: ModelFamily, hidden: Int) throws(JSONError)
    -> StateSpace
  {
    guard family != .jamba else { return try selective(config, hidden: hidden) }
    let names = family.stateSpaceFields
    let heads = try config.integer(names.heads, in: 1...65_536)
    let expand = try config.optionalInteger(names.expand, in: 1...64) ?? 2
    // Bamba writes "auto" for what is left of the expanded width.
    var headDim: Int?
    if case .text("auto")? = config.value(names.headDim) {
    } else {
      headDim = try config.optionalInteger(names.headDim, in: 1...65_536)
    }
    let space = StateSpace(
      heads: heads, headDim: headDim ?? max(1, expand * hidden / heads),
      stateSize: try config.integer(names.state, in: 1...65_536),
      groups: try config.optionalInteger(names.groups, in: 1...65_536) ?? 1,
      kernel: try config.optionalInteger(names.kernel, in: 1...64) ?? 4,
      chunk: try config.optionalInteger(names.chunk, in: 1...65_536) ?? 256,
      hasNorm: family == .falconH1 ? try config.optionalFlag("mamba_rms_norm") ?? false : true,
      stateNumberBytes: try stateBytes(config),
      // mamba2-jax keeps 32 bits throughout, as does the configuration that its checkpoints have.
      convolutionNumberBytes: family == .mamba2 ? 4 : 2)
    guard space.heads.isMultiple(of: space.groups) else {
      throw .invalid(
        file: config.file, field: names.groups, value: "\(space.groups)",
        expected: "a divisor of the \(space.heads) heads")
    }
    return space
  }

  /// Bytes of a number of the state: four unless the configuration says another type.
  private static func stateBytes(_ config: JSONObject) throws(JSONError) -> Int {
    switch try config.optionalText("mamba_ssm_cache_dtype") {
    case nil, "float32"?: return 4
    case "bfloat16"?, "float16"?: return 2
    case let other?:
      throw .invalid(
        file: config.file, field: "mamba_ssm_cache_dtype", value: "'\(other)'",
        expected: "float32, bfloat16 or float16")
    }
  }
}

extension ModelFamily {
  /// Whether layers are Mamba-2 or Mamba-1, some or all of them.
  var hasStateSpace: Bool { self == .jamba || !stateSpaceFields.heads.isEmpty }

  /// The fields that hold the sizes of Mamba-2 layers; empty in other families.
  var stateSpaceFields:
    (
      heads: String, headDim: String, state: String, groups: String, kernel: String, chunk: String,
      expand: String
    )
  {
    switch self {
    case .mamba2: ("num_heads", "head_dim", "state_size", "n_groups", "conv_kernel", "chunk_size", "expand")
    case .nemotronH:
      (
        "mamba_num_heads", "mamba_head_dim", "ssm_state_size", "n_groups", "conv_kernel", "chunk_size",
        "expand"
      )
    case .falconH1, .bamba, .graniteHybrid:
      (
        "mamba_n_heads", "mamba_d_head", "mamba_d_state", "mamba_n_groups", "mamba_d_conv",
        "mamba_chunk_size", "mamba_expand"
      )
    default: ("", "", "", "", "", "", "")
    }
  }
}
