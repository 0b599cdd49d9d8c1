import Support
import TestSupport
import Testing

@testable import Systems

/// Models whose layers differ in their heads, in the widths of their MLPs, or are half-layers with experts.
@Suite struct LayersThatDifferTests {
  private let sizes = """
    "hidden_size": 256, "num_attention_heads": 8, "vocab_size": 1000, "max_position_embeddings": 4096,
    "intermediate_size": 512
    """

  @Test("Gemma 4 has fewer and wider heads where it sees all tokens, whose values are keys")
  func gemma() throws {
    let gemma = try shipped("gemma-4-26b-a4b")
    #expect(gemma.windowedLayers == 25 && gemma.attentionLayers == 30)
    let kinds = gemma.layerMap.kinds
    #expect(kinds.count == 2)
    guard case .attention(let windowed) = kinds[0].mixer, case .attention(let full) = kinds[1].mixer else {
      Issue.record("no attention")
      return
    }
    #expect(windowed == GroupedAttention(heads: 16, keyValueHeads: 8, headDim: 256, window: 1024))
    #expect(full == GroupedAttention(heads: 16, keyValueHeads: 2, headDim: 512, projectsValues: false))
    // Beyond the windows only five layers keep more.
    let kept = { (tokens: Int) in
      (0..<30).reduce(0) { $0 + gemma.kind(ofLayer: $1).cache.bytes(tokens: tokens) }
    }
    #expect(kept(1024) == 1024 * 225_280)
    #expect(kept(1025) - kept(1024) == 20_480)
    // GPUs beyond the two KV heads of full layers hold copies; those of windows are still split.
    let (two, four) = (try gemma.shard(over: 2), try gemma.shard(over: 4))
    #expect(two.keyValueBytesPerToken == 225_280 / 2)
    #expect(four.keyValueBytesPerToken == 25 * 2 * 2 * 256 * 2 + 5 * 2 * 512 * 2)
    #expect(throws: DescriptionError.self) { try gemma.shard(over: 3) }
    #expect(try gemma.shard(over: 1).weightBytes == 2 * gemma.parameters)
  }

  @Test("Nemotron 3 has experts of two matrices, in a narrow space where there is one")
  func nemotron() throws {
    let (nano, large) = (
      try shipped("nemotron-3-nano-30b-a3b"), try shipped("nemotron-3-super-120b-a12b")
    )
    #expect(nano.expertLayers == 23 && nano.stateLayers == 23 && nano.attentionLayers == 6)
    #expect(large.expertLayers == 40 && large.stateLayers == 40 && large.attentionLayers == 8)
    #expect(nano.expertLatent == nil && large.expertLatent == 1024)
    for model in [nano, large] {
      #expect(try model.shard(over: 1).weightBytes == 2 * model.parameters)
      #expect(model.layerMap.kinds.allSatisfy { $0.halves == 1 })
    }
    // On two GPUs each has half of an expert's columns, and the projections to its space whole.
    let (whole, half) = (try large.shard(over: 1), try large.shard(over: 2))
    let experts = try #require(half.kinds.first { $0.hasExperts })
    let all = try #require(whole.kinds.first { $0.hasExperts })
    #expect(half.bytesPerExpert == large.bytesPerExpert / 2)
    let shared = 2 * 2 * 4096 * 5376
    #expect(whole.denseBytes(of: all) - half.denseBytes(of: experts) == shared / 2)
  }

