import Support
import TestSupport
import Testing

@testable import Systems

/// Mamba-2 and hybrids with it: weights, states and pages, by closed forms and published counts.
@Suite struct StateSpaceTests {
  private func mamba2(hidden: Int, layers: Int) throws -> ModelDescription {
    try ModelDescription(
      configuration:
        """
        {"model_type": "mamba2", "num_hidden_layers": \(layers), "hidden_size": \(hidden), "num_heads": \(hidden / 32),
         "head_dim": 64, "state_size": 128, "n_groups": 1, "conv_kernel": 4, "vocab_size": 50288,
         "tie_word_embeddings": true}
        """)
  }

  @Test(
    "the Mamba-2 models have the published weights and states",
    arguments: [
      (768, 24, 128_989_632, 19.39e6), (1024, 48, 368_346_624, 51.66e6), (1536, 48, 780_161_280, 77.41e6),
      (2048, 48, 1_343_757_312, 103.2e6), (2560, 64, 2_702_599_680, 171.9e6),
    ])
  func mamba(hidden: Int, layers: Int, total: Int, state: Double) throws {
    let model = try mamba2(hidden: hidden, layers: layers)
    #expect(model.parameters == total)
    let shard = try model.shard(over: 1)
    #expect((Double(shard.stateBytesPerSequence) / state - 1).magnitude < 0.001)
    #expect(shard.keyValueBytesPerToken == 0)
    #expect(shard.weightBytes == 2 * total)
    #expect(shard.hybridPages(keepsSnapshots: false) == nil)
  }

  @Test(
    "hybrids have the published weights, KV and states",
    arguments: [
      ("mamba2-2.7b", 2_702_599_680, 0, 171_900_928), ("nemotron-h-56b", 56_324_350_464, 40_960, 912_605_184),
      ("falcon-h1-34b", 33_642_221_312, 147_456, 304_201_728),
    ])
  func hybrids(name: String, total: Int, perToken: Int, perSequence: Int) throws {
    let model = try shipped(name)
    #expect(model.parameters == total)
    let shard = try model.shard(over: 1)
    #expect(shard.keyValueBytesPerToken == perToken)
    #expect(shard.stateBytesPerSequence == perSequence)
    #expect(shard.weightBytes == 2 * total)
  }

  @Test("a state in 16 bits takes half the bytes, what the convolution keeps the same")
  func narrowState() throws {
    let space = StateSpace(heads: 32, headDim: 128, stateSize: 256, groups: 2, kernel: 4)
    var narrow = space
    narrow.stateNumberBytes = 2
    #expect(space.stateBytes == 32 * 128 * 256 * 4)
    #expect(space.cacheBytes - narrow.cacheBytes == 32 * 128 * 256 * 2)
    #expect(space.cacheBytes - space.stateBytes == (4096 + 2 * 2 * 256) * 3 * 2)
  }

