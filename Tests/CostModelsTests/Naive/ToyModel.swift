import CostModels
import Foundation
import Serving
import Statistics
import Systems
import TestSupport

/// A small model of made-up sizes: what its `config.json` says, and nothing that follows from it.
struct ToyModel {
  var layers = 2
  var hidden = 256
  var vocabulary = 1000
  var heads = 8
  var keyValueHeads = 4
  var headDim = 64
  /// Width of the dense MLP, or of one expert.
  var intermediate = 512
  /// Experts in each layer; 0 in a dense model.
  var experts = 0
  var topK = 0
  /// Keys that a token sees in every other layer, beginning with the first; in all layers where dense.
  ///
  /// Of latent attention they are those that an indexer picks, in all layers.
  var window: Int?
  /// Whether experts are stored in MXFP4.
  var isMXFP4 = false
  /// Whether Marlin's kernels compute them: those of 4-bit integers, with widths filled up.
  var isMarlin = false

  /// The first layers, which have a dense MLP of this width where the others have experts.
  var denseLayers = 0
  var denseWidth = 384
  /// Width of the MLP that every token passes beside its experts; 0 without.
  var sharedWidth: Int { isLatent || isHalved ? intermediate : 0 }
  /// Whether attention is over latent vectors; only in models with experts and without windows.
  var isLatent = false
  /// Sizes of latent attention.
  let queryRank = 96
  let latent = 64
  let nope = 32
  let rope = 16
  let value = 32
  /// Sizes of an indexer.
  let indexHeads = 4
  let indexDim = 32
  /// Whether an indexer picks keys.
  var hasIndexer: Bool { isLatent && window != nil }

  /// Whether attention is in a compressed space; only in models with experts alone, and without windows.
  var isCompressed = false
  /// Width of the MLP that routes tokens in such models.
  let routerWidth = 48

  /// Whether every other layer, beginning with the first, is a gated DeltaNet; only in dense models without windows.
  var isHybrid = false
  /// Sizes of a gated DeltaNet.
  let linearKeyHeads = 4
  let linearValueHeads = 8
  let linearKeyDim = 16
  let linearValueDim = 32

  /// Whether every other layer, beginning with the first, is Mamba-2; only in dense models without windows.
  var isStateSpace = false
  /// Sizes of Mamba-2.
  let stateHeads = 8
  let stateHeadDim = 32
  let stateSize = 16
  let stateGroups = 2
  let stateChunk = 64

  /// Whether the recurrence is Mamba-1, of twice as many channels as the model is wide; only with ``isStateSpace``.
  var isSelective = false
  /// Width of the vector that its time steps are made of.
  let selectiveRank = 12

  /// Whether each layer is a half: Mamba-2, attention and experts in turn, whose MLPs have no gates; only with
  /// ``isStateSpace`` and experts.
  var isHalved = false
  /// Width that tokens are projected down to for the experts, and up from; `nil` where experts see the whole width.
  var expertLatent: Int?
  /// Whether a token's experts come from two groups of four; only with latent attention.
  var choosesGroups = false

  /// Whether a layer is a recurrence.
  func isRecurrent(_ layer: Int) -> Bool {
    (isHybrid || isStateSpace) && layer.isMultiple(of: isHalved ? 3 : 2)
  }

  /// Whether a layer has experts.
  func hasExperts(_ layer: Int) -> Bool {
    isHalved ? layer % 3 == 2 : experts > 0 && layer >= denseLayers
  }

  /// Whether tokens see each other in a layer, and whether something is computed of each.
  func hasMixer(_ layer: Int) -> Bool { !isHalved || layer % 3 != 2 }
  func hasMLP(_ layer: Int) -> Bool { !isHalved || layer % 3 == 2 }

  /// Whether the engine applies the window in all layers.
  var windowsEveryLayer = false

  /// Whether a layer has the window.
  func isWindowed(_ layer: Int) -> Bool {
    window != nil && (windowsEveryLayer || experts == 0 || isLatent || layer.isMultiple(of: 2))
  }
  /// GPT-OSS has biases in every projection; the other families here have none.
  var hasBias: Bool { experts > 0 && window != nil && !isLatent }

