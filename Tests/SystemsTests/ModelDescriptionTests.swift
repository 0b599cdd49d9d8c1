import Foundation
import Support
import Systems
import TestSupport
import Testing

@Suite struct ModelDescriptionTests {
  @Test(
    "counts the parameters that model cards give",
    arguments: [
      ("qwen3-30b-a3b", 30_532_122_624, 3.35e9, true),  // 30.5 B, 3.3 B activated
      ("gpt-oss-20b", 20_914_757_184, 3.61e9, false),  // 20.91 B, 3.61 B active
      ("qwen3-8b", 8_190_735_360, 8.19e9, true),  // 8.2 B
      ("llama-3.1-8b", 8_030_261_248, 8.03e9, true),  // 8.03 B
      ("llama-3.1-70b", 70_553_706_496, 69.50e9, false),
      ("llama-3.1-405b", 405_853_388_800, 403.8e9, false),
      ("qwen3-0.6b", 596_049_920, 0.596e9, false),
      ("qwen3-32b", 32_762_123_264, 31.98e9, false),
      ("qwen3-235b-a22b", 235_093_634_560, 21.57e9, false),
      ("qwen3-coder-480b-a35b", 480_154_875_392, 34.54e9, false),
      ("mixtral-8x7b", 46_702_792_704, 12.75e9, false),
      ("mixtral-8x22b", 140_620_634_112, 38.95e9, false),
      ("minimax-m2.5", 228_689_764_864, 10.42e9, false),
      ("gpt-oss-120b", 116_829_156_672, 5.133e9, false),
      ("deepseek-v3", 671_026_419_200, 36.63e9, false),
      ("deepseek-r1", 671_026_419_200, 36.63e9, false),
      ("deepseek-v3.2", 671_877_944_064, 37.48e9, false),
      ("kimi-k2", 1_026_408_232_448, 31.69e9, false),
      ("glm-5", 743_911_218_432, 40.83e9, false),
      ("glm-4.5-air", 106_852_251_264, 12.80e9, false),
      ("llama-4-scout", 107_769_861_120, 16.14e9, false),
      ("llama-4-maverick", 400_711_848_960, 16.15e9, false),
      ("qwen3-next-80b-a3b", 79_674_391_296, 3.564e9, false),
      ("qwen3.5-35b-a3b", 34_660_610_688, 2.946e9, false),
      ("qwen3.5-122b-a10b", 122_111_526_912, 9.008e9, false),
      ("qwen3.5-397b-a17b", 396_346_350_336, 16.33e9, false),
      ("qwen3.5-27b", 26_895_998_464, 25.63e9, false),
      ("gemma-3-27b", 27_009_346_304, 27.01e9, false),
      ("gemma-4-26b-a4b", 25_233_141_790, 3.823e9, false),
      ("nemotron-3-nano-30b-a3b", 31_577_940_288, 3.228e9, false),
      ("nemotron-3-super-120b-a12b", 120_668_707_840, 12.23e9, false),
      ("jamba-1.5-mini", 51_570_323_328, 11.84e9, false),
      ("nemotron-h-56b", 56_324_350_464, 55.25e9, false),
      ("falcon-h1-34b", 33_642_221_312, 32.31e9, false),
      ("mamba2-130m", 128_989_632, 128_989_632, false), ("mamba2-370m", 368_346_624, 368_346_624, false),
      ("mamba2-780m", 780_161_280, 780_161_280, false),
      ("mamba2-1.3b", 1_343_757_312, 1_343_757_312, false),
      ("mamba2-2.7b", 2_702_599_680, 2_702_599_680, false),
    ])
  func parameters(name: String, total: Int, active: Double, includingEmbedding: Bool) throws {
    let model = try shipped(name)
    #expect(model.name == name)
    #expect(model.parameters == total)
    let counted = Double(model.activeParameters(includingEmbedding: includingEmbedding))
    #expect(abs(counted / active - 1) < 0.005)
  }

