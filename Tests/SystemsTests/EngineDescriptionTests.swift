import Foundation
import Support
import Systems
import TestSupport
import Testing

@Suite struct EngineDescriptionTests {
  @Test("every setting of a shipped engine has a source", arguments: shippedProfiles.names(in: "engines"))
  func sources(name: String) throws {
    let engine = try shippedProfiles.engine(name)
    #expect(engine.name == name)
    let neutral = EngineDescription()
    for setting in EngineDescription.settings {
      // Engines from before there was such a setting do without.
      if setting.isLate, setting.text(in: engine) == setting.text(in: neutral) { continue }
      let origin = try #require(engine.provenance[setting.path], "\(setting.path)")
      #expect(!origin.source.isEmpty)
    }
  }

  @Test("the ideal engine is the neutral one")
  func ideal() throws {
    var ideal = try shippedProfiles.engine("ideal")
    #expect(ideal.graphs.padded(rows: 77, carriesPrefill: false) == (77, true))
    #expect(
      ideal.host.preparation(decodes: 9, prefills: 3, enteringTokens: 512, partialDepthTokens: 512) == 0)
    (ideal.name, ideal.summary, ideal.provenance) = ("", "", [:])
    #expect(ideal == EngineDescription())
  }

  @Test("nano-vllm takes 1 ms an iteration, and 1.41 ms more to carry 5,900 tokens through a group of layers")
  func host() throws {
    let host = try shippedProfiles.engine("nano-vllm").host
    let whole = host.preparation(decodes: 30, prefills: 1, enteringTokens: 512)
    let layered = host.preparation(decodes: 30, prefills: 1, enteringTokens: 0, partialDepthTokens: 5900)
    #expect(abs(whole - 1.0e-3) < 1e-9)
    #expect(abs(layered - 2.41e-3) < 1e-9)
  }

  @Test(
    "batches are padded to captured sizes, and run eagerly beyond",
    arguments: [
      (0, 0, true), (1, 1, true), (7, 7, true), (9, 10, true), (15, 16, true), (33, 40, true),
      (120, 120, true),
      (121, 128, true), (449, 512, true), (513, 1024, true), (1024, 1024, true), (1025, 1025, false),
    ])
  func padding(rows: Int, padded: Int, inGraph: Bool) throws {
    let graphs = try shippedProfiles.engine("nano-vllm").graphs
    #expect(graphs.padded(rows: rows, carriesPrefill: false) == (padded, inGraph))
  }

  @Test(
    "a largest graph ends the sizes, or goes on beyond them in steps of 16",
    arguments: [
      (64, 33, 40, true), (64, 64, 64, true), (64, 65, 65, false), (20, 17, 20, true), (20, 21, 21, false),
      (2048, 33, 40, true), (2048, 1025, 1040, true), (2048, 2040, 2048, true), (2048, 2049, 2049, false),
      (1030, 1029, 1030, true),
    ])
  func largestGraph(largest: Int, rows: Int, padded: Int, inGraph: Bool) throws {
    var engine = try shippedProfiles.engine("nano-vllm")
    try engine.set("graphs.largest=\(largest)")
    #expect(engine.graphs.padded(rows: rows, carriesPrefill: false) == (padded, inGraph))
  }

  @Test("graphs of decode alone hold no rows of prompts, and an engine without sizes holds all")
  func decodeGraphs() throws {
    var engine = try shippedProfiles.engine("trtllm")
    #expect(engine.graphs.padded(rows: 9, carriesPrefill: false) == (16, true))
    #expect(engine.graphs.padded(rows: 9, carriesPrefill: true) == (9, false))
    #expect(engine.graphs.padded(rows: 1025, carriesPrefill: true) == (1025, false))
    try engine.set("graphs.decode_only=false")
    #expect(engine.graphs.padded(rows: 9, carriesPrefill: true) == (16, true))
    try engine.set("graphs.decode_only=true")
    try engine.set("graphs.sizes=none")
    #expect(engine.graphs.padded(rows: 9, carriesPrefill: true) == (9, true))
  }

  @Test("settings change by path, and say that they did")
  func set() throws {
    var engine = try shippedProfiles.engine("nano-vllm")
    try engine.set("host.per_iteration_ms=1.25")
    try engine.set("graphs.sizes=1,8,64")
    try engine.set("repeats.embedding_and_head=false")
    try engine.set("kv.block_size=32")
    #expect(engine.host.perIterationMilliseconds == 1.25)
    #expect(engine.graphs.padded(rows: 9, carriesPrefill: false) == (64, true))
    #expect(!engine.repeatsEmbeddingAndHead)
    #expect(engine.keyValueBlockSize == 32)
    #expect(engine.provenance["kv.block_size"]?.quality == .user)
    try engine.set("graphs.sizes=none")
    #expect(engine.graphs.sizes.isEmpty)
  }

  @Test("every setting's text reads back")
  func roundTrip() throws {
    var engine = try shippedProfiles.engine("nano-vllm")
    let before = engine
    for setting in EngineDescription.settings {
      try engine.set("\(setting.path)=\(setting.text(in: engine))")
      #expect(EngineDescription.help.contains(setting.path))
    }
    engine.provenance = before.provenance
    #expect(engine == before)
  }

  @Test(
    "unknown settings suggest the nearest, bad values the right ones",
    arguments: [
      (
        "host.per_iteraton_ms=1",
        "unknown engine setting 'host.per_iteraton_ms'; did you mean 'host.per_iteration_ms'?"
      ),
      ("per_iteration_ms=1", "did you mean 'host.per_iteration_ms'?"),
      ("zzz=1", "unknown engine setting 'zzz'"),
      ("host.per_iteration_ms", "'' is invalid; expected a number in 0.0...60000.0 (ms)"),
      ("host.outside_token_us=1e9", "expected a number in 0.0...100000.0 (us)"),
      ("host.per_iteration_ms=-1", "'-1' is invalid"),
      ("host.per_iteration_ms=inf", "'inf' is invalid"),
      ("host.per_iteration_ms=nan", "'nan' is invalid"),
      ("kv.block_size=1.5", "expected a whole number in 1...65536 (tokens)"),
      ("kernel_scale.other=0", "expected a number in 0.001...1000.0"),
      ("graphs.sizes=4,2", "expected ascending positive whole numbers"),
      ("graphs.sizes=1,,2", "expected ascending positive whole numbers"),
      ("repeats.embedding_and_head=yes", "expected true or false"),
    ])
  func setErrors(assignment: String, message: String) throws {
    var engine = EngineDescription()
    let error = try #require(throws: DescriptionError.self) { try engine.set(assignment) }
    #expect(error.description.contains(message), "\(error)")
    #expect(error.exitStatus == .usage)
    #expect(engine == EngineDescription())
  }

  /// Engine files with a mistake, and what the message says of it.
  static let mistakes: [(text: String, message: String)] = [
    (
      #"{"host": {"per_iteration": 1}}"#,
      "unknown field 'host.per_iteration'; did you mean 'host.per_iteration_ms'?"
    ),
    (#"{"host": {"per_iteration_ms": 1}}"#, "field 'host.per_iteration_ms.source' is missing"),
    (#"{"quality": "guess", "source": "x"}"#, "field 'quality' is 'guess'; expected one of measured"),
    (#"{"quality": "fitted"}"#, "field 'quality' is 'fitted'; expected a source beside it"),
    (#"{"source": "x"}"#, "field 'quality' is missing"),
    (#"{"host": 3}"#, "field 'host' is 3; expected an object"),
    (
      #"{"kv": {"block_size": {"value": 0, "quality": "fitted", "source": "x"}}}"#,
      "field 'kv.block_size' is 0"
    ),
    (
      #"{"kv": {"block_size": {"quality": "fitted", "source": "x"}}}"#,
      "field 'kv.block_size.value' is missing"
    ),
    (#"{"kv": {"block_size": {"value": 1, "units": "x"}}}"#, "unknown field 'kv.block_size.units'"),
    (#"[1]"#, "the top level is not a JSON object"),
  ]

  @Test("says what is wrong with a file, and where", arguments: mistakes)
  func fileErrors(text: String, message: String) throws {
    let error = try #require(throws: DescriptionError.self) {
      try ScratchFolder.with("engine.json", text) { try EngineDescription(contentsOf: $0) }
    }
    #expect(error.description.contains("engine.json: "), "\(error)")
    #expect(error.description.contains(message), "\(error)")
  }

  @Test("the reference engine keeps 0.7 to 0.85 million tokens of Qwen3-30B-A3B on two H100")
  func memory() throws {
    let engine = try shippedProfiles.engine("nano-vllm")
    let h100 = try shippedProfiles.hardware("h100-sxm")
    let shard = try shipped("qwen3-30b-a3b").shard(over: 2)
    let tokens =
      try engine.keyValueBlocks(shard, on: h100, utilisation: 0.85, maxBatchedTokens: 8192)
      * engine.keyValueBlockSize
    #expect((700_000...850_000).contains(tokens))
    let fewer = try engine.keyValueBlocks(shard, on: h100, utilisation: 0.85, maxBatchedTokens: 16_384)
    #expect(fewer * 16 < tokens)
  }

  @Test("layers without attention keep a state of each sequence, and one behind each draft")
  func states() throws {
    var engine = try shippedProfiles.engine("vllm-0.24")
    // With a prefix cache they are paged instead.
    try engine.set("cache.prefixes=false")
    #expect(engine.stateSequences == 256 && engine.provenance["memory.state_sequences"]?.quality == .estimate)
    let h200 = try shippedProfiles.hardware("h200-sxm")
    let shard = try shipped("qwen3-next-80b-a3b").shard(over: 4)
    func bytes(sequences: Int, drafts: Int = 0, further: Int = 0) throws -> Double {
      let blocks = try engine.keyValueBlocks(
        shard, on: h200, utilisation: 0.9, maxBatchedTokens: 8192, maxSequences: sequences, drafts: drafts,
        furtherStateBytes: further)
      return Double(blocks * engine.keyValueBlockSize * shard.keyValueBytesPerToken)
    }
    let state = Double(shard.stateBytesPerSequence)
    let block = Double(engine.keyValueBlockSize * shard.keyValueBytesPerToken)
    func check(_ taken: Double, _ expected: Double) { #expect(abs(taken - expected) <= block) }
    check(try bytes(sequences: 10) - bytes(sequences: 110), 100 * state)
    check(try bytes(sequences: 100) - bytes(sequences: 100, drafts: 2), 200 * state)
    check(try bytes(sequences: 100) - bytes(sequences: 100, further: 1 << 20), 100 * Double(1 << 20))
    #expect(try bytes(sequences: 256) == bytes(sequences: 1024))
    try engine.set("memory.state_sequences=512")
    check(try bytes(sequences: 256) - bytes(sequences: 1024), 256 * state)
  }

  @Test(
    "MXFP8 activations rest on a file of the source, or are an estimate",
    arguments: shippedProfiles.names(in: "engines"))
  func mxfp8(name: String) throws {
    let engine = try shippedProfiles.engine(name)
    guard engine.usesMXFP8Activations else { return }
    let provenance = try #require(engine.provenance["model.mxfp8_activations"])
    #expect(provenance.quality == .estimate || provenance.source.contains(".py"))
  }

  @Test("a model that does not fit is refused in one line")
  func tooLarge() throws {
    let engine = try shippedProfiles.engine("nano-vllm")
    let shard = try shipped("qwen3-30b-a3b").shard(over: 1)
    let h100 = try shippedProfiles.hardware("h100-sxm")
    let error = try #require(throws: DescriptionError.self) {
      try engine.keyValueBlocks(shard, on: h100, utilisation: 0.7, maxBatchedTokens: 8192)
    }
    #expect(error.description.contains("no memory is left for KV blocks on h100-sxm with 1 GPUs"))
  }

  @Test("the reference engine serves GPT-OSS dequantised, its window in every layer")
  func served() throws {
    let model = try shipped("gpt-oss-20b")
    let h100 = try shippedProfiles.hardware("h100-sxm")
    let served = try shippedProfiles.engine("paper").served(model, on: h100)
    #expect(served.expertFormat == .bf16 && served.windowedLayers == 24)
    #expect(try shippedProfiles.engine("ideal").served(model, on: h100) == model)
  }

  /// By hand: 2,880 outside fills up to 3,072, and 2,880 and its half inside to 2,944 and 1,536, in memory too.
  @Test("Marlin's kernels fill up the widths of MXFP4 experts")
  func marlin() throws {
    let model = try shipped("gpt-oss-120b")
    var engine = try shippedProfiles.engine("vllm-0.18")
    try engine.set("model.mxfp4_marlin=true")
    let served = engine.served(model, on: try shippedProfiles.hardware("h100-sxm"))
    #expect(served.expertFormat == .mxfp4Marlin)
    #expect(served.bytesPerExpert == 2 * 2944 * (3072 / 2 + 3072 / 32) + 3072 * (2944 / 2 + 2944 / 32))
    let half = try served.shard(over: 2)
    #expect(half.bytesPerExpert == 2 * 1536 * (3072 / 2 + 3072 / 32) + 3072 * (1536 / 2 + 1536 / 32))
    #expect(served.parameters == model.parameters)
    // MXFP8 activations come first, where a GPU has kernels for them.
    #expect(
      engine.served(model, on: try shippedProfiles.hardware("b200-sxm")).expertFormat == .mxfp4MXFP8)
    // Before Hopper there is nothing else.
    let plain = try shippedProfiles.engine("vllm-0.18")
    for (gpu, format) in [
      ("a100-sxm", WeightFormat.mxfp4Marlin), ("l40s", .mxfp4), ("rtx-pro-6000", .mxfp4),
      ("h100-sxm", .mxfp4),
    ] {
      #expect(plain.served(model, on: try shippedProfiles.hardware(gpu)).expertFormat == format, "\(gpu)")
    }
    #expect(engine.served(try shipped("qwen3-30b-a3b"), on: .init()) == (try shipped("qwen3-30b-a3b")))
  }

  @Test("on data-centre Blackwell, MXFP4 experts get MXFP8 activations and no factor of dequantising kernels")
  func mxfp8() throws {
    let model = try shipped("gpt-oss-120b")
    let h100 = try shippedProfiles.hardware("h100-sxm")
    for (name, format, factor) in [
      ("vllm-0.13", WeightFormat.mxfp4, 1.0), ("vllm-0.18", .mxfp4MXFP8, 1), ("sglang-0.5", .mxfp4MXFP8, 1),
    ] {
      let engine = try shippedProfiles.engine(name)
      for gpu in ["b200-sxm", "b300-sxm", "gb200", "gb300"] {
        let blackwell = try shippedProfiles.hardware(gpu)
        #expect(engine.served(model, on: blackwell).expertFormat == format, "\(name) on \(gpu)")
        #expect(engine.adapted(to: blackwell).kernelScale.mxfp4Prefill == factor)
      }
      #expect(engine.served(model, on: h100).expertFormat == .mxfp4)
      #expect(engine.adapted(to: h100) == engine)
    }
    // The factor is that of Triton's kernels on Hopper.
    let engine = try shippedProfiles.engine("vllm-0.18")
    for (gpu, factor) in [
      ("h100-sxm", 1.8), ("h200-sxm", 1.8), ("a100-sxm", 1), ("l40s", 1), ("rtx-pro-6000", 1),
    ] {
      #expect(try engine.adapted(to: shippedProfiles.hardware(gpu)).kernelScale.mxfp4Prefill == factor)
    }
    var asked = try shippedProfiles.engine("vllm-0.18")
    try asked.set("kernel_scale.mxfp4_prefill=2")
    #expect(try asked.adapted(to: shippedProfiles.hardware("b200-sxm")).kernelScale.mxfp4Prefill == 2)
  }
}
