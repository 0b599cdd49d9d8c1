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

  private func grouped(_ more: String) throws -> ExpertGroups? {
    try model(
      "glm4_moe",
      #", "n_routed_experts": 16, "num_experts_per_tok": 4, "moe_intermediate_size": 64, "first_k_dense_replace": 1"#
        + more
    ).expertGroups
  }

  @Test func groupsOfExpertsAreRead() throws {
    #expect(try grouped(#", "n_group": 4, "topk_group": 2"#) == ExpertGroups(count: 4, chosen: 2))
    // One group, all of them, or a router that does not look at them: the choice is free.
    for free in [
      "", #", "n_group": 1, "topk_group": 1"#, #", "n_group": null, "topk_group": null"#,
      #", "n_group": 4, "topk_group": 4"#, #", "n_group": 4, "topk_group": 2, "topk_method": "greedy""#,
      #", "n_group": 3, "topk_group": 1, "topk_method": "greedy""#,
    ] { #expect(try grouped(free) == nil, "\(free)") }
    let error = #expect(throws: JSONError.self) { try grouped(#", "n_group": 3, "topk_group": 2"#) }
    #expect(error?.description.contains("'n_group' is 3; expected a divisor of the experts, 16") == true)
    let few = #expect(throws: JSONError.self) { try grouped(#", "n_group": 8, "topk_group": 1"#) }
    #expect(few?.description.contains("groups that hold the experts of a token, 4") == true)
    #expect(throws: JSONError.self) { try grouped(#", "n_group": 4, "topk_group": 5"#) }
    for (more, text) in [
      (#", "n_group": 4"#, "'n_group' is 4; expected topk_group beside it, or neither"),
      (#", "topk_group": 2"#, "'topk_group' is 2; expected n_group beside it, or neither"),
      (
        #", "n_group": 4, "topk_group": 2, "topk_method": "dice""#,
        "'topk_method' is 'dice'; expected noaux_tc, group_limited_greedy, greedy, or nothing"
      ),
    ] {
      let error = #expect(throws: JSONError.self) { try grouped(more) }
      #expect(error?.description.contains(text) == true, "\(error?.description ?? "")")
    }
  }
}