  /// The model as it is read from a file.
  func read() throws -> ModelDescription {
    let family =
      isLatent
      ? (hasIndexer ? "deepseek_v32" : "deepseek_v3")
      : isStateSpace
        ? (isHalved ? "nemotron_h" : isSelective ? "jamba" : "bamba")
        : isCompressed
          ? "zaya"
          : isHybrid
            ? "qwen3_5_text"
            : experts > 0 ? (window == nil ? "qwen3_moe" : "gpt_oss") : (window == nil ? "llama" : "mistral")
    var fields: [String: Any] = [
      "model_type": family, "num_hidden_layers": layers, "hidden_size": hidden, "vocab_size": vocabulary,
      "num_attention_heads": heads, "num_key_value_heads": keyValueHeads, "head_dim": headDim,
      "max_position_embeddings": 1 << 20,
    ]
    switch family {
    case "deepseek_v3", "deepseek_v32":
      fields["n_routed_experts"] = experts
      fields["moe_intermediate_size"] = intermediate
      fields["n_shared_experts"] = 1
      fields["first_k_dense_replace"] = denseLayers
      fields["intermediate_size"] = denseWidth
      fields["q_lora_rank"] = queryRank
      fields["kv_lora_rank"] = latent
      fields["qk_nope_head_dim"] = nope
      fields["qk_rope_head_dim"] = rope
      fields["v_head_dim"] = value
      if choosesGroups { (fields["n_group"], fields["topk_group"]) = (4, 2) }
      if hasIndexer {
        fields["index_topk"] = window
        fields["index_n_heads"] = indexHeads
        fields["index_head_dim"] = indexDim
      }
    case "qwen3_5_text":
      fields["intermediate_size"] = intermediate
      fields["full_attention_interval"] = 2
      fields["attn_output_gate"] = false
      fields["linear_num_key_heads"] = linearKeyHeads
      fields["linear_num_value_heads"] = linearValueHeads
      fields["linear_key_head_dim"] = linearKeyDim
      fields["linear_value_head_dim"] = linearValueDim
    case "bamba":
      fields["intermediate_size"] = intermediate
      fields["attn_layer_indices"] = (0..<layers).filter { !isRecurrent($0) }
      fields["mamba_n_heads"] = stateHeads
      fields["mamba_d_head"] = stateHeadDim
      fields["mamba_d_state"] = stateSize
      fields["mamba_n_groups"] = stateGroups
      fields["mamba_chunk_size"] = stateChunk
    case "jamba":
      fields["intermediate_size"] = intermediate
      (fields["attn_layer_period"], fields["attn_layer_offset"]) = (2, 1)
      (fields["mamba_d_state"], fields["mamba_dt_rank"]) = (stateSize, selectiveRank)
      fields["num_experts"] = 1
    case "nemotron_h":
      fields["hybrid_override_pattern"] = String((0..<layers).map { Array("M*E")[$0 % 3] })
      fields["mamba_num_heads"] = stateHeads
      fields["mamba_head_dim"] = stateHeadDim
      fields["ssm_state_size"] = stateSize
      fields["n_groups"] = stateGroups
      fields["chunk_size"] = stateChunk
      fields["n_routed_experts"] = experts
      fields["moe_intermediate_size"] = intermediate
      fields["n_shared_experts"] = 1
      fields["moe_shared_expert_intermediate_size"] = sharedWidth
      fields["moe_latent_size"] = expertLatent
    case "zaya":
      fields["num_experts"] = experts
      fields["moe_intermediate_size"] = intermediate
      fields["router_hidden_size"] = routerWidth
    case "qwen3_moe":
      fields["mlp_only_layers"] = Array(0..<denseLayers)
      fields["intermediate_size"] = denseWidth
      fields["num_experts"] = experts
      fields["moe_intermediate_size"] = intermediate
    case "gpt_oss":
      fields["num_local_experts"] = experts
      fields["intermediate_size"] = intermediate
    default:
      fields["intermediate_size"] = intermediate
    }
    if experts > 0 { fields["num_experts_per_tok"] = topK }
    if let window, !isLatent { fields["sliding_window"] = window }
    if isMXFP4 { fields["quantization_config"] = ["quant_method": "mxfp4"] }
    let data = try JSONSerialization.data(withJSONObject: fields)
    return try ScratchFolder.with("toy.json", String(decoding: data, as: UTF8.self)) {
      try ModelDescription(contentsOf: $0)
    }
  }

