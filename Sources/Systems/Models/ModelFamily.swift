/// The model families whose `config.json` is understood, by their `model_type`.
public enum ModelFamily: String, Sendable, CaseIterable {
  /// Llama 2 and 3.
  case llama
  /// Mistral.
  case mistral
  /// Mixtral.
  case mixtral
  /// Qwen2 and Qwen2.5.
  case qwen2
  /// Qwen3, dense.
  case qwen3
  /// Qwen3, mixture of experts.
  case qwen3MixtureOfExperts = "qwen3_moe"
  /// GPT-OSS.
  case gptOSS = "gpt_oss"
  /// MiniMax-M2, M2.5 and M2.7.
  case minimaxM2 = "minimax_m2"

  /// Other names of the same shapes: the text models inside models that also see, and MiMo, which is a Qwen2.
  static let aliases: [String: ModelFamily] = [
    "qwen3_vl_text": .qwen3, "qwen3_vl_moe_text": .qwen3MixtureOfExperts, "mimo": .qwen2,
  ]

  /// The fields that hold the number of experts and the width of one; nil in a dense family.
  var expertFields: (count: String, width: String)? {
    switch self {
    case .qwen3MixtureOfExperts: ("num_experts", "moe_intermediate_size")
    case .mixtral, .gptOSS, .minimaxM2: ("num_local_experts", "intermediate_size")
    case .llama, .mistral, .qwen2, .qwen3: nil
    }
  }

  /// The width of a head where a configuration does not say; nil where it follows from the hidden size.
  ///
  /// The defaults of `Qwen3Config` and `GptOssConfig` in github.com/huggingface/transformers.
  var headDim: Int? {
    switch self {
    case .qwen3: 128
    case .gptOSS: 64
    default: nil
    }
  }
}
