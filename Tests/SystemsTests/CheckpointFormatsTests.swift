import Foundation
import Support
import Systems
import TestSupport
import Testing

@Suite struct CheckpointFormatsTests {
  /// The small dense model of the other tests with a quantisation, and perhaps a file beside it.
  private func formats(_ quantisation: String, experts: Bool = false, beside: (String, String)? = nil) throws
    -> MatrixFormats
  {
    let config = """
      {
        "model_type": "\(experts ? "qwen3_moe" : "llama")", "num_hidden_layers": 2, "hidden_size": 256,
        "vocab_size": 100, "num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 512,
        "num_experts": 8, "num_experts_per_tok": 2, "moe_intermediate_size": 128,
        "max_position_embeddings": 512\(quantisation.isEmpty ? "" : ", \"quantization_config\": " + quantisation)
      }
      """
    return try ScratchFolder.with("config.json", config) { file in
      if let (name, text) = beside {
        try Data(text.utf8).write(to: file.deletingLastPathComponent().appending(path: name))
      }
      return try ModelDescription(contentsOf: file).formats
    }
  }

  private func tensors(_ weights: String, _ inputs: String = "null", more: String = "") -> String {
    #"{"quant_method": "compressed-tensors", "config_groups": {"group_0": {"targets": ["Linear"], "weights": \#(weights), "input_activations": \#(inputs)}}\#(more)}"#
  }