  /// Creates the default model.
  init() {}

  /// Draws a model that can be shared by 1, 2 or 4 GPUs.
  init(using random: inout SplitMix64) {
    func pick<Value>(_ values: [Value]) -> Value { values[Int(random.next() % UInt64(values.count))] }
    layers = pick([1, 2, 3, 5])
    hidden = pick([128, 256, 320])
    vocabulary = pick([1000, 1001])
    heads = pick([8, 16])
    keyValueHeads = pick([1, 2, 4, 8])
    headDim = pick([32, 64])
    intermediate = pick([128, 192, 512])
    if pick([true, true, false]) {
      experts = pick([4, 8, 16])
      topK = pick([1, 2, 4])
    }
    window = pick([nil, 64, 200])
    isMXFP4 = experts > 0 && pick([true, false])
    isMarlin = isMXFP4 && pick([true, false])
    if experts > 0, window == nil {
      isLatent = pick([true, false])
      denseLayers = min(pick([0, 1, 2]), layers - 1)
      if isLatent { window = pick([nil, nil, 64, 200]) }
      choosesGroups = isLatent && 2 * topK <= experts && pick([true, false])
      if !isLatent { isCompressed = pick([true, false]) }
      if isCompressed { denseLayers = 0 }
    }
    if experts == 0, window == nil, layers > 1 { isHybrid = pick([true, false]) }
    if experts == 0, window == nil, !isHybrid { isStateSpace = pick([true, false]) }
  }
}

/// A toy model on some GPUs under an engine, as the cost model and the naive one are given it.
struct ToySystem {
  var model: ToyModel
  var gpus: Int
  /// Groups of GPUs that share out the experts.
  var expertRanks = 1
  /// Ranks of so many GPUs, which share the experts.
  var dataParallel = 1
  /// Seconds and seconds a byte of each way to the experts of other ranks, and back.
  var dispatch = [(4e-6, 3e-12)]
  var combine = [(5e-6, 4e-12), (2e-5, 1e-12)]
  var engine: EngineDescription
  var hardware: HardwareDescription
  var calibration: ToyCalibration
  var routing = RoutingModel.uniform

  /// A system whose engine adds nothing and whose calibration has round numbers.
  init(_ model: ToyModel = ToyModel(), gpus: Int = 1) throws {
    self.model = model
    self.gpus = gpus
    engine = try shippedProfiles.engine("ideal")
    hardware = try shippedProfiles.hardware("h100-sxm")
    calibration = ToyCalibration(for: model, gpus: gpus)
  }

  /// Draws a system of every kind that there is.
  init(using random: inout SplitMix64) throws {
    func pick<Value>(_ values: [Value]) -> Value { values[Int(random.next() % UInt64(values.count))] }
    model = ToyModel(using: &random)
    gpus = pick([1, 2, 4])
    expertRanks = model.experts > 0 ? pick([1, 1, gpus]) : 1
    engine = try shippedProfiles.engine(pick(["ideal", "nano-vllm", "paper"]))
    if engine.dequantisesExperts { model.isMarlin = false }
    try engine.set("model.mxfp4_marlin=\(model.isMarlin)")
    try engine.set("graphs.sizes=\(pick(["none", "1,2,4,8,16,64,256", "3,100,500"]))")
    try engine.set("graphs.decode_only=\(pick([true, false]))")
    try engine.set("all_reduce.kernel=\(pick(["vllm", "sglang", "trtllm"]))")
    try engine.set("all_reduce.does_norm=\(pick([true, false]))")
    try engine.set("all_reduce.custom_limit_bytes=\(pick([0, 20_000, 1 << 23]))")
    try engine.set("repeats.embedding_and_head=\(pick([true, false]))")
    try engine.set("elementwise.fused=\(pick([true, false]))")
    try engine.set("attention.splits_keys=\(pick([true, false]))")
    try engine.set("experts.own_choices=\(pick([true, false, false]))")
    for setting in [
      "host.partial_depth_token_us", "all_reduce.skew_us", "all_reduce.eager_floor_us",
      "host.exposed_per_iteration_us", "host.exposed_per_sequence_us", "host.per_decode_sequence_us",
      "host.per_prefill_sequence_us", "host.per_prefill_token_us",
      "host.eager_layer_us", "host.eager_launch_us", "host.graph_layer_us", "kernel_scale.other",
      "kernel_scale.attention",
      "kernel_scale.expert_mlp", "kernel_scale.expert_prefill", "kernel_scale.mxfp4_prefill",
    ] where pick([true, false]) {
      try engine.set("\(setting)=\(0.5 + random.uniform())")
    }
    hardware = try shippedProfiles.hardware("h100-sxm")
    try hardware.set("energy.idle_w=\(pick([0, 60]))")
    try hardware.set("energy.busy_w=\(pick([0, 70]))")
    try hardware.set("power.measured_at_w=\(pick([90, 150, 700]))")
    try hardware.set("power.sustained_ms=\(pick([0.01, 0.1, 2]))")
    calibration = ToyCalibration(
      for: model, gpus: gpus, expertRanks: expertRanks, isDrawn: true, using: &random)
    routing = pick([.uniform, .standard, .coverage([CoveragePoint(tokens: 10, experts: 4)])])
    try balance(pick([nil, 0, 1, 3]))
  }