  @Test("half-layers are letters or words")
  func patterns() throws {
    let common = """
      "model_type": "nemotron_h", "mamba_num_heads": 8, "mamba_head_dim": 32, "ssm_state_size": 16, "n_groups": 1,
      "n_routed_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 128, "n_shared_experts": 1,
      "moe_shared_expert_intermediate_size": 256, "head_dim": 32, \(sizes)
      """
    let letters = try ModelDescription(
      configuration:
        #"{"hybrid_override_pattern": "ME*-", "num_hidden_layers": 4, \#(common)}"#)
    let words = try ModelDescription(
      configuration: #"{"layers_block_type": ["mamba", "moe", "attention", "mlp"], \#(common)}"#)
    #expect(letters == words && words.layers == 4)
    #expect(words.hasDenseMLP == [true, false, true, true] && words.hasMixer == [true, false, true, false])
    #expect(words.intermediate == 512 && words.sharedWidth == 256 && !words.hasGatedMLP)
    for wrong in [
      #""hybrid_override_pattern": "MEX-""#, #""layers_block_type": ["mamba", "moe", "x", "mlp"]"#,
    ] {
      #expect(throws: JSONError.self) {
        try ModelDescription(configuration: #"{\#(wrong), "num_hidden_layers": 4, \#(common)}"#)
      }
    }
  }

  @Test("checkpoints may leave some recurrences in 16 bits, and not a half of one")
  func wideRecurrences() throws {
    func quantised(_ excluded: [String]) throws -> ModelDescription {
      try ModelDescription(
        configuration:
          """
          {"model_type": "nemotron_h", "hybrid_override_pattern": "MMEM*", "num_hidden_layers": 5, "mamba_num_heads": 8,
           "mamba_head_dim": 32, "ssm_state_size": 16, "n_groups": 1, "n_routed_experts": 4, "num_experts_per_tok": 2,
           "moe_intermediate_size": 128, "n_shared_experts": 1, "moe_shared_expert_intermediate_size": 256,
           "moe_latent_size": 64, "head_dim": 32, \(sizes),
           "quantization_config": {"quant_algo": "NVFP4", "exclude_modules": \(excluded)}}
          """)
    }
    let own = ["in_proj", "out_proj"].map { "backbone.layers.1.mixer.\($0)" }
    let (all, some) = (try quantised([]), try quantised(own))
    #expect(all.wideRecurrences.isEmpty && some.wideRecurrences == [1])
    for formats in [all.formats, some.formats] {
      #expect(formats.recurrence == .nvfp4 && formats.latents == .nvfp4 && formats.sharedExperts == .nvfp4)
      #expect(formats.experts == .nvfp4 && formats.head == .bf16)
    }
    #expect(all.layerMap.kinds.count == 3 && some.layerMap.kinds.count == 4)
    let space = try #require(some.stateSpace)
    let weights = 256 * (space.inputWidth + space.innerWidth)
    let difference = try some.shard(over: 1).weightBytes - all.shard(over: 1).weightBytes
    #expect(difference == 2 * weights - weights * 9 / 16)
    #expect(throws: JSONError.self) { try quantised([own[0]]) }
    // Cut into stages, layers keep their formats.
    #expect(try some.shard(over: 1).stage(1..<3).model.wideRecurrences == [0])
  }

  @Test("Jamba's Mamba-1 is split by channels, and its step projection over them")
  func jamba() throws {
    let jamba = try shipped("jamba-1.5-mini")
    let space = try #require(jamba.stateSpace)
    #expect(space.rank == 256 && space.channels == 8192 && space.inputWidth == 16_384)
    #expect(space.stateBytes == 8192 * 16 * 4 && space.cacheBytes == 573_440)
    #expect(jamba.attentionLayers == 4 && jamba.stateLayers == 28 && jamba.expertLayers == 16)
    #expect((0..<32).filter { jamba.hasAttention(layer: $0) } == [4, 12, 20, 28])
    #expect(try jamba.shard(over: 1).weightBytes == 2 * jamba.parameters)
    #expect(try jamba.shard(over: 4).stateBytesPerSequence == 16_056_320 / 4)
    let one = try ModelDescription(
      configuration:
        #"{"model_type": "jamba", "num_hidden_layers": 8, "num_experts": 1, "mamba_dt_rank": "auto", \#(sizes)}"#
    )
    #expect(!one.isMixtureOfExperts && one.intermediate == 512 && one.stateSpace?.rank == 16)
    for wrong in [
      #""num_experts": 0"#, #""num_experts": 16, "expert_layer_period": 2, "expert_layer_offset": 2"#,
    ] {
      #expect(throws: JSONError.self, "\(wrong)") {
        try ModelDescription(
          configuration:
            #"{"model_type": "jamba", "num_hidden_layers": 8, \#(wrong), "mamba_dt_rank": "auto", \#(sizes)}"#
        )
      }
    }
  }

  @Test("a searched Llama has MLPs of its own widths, and layers without attention")
  func searched() throws {
    func block(_ heads: String, _ multiple: String) -> String {
      #"{"attention": {"n_heads_in_group": \#(heads), "no_op": \#(heads == "null")}, "ffn": {"ffn_mult": \#(multiple)}}"#
    }
    func searched(_ blocks: [String]) throws -> ModelDescription {
      try ModelDescription(
        configuration:
          """
          {"model_type": "nemotron-nas", "num_hidden_layers": \(blocks.count), "num_key_value_heads": null,
           "block_configs": [\(blocks.joined(separator: ", "))], "hidden_size": 8192, "num_attention_heads": 64,
           "vocab_size": 1000, "max_position_embeddings": 4096, "intermediate_size": null}
          """)
    }
    let found = try searched([block("8", "5.25"), block("null", "1.0"), block("null", "0.5")])
    #expect(found.keyValueHeads == 8 && found.hasMixer == [true, false, false])
    #expect(found.denseWidths == [28_672, 5632, 2816])
    #expect(found.attentionLayers == 1)
    #expect(try found.shard(over: 2).keyValueBytesPerToken == 2 * 4 * 128 * 2)
    #expect(try found.shard(over: 1).weightBytes == 2 * found.parameters)
    let norms = 2 * 8192 + 8192 + 8192 + 8192
    let attention = 8192 * (64 + 16) * 128 + 8192 * 8192
    #expect(
      found.parameters == attention + 3 * 8192 * (28_672 + 5632 + 2816) + norms + 2 * 1000 * 8192)
    #expect(throws: JSONError.self) { try searched([block("8", "1"), block("4", "1")]) }
    #expect(throws: JSONError.self) { try searched([block("null", "1")]) }
  }