  @Test(
    "what tokens and sequences keep, and what an expert takes, are the published bytes",
    arguments: [
      ("deepseek-v3", 70_272, 0, 44_050_944), ("deepseek-v3.2", 70_272 + 8_052, 0, 44_050_944),
      ("kimi-k2", 70_272, 0, 44_050_944), ("glm-5", 89_856 + 10_296, 0, 2 * 37_748_736),
      ("glm-4.5-air", 188_416, 0, 34_603_008), ("llama-4-scout", 196_608, 0, 251_658_240),
      ("qwen3-next-80b-a3b", 24_576, 77_266_944, 6_291_456),
      ("qwen3.5-35b-a3b", 20_480, 64_389_120, 6_291_456),
      ("qwen3.5-122b-a10b", 24_576, 153_649_152, 18_874_368),
      ("qwen3.5-397b-a17b", 30_720, 192_061_440, 25_165_824),
      ("qwen3.5-27b", 65_536, 153_944_064, 0), ("gemma-3-27b", 507_904, 0, 0),
      ("gemma-4-26b-a4b", 225_280, 0, 11_894_784),
      ("nemotron-3-nano-30b-a3b", 6_144, 49_082_368, 19_955_712),
      ("nemotron-3-super-120b-a12b", 8_192, 170_229_760, 11_010_048),
      ("jamba-1.5-mini", 16_384, 16_056_320, 352_321_536),
      ("llama-3.1-8b", 131_072, 0, 0), ("llama-3.1-70b", 327_680, 0, 0), ("llama-3.1-405b", 516_096, 0, 0),
      ("qwen3-0.6b", 114_688, 0, 0), ("qwen3-8b", 147_456, 0, 0), ("qwen3-32b", 262_144, 0, 0),
      ("qwen3-30b-a3b", 98_304, 0, 9_437_184), ("qwen3-235b-a22b", 192_512, 0, 37_748_736),
      ("qwen3-coder-480b-a35b", 253_952, 0, 94_371_840), ("mixtral-8x7b", 131_072, 0, 352_321_536),
      ("mixtral-8x22b", 229_376, 0, 603_979_776), ("deepseek-r1", 70_272, 0, 44_050_944),
      ("minimax-m2.5", 253_952, 0, 14_155_776 + 4 * 3 * 24 * 12),
      ("llama-4-maverick", 196_608, 0, 251_658_240),
      ("gpt-oss-20b", 49_152, 0, 13_219_200), ("gpt-oss-120b", 73_728, 0, 13_219_200),
      ("nemotron-h-56b", 40_960, 912_605_184, 0), ("falcon-h1-34b", 147_456, 304_201_728, 0),
      ("zaya1-8b", 40_960, 215_040, 25_165_824),
    ])
  func bytes(name: String, perToken: Int, perSequence: Int, perExpert: Int) throws {
    let model = try shipped(name)
    let shard = try model.shard(over: 1)
    #expect(shard.keyValueBytesPerToken == perToken)
    #expect(shard.stateBytesPerSequence == perSequence)
    #expect(model.bytesPerExpert == perExpert)
  }

  @Test(
    "an expert in another format takes the published bytes, without scales in FP8 and with them in 4 bits",
    arguments: [
      ("deepseek-v3", WeightFormat.fp8, 44_040_192), ("kimi-k2", .fp8, 44_040_192),
      ("kimi-k2", .int4Groups32, 24_772_608), ("glm-5", .fp8, 37_748_736), ("minimax-m2.5", .fp8, 14_155_776),
    ])
  func bytesOfExperts(name: String, format: WeightFormat, bytes: Int) throws {
    var model = try shipped(name)
    model.formats.experts = format
    #expect(model.bytesPerExpert == bytes)
  }

  @Test("latent vectors are on every GPU, and whole experts on one of them")
  func shared() throws {
    let model = try shipped("deepseek-v3")
    let (slices, whole) = (try model.shard(over: 8), try model.shard(over: 8, expertRanks: 8))
    #expect(slices.keyValueBytesPerToken == 70_272)
    #expect(whole.expertBytesPerLayer == 32 * model.bytesPerExpert)
    #expect(whole.bytesPerExpert == model.bytesPerExpert)
    #expect(slices.expertIntermediate == 256 && whole.expertIntermediate == 2048)
    #expect(throws: DescriptionError.self) { try model.shard(over: 8, expertRanks: 3) }
  }

