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

  /// The fields that hold the number of experts and the width of one; nil in a dense family.
  var expertFields: (count: String, width: String)? {
    switch self {
    case .qwen3MixtureOfExperts: ("num_experts", "moe_intermediate_size")
    case .mixtral, .gptOSS: ("num_local_experts", "intermediate_size")
    case .llama, .mistral, .qwen2, .qwen3: nil
    }
  }
}
