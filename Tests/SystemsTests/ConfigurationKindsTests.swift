import Support
import Testing

@testable import Systems

@Suite struct ConfigurationKindsTests {
  func model(_ type: String, _ more: String) throws -> ModelDescription {
    let text = """
      {"model_type": "\(type)", "hidden_size": 1024, "intermediate_size": 3072, "num_hidden_layers": 4,
       "num_attention_heads": 16, "num_key_value_heads": 8, "vocab_size": 1000, "max_position_embeddings": 4096\(more)}
      """
    return try ModelDescription(configuration: text)
  }

  @Test func familiesHaveTheirOwnHeadWidth() throws {
    #expect(try model("qwen3", "").headDim == 128)
    #expect(try model("llama", "").headDim == 64)
    #expect(try model("qwen3", #", "head_dim": 96"#).headDim == 96)
  }

  @Test func numbersOfPythonsAreRead() throws {
    #expect(try model("llama", #", "time_step_limit": [0.0, Infinity, -Infinity, NaN]"#).layers == 4)
  }

  @Test(arguments: [
    #", "layer_types": ["linear_attention", "full_attention", "full_attention", "full_attention"], "sliding_window": null"#,
    #", "quantization_config": {"quant_algo": "FP9"}"#,
    #", "quantization_config": {"quant_method": "unheard"}"#,
  ])
  func whatIsNotKnownIsRefused(more: String) {
    #expect(throws: JSONError.self) { try model("llama", more) }
  }
}