  @Test("Qwen3-30B-A3B takes the published bytes")
  func qwenBytes() throws {
    let model = try shipped("qwen3-30b-a3b")
    #expect(model.bytesPerExpert == 9_437_184)
    #expect(model.expertBytesPerLayer * model.layers == 57_982_058_496)
    let half = try model.shard(over: 2)
    #expect(half.bytesPerExpert == 9_437_184 / 2)
    #expect(half.keyValueBytesPerToken == 48 << 10)
    let projections = 2 * 2048 * (16 + 4) * 128 + 2 * 16 * 128 * 2048
    #expect(half.denseBytes(of: half.kinds[0]) == projections + half.routerBytes + 2 * (2 * 2048 + 2 * 128))
    #expect(half.routerBytes == 2 * 2048 * 128)
    #expect(half.headBytes == 151_936 / 2 * 2048 * 2)
    let whole = try model.shard(over: 1)
    #expect(whole.weightBytes == 2 * model.parameters)
  }

  @Test("GPT-OSS-20B takes the published bytes, 4-bit or dequantised")
  func gptOSSBytes() throws {
    let model = try shipped("gpt-oss-20b")
    #expect(model.expertFormat == .mxfp4)
    #expect(model.bytesPerExpert == 13_219_200)
    #expect(try model.shard(over: 2).bytesPerExpert == 6_609_600)
    #expect(try model.shard(over: 2).keyValueBytesPerToken == 24 << 10)
    #expect(model.dequantised().bytesPerExpert == 49_766_400)
    #expect(try model.dequantised().shard(over: 1).weightBytes == 2 * model.parameters)
    #expect(model.windowedLayers == 12)
    #expect(model.window(layer: 0) == 128)
    #expect(model.window(layer: 1) == nil)
    #expect(model.windowedInEveryLayer().windowedLayers == 24)
    #expect(try shipped("qwen3-8b").windowedInEveryLayer().windowedLayers == 0)
    // A row of 720 weights ends in half a block of 32, whose scale counts whole.
    #expect(try model.shard(over: 4).bytesPerExpert == 2 * 720 * (1440 + 90) + 2880 * (360 + 23))
  }

  @Test(
    "shards add up to the model", arguments: ["qwen3-30b-a3b", "gpt-oss-20b", "qwen3-8b", "llama-3.1-8b"])
  func shards(name: String) throws {
    let model = try shipped(name).dequantised()
    for gpus in [1, 2, 4] {
      let shard = try model.shard(over: gpus)
      #expect(shard.weightBytes * gpus >= 2 * model.parameters)
      #expect(Double(shard.weightBytes * gpus) < 2.01 * Double(model.parameters))
    }
  }

  @Test("key-value heads are replicated where there are fewer than GPUs")
  func replication() throws {
    let shard = try shipped("qwen3-30b-a3b").shard(over: 8)
    #expect(shard.replicatesKeyValueHeads)
    #expect(shard.keyValueHeads == 1)
    #expect(shard.keyValueBytesPerToken == 24 << 10)
  }

  @Test("groups that divide nothing evenly are refused", arguments: [3, 0, -1, 5, 64, Int.max])
  func indivisible(gpus: Int) throws {
    let model = try shipped("qwen3-30b-a3b")
    #expect(throws: DescriptionError.self) { try model.shard(over: gpus) }
  }

  /// A small dense model; a mistake is planted by replacing a line.
  static let small = """
    {
      "model_type": "llama",
      "num_hidden_layers": 2,
      "hidden_size": 64,
      "vocab_size": 100,
      "num_attention_heads": 4,
      "num_key_value_heads": 2,
      "intermediate_size": 128,
      "max_position_embeddings": 512
    }
    """

  func small(replacing old: String, by new: String) throws -> ModelDescription {
    #expect(Self.small.contains(old))
    return try ScratchFolder.with("tiny.json", Self.small.replacing(old, with: new)) { file in
      try ModelDescription(contentsOf: file)
    }
  }

  @Test("defaults are those of the families")
  func defaults() throws {
    let model = try small(replacing: "\"num_key_value_heads\": 2,", by: "")
    #expect(model.keyValueHeads == 4)
    #expect(model.headDim == 16)
    #expect(!model.isMixtureOfExperts && !model.hasQueryKeyValueBias && !model.hasTiedEmbeddings)
    let qwen2 = try small(replacing: "\"llama\"", by: "\"qwen2\"")
    #expect(qwen2.hasQueryKeyValueBias && !qwen2.hasOutputBias)
    let mistral = try small(replacing: "\"llama\"", by: "\"mistral\", \"sliding_window\": 8")
    #expect(mistral.windowedLayers == 2)
    let late = "\"qwen3\", \"sliding_window\": 8, \"use_sliding_window\": true, \"max_window_layers\": 1"
    #expect(try small(replacing: "\"llama\"", by: late).windows == [nil, 8])
    let mixtral = "\"mixtral\", \"num_local_experts\": 8, \"num_experts_per_tok\": 2"
    #expect(try small(replacing: "\"llama\"", by: mixtral).expertIntermediate == 128)
  }