  @Test(
    "a page holds the state of a layer, in whole sixteens of tokens: Qwen3-Next as vLLM has it",
    arguments: [(1, 2, 544), (1, 4, 1056), (4, 2, 272), (4, 4, 528)])
  func pages(gpus: Int, numberBytes: Int, tokens: Int) throws {
    let shard = try shipped("qwen3-next-80b-a3b").shard(over: gpus)
    var delta = try #require(shipped("qwen3-next-80b-a3b").delta)
    (delta.keyHeads, delta.valueHeads) = (delta.keyHeads / gpus, delta.valueHeads / gpus)
    let state = delta.cacheBytes - delta.stateBytes + delta.stateBytes / 4 * numberBytes
    let pages = HybridPages(
      tokenBytes: shard.keyValueBytesPerTokenAndLayer, stateBytes: state, attentionLayers: 12, stateLayers: 36
    )
    #expect(pages.blockTokens == tokens)
    // Three groups of twelve layers with states, and one with keys and values.
    #expect(pages.depth == 12 && pages.stateGroups == 3 && pages.attentionGroups == 1)
    #expect(pages.pages(tokens: 3 * tokens + 1) == 4 + 3)
    #expect(pages.pages(tokens: 1, drafts: 2) == 1 + 9)
    if numberBytes == 4 { #expect(shard.hybridPages(keepsSnapshots: false) == pages) }
  }

  @Test("with snapshots a page ends where a chunk of the recurrence does, and every one has its states")
  func snapshots() {
    let pages = HybridPages(
      tokenBytes: 1024, stateBytes: 300_000, attentionLayers: 10, stateLayers: 54, snapshotChunk: 128)
    // 293 tokens hold a state; 384 is the next multiple of 128.
    #expect(pages.blockTokens == 384 && pages.pageBytes == 384 * 1024)
    #expect(pages.attentionGroups == 1 && pages.stateGroups == 6)
    #expect(pages.pages(tokens: 384) == 7 && pages.pages(tokens: 385) == 14)
    #expect(pages.pages(tokens: 1, drafts: 1) == 13)
    let odd = HybridPages(
      tokenBytes: 1024, stateBytes: 300_000, attentionLayers: 1, stateLayers: 1, snapshotChunk: 24)
    #expect(odd.blockTokens == 336)
  }

  @Test("groups are as deep as the rarer kind has layers, unless the others are few more")
  func groups() {
    func pages(_ attention: Int, _ states: Int) -> HybridPages {
      HybridPages(tokenBytes: 1024, stateBytes: 20_000, attentionLayers: attention, stateLayers: states)
    }
    #expect(pages(10, 54).stateGroups == 6 && pages(10, 54).depth == 10)
    #expect(pages(10, 14).stateGroups == 1 && pages(10, 14).depth == 14)
    #expect(pages(10, 15).stateGroups == 2 && pages(10, 15).depth == 10)
    #expect(pages(72, 72).depth == 72)
  }

  @Test("heads are split over GPUs, and groups as far as there are any")
  func shares() throws {
    let model = try shipped("falcon-h1-34b")
    let (one, four) = (try model.shard(over: 1), try model.shard(over: 4))
    guard case .stateSpaceBesideAttention(let space, let heads, let keyValueHeads, _) = four.kinds[0].mixer
    else {
      Issue.record("no Mamba-2 beside attention")
      return
    }
    #expect([space.heads, space.groups, heads, keyValueHeads] == [8, 1, 5, 1])
    let states = (one.stateBytesPerSequence, four.stateBytesPerSequence)
    // Two groups are one on each GPU: what goes into and out of states is held more than once.
    #expect(states.1 > states.0 / 4 && states.1 < states.0 / 3)
    #expect(throws: DescriptionError.self) { try model.shard(over: 64) }
  }

  @Test("half-layers have one norm and half the kernels")
  func halves() throws {
    let model = try shipped("nemotron-h-56b")
    let kinds = model.layerMap.kinds
    #expect(kinds.map(\.halves) == [1, 1, 1])
    #expect(model.attentionLayers == 10 && model.stateLayers == 54)
    #expect(model.layerMap.count(of: 0, in: 0..<118) == 54)
  }

  @Test("Granite 4 and Bamba say where their attention is")
  func others() throws {
    let sizes = """
      "num_hidden_layers": 4, "hidden_size": 256, "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 1000,
      "max_position_embeddings": 4096, "mamba_n_heads": 8, "mamba_d_state": 16
      """
    let bamba = try ModelDescription(
      configuration:
        #"{"model_type": "bamba", "intermediate_size": 512, "mamba_d_head": "auto", "attn_layer_indices": [2], \#(sizes)}"#
    )
    #expect(bamba.isRecurrent == [true, true, false, true] && bamba.stateSpace?.headDim == 64)
    let granite = try ModelDescription(
      configuration:
        """
        {"model_type": "granitemoehybrid", "layer_types": ["mamba", "attention", "mamba", "mamba"],
         "shared_intermediate_size": 512, "num_local_experts": 8, "num_experts_per_tok": 2, "intermediate_size": 128, \(sizes)}
        """)
    #expect(granite.isRecurrent == [true, false, true, true])
    #expect(granite.experts == 8 && granite.sharedWidth == 512 && granite.intermediate == 0)
    let dense = try ModelDescription(
      configuration:
        """
        {"model_type": "granitemoehybrid", "layer_types": ["mamba", "attention", "mamba", "mamba"],
         "shared_intermediate_size": 512, "num_local_experts": 0, "intermediate_size": 128, \(sizes)}
        """)
    #expect(dense.experts == 0 && dense.intermediate == 512)
  }

  @Test(
    "what is contradictory or has no law is refused",
    arguments: [
      #""model_type": "nemotron_h", "hybrid_override_pattern": "M-E*", "mamba_num_heads": 8, "ssm_state_size": 16"#,
      #""model_type": "nemotron_h", "hybrid_override_pattern": "M-*", "mamba_num_heads": 8, "ssm_state_size": 16"#,
      #""model_type": "bamba", "attn_layer_indices": [4], "mamba_n_heads": 8, "mamba_d_state": 16"#,
      #""model_type": "bamba", "attn_layer_indices": [1], "mamba_n_heads": 8, "mamba_d_state": 16, "mamba_n_groups": 3"#,
      #""model_type": "granitemoehybrid", "layer_types": ["mamba"], "mamba_n_heads": 8, "mamba_d_state": 16"#,
      #""model_type": "falcon_h1", "mamba_n_heads": 8, "mamba_d_state": 16, "mamba_ssm_cache_dtype": "int8""#,
      #""model_type": "jamba""#, #""model_type": "zamba2""#,
    ])
  func refused(fields: String) {
    #expect(throws: JSONError.self) {
      try ModelDescription(
        configuration:
          """
          {\(fields), "num_hidden_layers": 4, "hidden_size": 256, "num_attention_heads": 4, "vocab_size": 1000,
           "intermediate_size": 512, "max_position_embeddings": 4096}
          """)
    }
  }
}
