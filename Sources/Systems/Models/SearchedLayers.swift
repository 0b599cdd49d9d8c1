import Support

/// The layers of a model from a search of architectures, as the `block_configs` of Nemotron's Llamas list them: with attention or
/// without, and with an MLP of their own width or none.
struct SearchedLayers {
  /// Whether each layer has attention.
  var hasAttention: [Bool] = []
  /// The width of each layer's MLP.
  var widths: [Int] = []
  /// Query heads that share a key-value head.
  var queriesOfHead = 0

  /// Reads the blocks.
  ///
  /// An MLP's width is two thirds of a multiple of the hidden size, rounded up to a multiple of 256.
  ///
  /// - Throws: `JSONError` where a block is of a kind that has no law here, or blocks differ in how heads are shared.
  init(_ config: JSONObject, layers: Int, hidden: Int) throws(JSONError) {
    guard case .list(let blocks)? = config.value("block_configs"), blocks.count == layers else {
      throw config.missing("block_configs", expected: "a block for each of the \(layers) layers")
    }
    for (layer, block) in blocks.enumerated() {
      let place = "block_configs[\(layer)]"
      guard case .object(let members) = block else {
        throw config.invalid(place, block, expected: "an object with 'attention' and 'ffn'")
      }
      let object = JSONObject(members, file: config.file, path: config.place(place))
      let (attention, feedForward) = (try object.object("attention"), try object.object("ffn"))
      for part in [attention, feedForward] where try part.optionalFlag("replace_with_linear") == true {
        throw part.invalid(
          "replace_with_linear", .flag(true), expected: "false: linear blocks have no law here")
      }
      for field in ["window_length", "sparsify", "num_sink_tokens"] where attention.value(field) != nil {
        throw .invalid(
          file: config.file, field: attention.place(field), value: "given",
          expected: "null: attention to all tokens")
      }
      if try feedForward.optionalFlag("no_op") == true {
        throw feedForward.invalid("no_op", .flag(true), expected: "false: an MLP in each layer")
      }
      let multiple = try feedForward.number("ffn_mult", in: 1e-3...1e3)
      widths.append((Int(2 * multiple * Double(hidden) / 3) + 255) / 256 * 256)
      hasAttention.append(try attention.optionalFlag("no_op") != true)
      guard hasAttention[layer] else { continue }
      let queries = try attention.integer("n_heads_in_group", in: 1...65_536)
      guard queriesOfHead == 0 || queries == queriesOfHead else {
        throw attention.invalid(
          "n_heads_in_group", .integer(queries), expected: "\(queriesOfHead), as in the layers before")
      }
      queriesOfHead = queries
    }
    let heads = try config.integer("num_attention_heads", in: 1...65_536)
    guard queriesOfHead > 0, heads.isMultiple(of: queriesOfHead) else {
      throw .invalid(
        file: config.file, field: "block_configs",
        value: "\(queriesOfHead) query heads for each key-value head",
        expected: "a layer with attention, and a divisor of num_attention_heads, \(heads)")
    }
  }
}

extension ModelDescription {
  /// Reads the heads of families whose layers with a window have others than those that attend to all tokens.
  mutating func readHeadsOfKinds(_ config: JSONObject, family: ModelFamily) throws(JSONError) {
    switch family {
    case .gemma4:
      for (field, value) in [
        ("num_kv_shared_layers", try config.optionalInteger("num_kv_shared_layers", in: 0...4096)),
        (
          "hidden_size_per_layer_input",
          try config.optionalInteger("hidden_size_per_layer_input", in: 0...(1 << 24))
        ),
      ] where value ?? 0 > 0 {
        throw .invalid(
          file: config.file, field: field, value: "\(value ?? 0)",
          expected: "0: layers that share keys and values, or have inputs of their own, have no law here")
      }
      windowedHeads = grouped
      headDim = try config.optionalInteger("global_head_dim", in: 1...65_536) ?? 512
      if try config.optionalFlag("attention_k_eq_v") == true {
        projectsValues = false
        keyValueHeads =
          try config.optionalInteger("num_global_key_value_heads", in: 1...65_536) ?? keyValueHeads
      }
    case .mimoV2:
      valueDim = try config.optionalInteger("v_head_dim", in: 1...65_536)
      windowedHeads = GroupedAttention(
        heads: try config.optionalInteger("swa_num_attention_heads", in: 1...65_536) ?? heads,
        keyValueHeads: try config.optionalInteger("swa_num_key_value_heads", in: 1...65_536) ?? keyValueHeads,
        headDim: try config.optionalInteger("swa_head_dim", in: 1...65_536) ?? headDim,
        valueDim: try config.optionalInteger("swa_v_head_dim", in: 1...65_536) ?? valueDim)
    default: return
    }
    for attention in [grouped, windowedHeads].compactMap({ $0 })
    where !attention.heads.isMultiple(of: attention.keyValueHeads) {
      throw .invalid(
        file: config.file, field: "num_key_value_heads", value: "\(attention.keyValueHeads)",
        expected: "a divisor of the \(attention.heads) query heads")
    }
  }
}