  /// What is replaced, by what, and what the message says of it.
  static let mistakes: [(old: String, new: String, message: String)] = [
    (
      "\"llama\"", "\"mamba\"",
      "tiny.json: field 'model_type' is 'mamba' (Mamba-1 is read beside attention alone, as in jamba); expected one of llama"
    ),
    ("\"model_type\": \"llama\",", "", "field 'model_type' is missing"),
    (
      "\"hidden_size\": 64", "\"hidden_size\": 0", "field 'hidden_size' is 0; expected a whole number in 1..."
    ),
    ("\"hidden_size\": 64", "\"hidden_size\": \"64\"", "field 'hidden_size' is '64'"),
    ("\"hidden_size\": 64", "\"hidden_size\": 6.5", "field 'hidden_size' is 6.5"),
    ("\"hidden_size\": 64", "\"hidden_size\": 62", "field 'hidden_size' is 62; expected a multiple of"),
    ("\"num_hidden_layers\": 2,", "", "field 'num_hidden_layers' is missing"),
    (
      "heads\": 2", "heads\": 3",
      "field 'num_key_value_heads' is 3; expected a divisor of num_attention_heads, 4"
    ),
    ("\"llama\"", "\"qwen3_moe\"", "field 'num_experts' is missing"),
    (
      "\"llama\"", "\"gpt_oss\", \"num_local_experts\": 4, \"num_experts_per_tok\": 5",
      "'num_experts_per_tok' is 5"
    ),
    (
      "\"llama\"", "\"qwen3\", \"sliding_window\": 4, \"layer_types\": [\"full_attention\"]",
      "'layer_types' is a list of 1"
    ),
    (
      "\"llama\"", "\"llama\", \"quantization_config\": {\"quant_method\": \"awq\"}",
      "'quantization_config.bits' is missing"
    ),
    (
      "\"llama\"", "\"llama\", \"layer_types\": [\"linear_attention\", \"full_attention\"]",
      "'layer_types[0]' is 'linear_attention'; expected 'full_attention' or 'sliding_attention'"
    ),
    ("64,", "64", "not valid JSON: "),
    ("{", "[{", "not valid JSON"),
  ]

  @Test("says what is wrong with a file, and where", arguments: mistakes)
  func errors(old: String, new: String, message: String) throws {
    let error = try #require(throws: DescriptionError.self) { try small(replacing: old, by: new) }
    #expect(error.description.contains(message), "\(error)")
    #expect(!error.description.contains("\n"))
    #expect(error.exitStatus == .configuration)
  }

  @Test("sizes beyond reason are refused, not multiplied")
  func absurd() throws {
    let huge = Self.small
      .replacing("\"hidden_size\": 64", with: "\"hidden_size\": 16777216")
      .replacing("\"intermediate_size\": 128", with: "\"intermediate_size\": 16777216")
      .replacing("\"num_hidden_layers\": 2", with: "\"num_hidden_layers\": 4096")
    #expect(throws: DescriptionError.self) {
      try ScratchFolder.with("huge.json", huge) { try ModelDescription(contentsOf: $0) }
    }
  }

  @Test("an unknown name lists the known ones")
  func unknownName() throws {
    let error = try #require(throws: DescriptionError.self) { try shipped("qwen") }
    let known = shippedProfiles.names(in: "models")
    #expect(known.count >= 17)
    #expect(error.description.contains("known: \(known.joined(separator: ", "))"))
    #expect(error.exitStatus == .usage)
    let missing = try #require(throws: DescriptionError.self) { try shipped("no/such/config.json") }
    #expect(missing.description == "no/such/config.json: cannot be read: no such file")
    #expect(missing.exitStatus == .noInput)
  }

  @Test("config.json is named after its folder")
  func folderName() throws {
    let model = try ScratchFolder.with("config.json", Self.small) { file in
      (try ModelDescription(contentsOf: file).name, file.deletingLastPathComponent().lastPathComponent)
    }
    #expect(model.0 == model.1)
  }
}
