/// The model families whose `config.json` is understood, by their `model_type`.
public enum ModelFamily: String, Sendable, CaseIterable {
  /// Llama 2 and 3.
  case llama
  /// Mistral.
  case mistral
  /// Granite 3, dense.
  case granite
  /// Phi-3 and Phi-4.
  case phi3
  /// OLMo 2.
  case olmo2
  /// Gemma 3, its text model.
  case gemma3 = "gemma3_text"
  /// Gemma 4, its text model, with or without experts beside its MLPs.
  case gemma4 = "gemma4_text"
  /// Nemotron's Llamas from a search of architectures: layers differ in their MLPs, and some have no attention.
  case nemotronNAS = "nemotron-nas"
  /// Qwen2 and Qwen2.5.
  case qwen2
  /// Qwen3, dense.
  case qwen3
  /// Qwen3.5, dense: gated DeltaNet in three of four layers.
  case qwen35 = "qwen3_5_text"
  /// Mixtral.
  case mixtral
  /// Llama 4, its text model.
  case llama4 = "llama4_text"
  /// OLMoE.
  case olmoe
  /// Granite 3, mixture of experts.
  case graniteMixtureOfExperts = "granitemoe"
  /// Qwen2, mixture of experts.
  case qwen2MixtureOfExperts = "qwen2_moe"
  /// Qwen3, mixture of experts.
  case qwen3MixtureOfExperts = "qwen3_moe"
  /// Qwen3-Next: gated DeltaNet in three of four layers, mixture of experts.
  case qwen3Next = "qwen3_next"
  /// Qwen3.5, mixture of experts.
  case qwen35MixtureOfExperts = "qwen3_5_moe_text"
  /// GPT-OSS.
  case gptOSS = "gpt_oss"
  /// GLM-4.5.
  case glm4MixtureOfExperts = "glm4_moe"
  /// Step-3.7.
  case step3 = "step3p7"
  /// MiMo-V2-Flash: windows with KV heads of their own.
  case mimoV2 = "mimo_v2_flash"
  /// MiniMax-M2, M2.5 and M2.7.
  case minimaxM2 = "minimax_m2"
  /// DeepSeek-V3, V3.1 and R1.
  case deepseekV3 = "deepseek_v3"
  /// DeepSeek-V3.2.
  case deepseekV32 = "deepseek_v32"
  /// Kimi-K2.
  case kimiK2 = "kimi_k2"
  /// GLM-5.
  case glm5 = "glm_moe_dsa"
  /// ZAYA1: compressed convolutional attention, mixture of experts.
  case zaya
  /// Mamba-2.
  case mamba2
  /// Nemotron-H and Nemotron 3: each layer is Mamba-2, attention, an MLP or a mixture of experts.
  case nemotronH = "nemotron_h"
  /// Falcon-H1: Mamba-2 beside attention in each layer.
  case falconH1 = "falcon_h1"
  /// Bamba: Mamba-2, attention in some layers.
  case bamba
  /// Granite 4: Mamba-2, attention in some layers, with or without a mixture of experts.
  case graniteHybrid = "granitemoehybrid"
  /// Jamba: Mamba-1, attention in some layers, a mixture of experts in some.
  case jamba

  /// Other names of the same shapes: the text models inside models that also see, and MiMo, which is a Qwen2.
  static let aliases: [String: ModelFamily] = [
    "qwen3_vl_text": .qwen3, "qwen3_vl_moe_text": .qwen3MixtureOfExperts, "mimo": .qwen2,
    "ministral3": .mistral,
  ]

  /// The fields that hold the number of experts and the width of one; nil in a dense family.
  var expertFields: (count: String, width: String)? {
    switch self {
    case .qwen2MixtureOfExperts, .qwen3MixtureOfExperts, .qwen3Next, .qwen35MixtureOfExperts, .zaya, .gemma4,
      .step3:
      ("num_experts", "moe_intermediate_size")
    case .olmoe, .jamba: ("num_experts", "intermediate_size")
    case .mixtral, .gptOSS, .minimaxM2, .llama4, .graniteMixtureOfExperts, .graniteHybrid:
      ("num_local_experts", "intermediate_size")
    case .deepseekV3, .deepseekV32, .kimiK2, .glm5, .glm4MixtureOfExperts, .mimoV2, .nemotronH:
      ("n_routed_experts", "moe_intermediate_size")
    case .llama, .mistral, .granite, .phi3, .olmo2, .gemma3, .nemotronNAS, .qwen2, .qwen3, .qwen35, .mamba2,
      .falconH1, .bamba:
      nil
    }
  }

  /// Whether attention is over latent vectors.
  var isLatent: Bool {
    switch self {
    case .deepseekV3, .deepseekV32, .kimiK2, .glm5: true
    default: false
    }
  }

  /// Whether layers without attention are gated DeltaNet.
  var isHybrid: Bool {
    switch self {
    case .qwen3Next, .qwen35, .qwen35MixtureOfExperts: true
    default: false
    }
  }

  /// Whether the router has a learned number for each expert beside its scores: a bias, or Gemma's scale.
  var hasRoutingBias: Bool {
    switch self {
    case .minimaxM2, .glm4MixtureOfExperts, .nemotronH, .gemma4, .step3, .mimoV2: true
    default: isLatent
    }
  }

  /// Whether layers have four norms over the residual stream, behind each half as well.
  var hasFourNorms: Bool { self == .gemma3 || self == .gemma4 }

  /// Whether the LM head is the embedding table where a configuration does not say.
  var isTied: Bool { hasFourNorms || self == .zaya }

  /// The norms of queries and keys.
  var queryKeyNorm: QueryKeyNorm {
    switch self {
    case .qwen3, .qwen3MixtureOfExperts, .gemma3, .gemma4, .qwen3Next, .qwen35, .qwen35MixtureOfExperts:
      .ofEachHead
    case .minimaxM2, .olmo2, .olmoe: .ofAllHeads
    default: .none
    }
  }

  /// The width of a head where a configuration does not say; nil where it follows from the hidden size.
  ///
  /// The defaults of `Qwen3Config`, `GptOssConfig`, `Gemma3TextConfig`, `Qwen3NextConfig` and `ZayaConfig` in
  /// github.com/huggingface/transformers.
  var headDim: Int? {
    switch self {
    case .qwen3, .zaya: 128
    case .gptOSS: 64
    case .gemma3, .gemma4, .qwen3Next, .qwen35, .qwen35MixtureOfExperts: 256
    default: nil
    }
  }

  /// Why a kind of model is refused that is well known; nil for others.
  static func obstacle(_ type: String) -> String? {
    switch type {
    case "deepseek_v4", "deepseek_ref", "deepseek_v41", "deepseek_v41_text":
      "its compressed attention has no published law"
    case "kimi_k3", "kimi_linear": "its delta attention (KDA) has no law here"
    case "minimax_m3", "minimax_m3_text", "minimax_m3_vl": "its block-sparse attention has no law here"
    case "mamba": "Mamba-1 is read beside attention alone, as in jamba"
    case "glm5_next", "glm5_next_text", "muse_glimmer", "muse_glimmer_text":
      "its layers have no published description"
    case "zamba2": "one attention that layers share has no law here"
    case "lfm2", "lfm2_moe": "its short convolutions have no law here"
    default: nil
    }
  }
}