  @Test("MiMo-V2 has other heads in windows, values narrower than keys, and experts in the layers of a list")
  func mimo() throws {
    let mimo = try ModelDescription(
      configuration:
        """
        {"model_type": "mimo_v2_flash", "num_hidden_layers": 3, "num_key_value_heads": 2, "head_dim": 48, "v_head_dim": 32,
         "swa_num_key_value_heads": 4, "sliding_window": 128, "hybrid_layer_pattern": [0, 1, 1], "moe_layer_freq": [0, 1, 1],
         "n_routed_experts": 8, "num_experts_per_tok": 2, "moe_intermediate_size": 128, "n_shared_experts": null,
         "add_swa_attention_sink_bias": true, \(sizes)}
        """)
    #expect(mimo.windows == [nil, 128, 128] && mimo.hasDenseMLP == [true, false, false])
    let shard = try mimo.shard(over: 1)
    #expect(shard.keyValueBytesPerToken == 2 * (48 + 32) * 2 + 2 * 4 * (48 + 32) * 2)
    let (full, windowed) = (256 * (8 * 48 + 2 * 80) + 8 * 32 * 256, 256 * (8 * 48 + 4 * 80) + 8 * 32 * 256)
    let experts = 8 * 3 * 256 * 128 + 8 * 256 + 8
    #expect(
      mimo.parameters == full + 2 * (windowed + 8) + 3 * 256 * 512 + 2 * experts + 3 * 512 + 2 * 256_000 + 256
    )
    #expect(shard.weightBytes == 2 * mimo.parameters)
  }

  @Test("Step-3.7 has a shared expert beside the routed ones, and dense layers first")
  func step() throws {
    let step = try ModelDescription(
      configuration:
        """
        {"model_type": "step3p7", "num_hidden_layers": 4, "num_key_value_heads": 2, "head_dim": 32, "sliding_window": 64,
         "layer_types": ["full_attention", "sliding_attention", "sliding_attention", "sliding_attention"],
         "first_k_dense_replace": 1, "num_experts": 8, "num_experts_per_tok": 2, "moe_intermediate_size": 128,
         "share_expert_dim": 96, "use_moe_router_bias": true, \(sizes)}
        """)
    #expect(step.windows == [nil, 64, 64, 64] && step.hasDenseMLP == [true, false, false, false])
    #expect(step.sharedWidth == 96 && step.hasRoutingBias && step.expertIntermediate == 128)
  }

  @Test(
    "what has no law is refused",
    arguments: [
      #""num_kv_shared_layers": 2"#, #""hidden_size_per_layer_input": 256"#,
      #""num_global_key_value_heads": 3, "attention_k_eq_v": true"#,
    ])
  func refused(field: String) {
    #expect(throws: JSONError.self) {
      try ModelDescription(
        configuration: #"{"model_type": "gemma4_text", "num_hidden_layers": 6, \#(field), \#(sizes)}"#)
    }
  }
}