  /// Balances the ranks that share out experts, with so many more copies on each; `nil` does not.
  private mutating func balance(_ copies: Int?) throws {
    try engine.set("experts.balanced=\(copies != nil && expertRanks > 1)")
    try engine.set("experts.redundant=\(expertRanks > 1 ? (copies ?? 0) * expertRanks : 0)")
  }

  /// Has ranks share the experts.
  mutating func share(using random: inout SplitMix64) throws {
    func pick<Value>(_ values: [Value]) -> Value { values[Int(random.next() % UInt64(values.count))] }
    dataParallel = pick([2, 4])
    let all = gpus * dataParallel
    expertRanks = pick([1, gpus, all].filter { model.experts.isMultiple(of: $0) })
    calibration = ToyCalibration(
      for: model, gpus: gpus, expertRanks: expertRanks, dataParallel: dataParallel, isDrawn: true,
      using: &random)
    try balance(pick([nil, 0, 2]))
  }

  /// A dense layer with the model's attention.
  func eagle(intermediate: Int, vocabulary: Int) -> ToyModel {
    var layer = model
    (layer.layers, layer.experts, layer.topK, layer.window, layer.isLatent) = (1, 0, 0, nil, false)
    (layer.isHybrid, layer.isCompressed, layer.isStateSpace) = (false, false, false)
    (layer.intermediate, layer.vocabulary) = (intermediate, vocabulary)
    (layer.isMXFP4, layer.isMarlin) = (false, false)
    return layer
  }

  /// The system as the cost model takes it.
  func served() throws -> ServedSystem {
    try ServedSystem(
      model: model.read(), hardware: hardware, engine: engine, tensorParallel: gpus,
      expertParallel: expertRanks, dataParallel: dataParallel,
      exchange: ExpertExchange.Law(
        dispatch: dispatch.map { ($0.0, $0.1) }, combine: combine.map { ($0.0, $0.1) }, quality: .measured))
  }

  /// The cost model of the system.
  func costModel(
    width: Int = 1, drafter: Drafter? = nil, profile: TokenProfile? = nil
  ) throws -> Meter {
    let system = try served()
    let law = model.experts > 0 ? try ExpertRouting(routing, for: system.shard.model) : nil
    return Meter(
      KernelCostModel(
        system: system, calibration: try calibration.read(), routing: law, width: width, drafter: drafter,
        profile: profile))
  }

  /// The naive cost model of the same system.
  func naive() throws -> NaiveCostModel {
    let law =
      model.experts > 0 ? try ExpertRouting(routing, for: engine.served(model.read(), on: hardware)) : nil
    var model = model
    if engine.dequantisesExperts { (model.isMXFP4, model.isMarlin) = (false, false) }
    model.windowsEveryLayer = engine.windowsEveryLayer
    var naive = NaiveCostModel(
      model: model, gpus: gpus, expertRanks: expertRanks, engine: engine, hardware: hardware,
      calibration: calibration, routing: law)
    (naive.dataParallel, naive.dispatch, naive.combine) = (dataParallel, dispatch, combine)
    return naive
  }
}