  @Test("every way to say it comes to one format")
  func understood() throws {
    let fp8 = #"{"num_bits": 8, "type": "float", "strategy": "tensor"}"#
    let cases: [(String, WeightFormat)] = [
      (#"{"quant_method": "fp8", "activation_scheme": "dynamic"}"#, .fp8),
      (#"{"quant_method": "fp8", "fmt": "e4m3", "weight_block_size": [128, 128]}"#, .fp8Block),
      (#"{"quant_method": "fbgemm_fp8", "modules_to_not_convert": ["lm_head"]}"#, .fp8),
      (#"{"quant_method": "modelopt", "quant_algo": "FP8", "ignore": ["lm_head"]}"#, .fp8),
      (#"{"quant_algo": "NVFP4", "group_size": 16, "exclude_modules": ["lm_head", "*router*"]}"#, .nvfp4),
      (#"{"quant_method": "awq", "bits": 4, "group_size": 128, "zero_point": true}"#, .int4),
      (#"{"quant_method": "gptq", "bits": 4, "group_size": 64, "desc_act": false}"#, .int4Groups64),
      (#"{"quant_method": "gptq", "bits": 8, "group_size": 128}"#, .int8),
      (tensors(fp8, #"{"num_bits": 8, "type": "float", "dynamic": true}"#), .fp8),
      (
        tensors(#"{"num_bits": 4, "type": "int", "strategy": "group", "group_size": 32}"#), .int4Groups32
      ),
      (
        tensors(
          #"{"num_bits": 4, "type": "float", "strategy": "tensor_group", "group_size": 16}"#,
          #"{"num_bits": 4, "type": "float"}"#), .nvfp4
      ),
      (
        tensors(
          #"{"num_bits": 8, "type": "int", "strategy": "channel"}"#, #"{"num_bits": 8, "type": "int"}"#),
        .int8W8A8
      ),
    ]
    for (text, format) in cases {
      let found = try formats(text)
      #expect([found.queryKeyValue, found.output, found.dense] == [format, format, format], "\(text)")
      #expect(found.keyValues == .bf16 && found.sharedExperts == .bf16)
      let routed = try formats(text, experts: true)
      #expect(routed.experts == format && routed.dense == .bf16, "\(text)")
    }
    #expect(try formats("") == MatrixFormats())
    #expect(try formats("{}") == MatrixFormats())
  }

  @Test("ModelOpt's mixed checkpoints list each matrix, the LM head among them")
  func mixed() throws {
    func layers(_ module: String, _ algorithm: String) -> [String] {
      (0..<2).map { #""model.layers.\#($0).\#(module)": {"quant_algo": "\#(algorithm)"}"# }
    }
    var listed = ["q_proj", "k_proj", "v_proj"].flatMap { layers("self_attn.\($0)", "FP8") }
    listed += ["gate_proj", "up_proj", "down_proj"].flatMap { layers("mlp.\($0)", "W4A16_NVFP4") }
    listed.append(#""lm_head": {"quant_algo": "W4A16_NVFP4", "group_size": 16}"#)
    func read(_ listed: [String]) throws -> MatrixFormats {
      try formats(
        #"{"quant_method": "modelopt", "quant_algo": "MIXED_PRECISION", "quantized_layers": {\#(listed.joined(separator: ", "))}}"#
      )
    }
    let found = try read(listed)
    #expect(found.queryKeyValue == .fp8 && found.output == .bf16)
    #expect(found.dense == .nvfp4W4A16 && found.head == .nvfp4W4A16)
    // One layer of two, a matrix of three, a kind that is not known, one that is in no model.
    for wrong in [
      Array(listed.dropFirst()), Array(listed.dropLast(2)), listed + [#""lm_head": {"quant_algo": "FP5"}"#],
      listed + [#""backbone.x": {"quant_algo": "NVFP4"}"#],
    ] {
      #expect(throws: DescriptionError.self) { try read(wrong) }
    }
  }

  @Test("ignore lists name matrices in several ways")
  func ignored() throws {
    let block = #"{"quant_method": "fp8", "weight_block_size": [128, 128], "modules_to_not_convert": "#
    for list in [
      #"["self_attn", "lm_head"]"#, #"["model.layers.0.self_attn", "model.layers.1.self_attn"]"#,
      #"["re:.*self_attn.*"]"#, #"["*.self_attn*"]"#, #"["q_proj", "k_proj", "v_proj", "o_proj", "gate"]"#,
    ] {
      let found = try formats(block + list + "}", experts: true)
      #expect(found.queryKeyValue == .bf16 && found.output == .bf16, "\(list)")
      #expect(found.experts == .fp8Block, "\(list)")
    }
    let experts = tensors(
      #"{"num_bits": 4, "type": "int", "strategy": "group", "group_size": 32}"#,
      more: #", "ignore": ["re:.*self_attn.*", "re:.*shared_experts.*", "lm_head"]"#)
    #expect(try formats(experts, experts: true).text == "experts int4_groups_32, the rest 16-bit")
  }

  @Test("files beside the configuration count where it says nothing")
  func companions() throws {
    let modelOpt =
      #"{"producer": {"name": "modelopt"}, "quantization": {"quant_algo": "FP8", "kv_cache_quant_algo": "FP8", "exclude_modules": ["lm_head"]}}"#
    let found = try formats("", beside: ("hf_quant_config.json", modelOpt))
    #expect(found.dense == .fp8 && found.keyValues == .fp8)
    let gptq = try formats("", beside: ("quantize_config.json", #"{"bits": 4, "group_size": 128}"#))
    #expect(gptq.dense == .int4)
    let awq = try formats("", beside: ("quant_config.json", #"{"w_bit": 4, "q_group_size": 128}"#))
    #expect(awq.dense == .int4)
  }

  @Test("an FP8 cache is a matter of its own")
  func cache() throws {
    let scheme = #", "kv_cache_scheme": {"num_bits": 8, "type": "float", "dynamic": false}"#
    #expect(
      try formats(#"{"quant_method": "fp8"\#(scheme)}"#).keyValues == .fp8)
    let model = try shipped("llama-3.1-70b")
    let half = try model.keepingKeyValuesInFP8().shard(over: 2)
    #expect(half.keyValueBytesPerToken * 2 == (try model.shard(over: 2)).keyValueBytesPerToken)
  }

  @Test(
    "what is not understood is refused in one line, never taken for 16 bits",
    arguments: [
      (#"{"quant_method": "quark"}"#, "'quantization_config.quant_method' is 'quark'; expected 'fp8'"),
      (#"{"bits": 4}"#, "'quantization_config.quant_method' is missing"),
      (#"{"quant_method": "bitsandbytes", "load_in_4bit": true}"#, "is 'bitsandbytes'"),
      (#"{"quant_method": "fp8", "weight_block_size": [64, 64]}"#, "weight_block_size"),
      (#"{"quant_method": "fp8", "fmt": "e5m2"}"#, "'quantization_config.fmt' is 'e5m2'; expected 'e4m3'"),
      (#"{"quant_method": "modelopt", "quant_algo": "MIXED_PRECISION"}"#, "quantized_layers' is missing"),
      (#"{"quant_method": "modelopt", "quant_algo": "FP6"}"#, "is 'FP6'"),
      (#"{"quant_method": "gptq", "bits": 3, "group_size": 128}"#, "bits' is 3; expected 4 or 8"),
      (#"{"quant_method": "gptq", "bits": 4, "group_size": -1}"#, "group_size' is -1"),
      (#"{"quant_method": "gptq", "bits": 4, "group_size": 128, "lm_head": true}"#, "lm_head' is true"),
      (#"{"quant_method": "mxfp4"}"#, "a model with experts"),
      (#"{"quant_method": "fp8", "kv_cache_scheme": {"num_bits": 4, "type": "int"}}"#, "kv_cache_scheme"),
      (#"{"quant_method": "fp8", "ignored_layers": ["re:("]}"#, "expected a regular expression"),
      (
        #"{"quant_method": "fp8", "ignored_layers": ["model.layers.1.mlp"]}"#,
        "is a list by which the MLP of layer 1 is bf16; expected fp8 as in layer 0"
      ),
      (#"{"quant_method": "fp8", "ignored_layers": ["up_proj"]}"#, "expected all or none of the matrices"),
      (#"{"quant_method": "compressed-tensors"}"#, "config_groups"),
    ])
  func refused(text: String, message: String) throws {
    let error = try #require(throws: DescriptionError.self) { try formats(text) }
    #expect(error.description.contains(message), "\(error)")
    #expect(!error.description.contains("\n"))
  }

  @Test("weights that compressed-tensors describes and no kernel has are refused")
  func refusedTensors() throws {
    for weights in [
      #"{"num_bits": 8, "type": "float", "strategy": "tensor"}"#,
      #"{"num_bits": 4, "type": "int", "strategy": "channel"}"#,
      #"{"num_bits": 2, "type": "int", "strategy": "group", "group_size": 128}"#,
    ] {
      #expect(throws: DescriptionError.self, "\(weights)") { try formats(tensors(weights)) }
    }
  }

  @Test("matrices take the published bytes, scales included")
  func bytes() {
    func expert(_ format: WeightFormat) -> Int {
      format.bytes(rows: 2 * 2048, columns: 7168) + format.bytes(rows: 7168, columns: 2048)
    }
    #expect(expert(.fp8) == 44_040_192)
    #expect(expert(.fp8Block) == 44_050_944)
    #expect(expert(.int4Groups32) == 24_772_608)
    for format in WeightFormat.allCases {
      let whole = Double(format.bytes(rows: 1024, columns: 4096)) / (1024 * 4096)
      #expect(abs(whole / format.bytesPerWeight - 1) < 1e-12, "\(format)")
    }
  }

  @Test("Infinity is a number in a configuration, as Python writes it")
  func infinity() throws {
    let text = ModelDescriptionTests.small.replacing(
      "\"vocab_size\": 100", with: "\"vocab_size\": 100, \"time_step_limit\": [0.0, Infinity, -Infinity, NaN]"
    )
    let layers = try ScratchFolder.with("tiny.json", text) { try ModelDescription(contentsOf: $0).layers }
    #expect(layers == 2)
    let size = ModelDescriptionTests.small.replacing("\"vocab_size\": 100", with: "\"vocab_size\": Infinity")
    let error = try #require(throws: DescriptionError.self) {
      try ScratchFolder.with("tiny.json", size) { try ModelDescription(contentsOf: $0) }
    }
    #expect(error.description.contains("field 'vocab_size' is inf; expected a whole number"))
  }
}
