import Serving
import Systems

/// What says how long an iteration takes.
public enum CostModelKind: Sendable, Hashable, RawRepresentable, Codable {
  /// The prices of the kernels and of the host.
  case kernels
  /// One second, whatever it works on: what is left of a run is its schedule.
  case unit
  /// A law by its name in `laws.csv` of the profiles, or that of a file.
  case law(String)

  /// Reads `kernels`, `unit` or `law[name]`.
  public init?(rawValue: String) {
    switch rawValue {
    case "kernels": self = .kernels
    case "unit": self = .unit
    default:
      guard rawValue.hasPrefix("law["), rawValue.hasSuffix("]") else { return nil }
      self = .law(String(rawValue.dropFirst(4).dropLast()))
    }
  }

  /// The text that ``init(rawValue:)`` reads.
  public var rawValue: String {
    switch self {
    case .kernels: "kernels"
    case .unit: "unit"
    case .law(let name): "law[\(name)]"
    }
  }

  /// Reads the text.
  public init(from decoder: any Decoder) throws {
    let text = try decoder.singleValueContainer().decode(String.self)
    guard let kind = CostModelKind(rawValue: text) else {
      throw DecodingError.dataCorrupted(
        DecodingError.Context(
          codingPath: decoder.codingPath, debugDescription: "expected kernels, unit or law[name]"))
    }
    self = kind
  }

  /// Writes the text.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(rawValue)
  }
}

/// A model on some GPUs under a serving engine, as the user asks for it.
public struct SystemSpecification: Sendable, Hashable {
  /// A model's name (see `sim list models`), or the path of a `config.json`.
  public var model = "qwen3-30b-a3b"
  /// The attention that the model has in place of its own, as `--attention` takes it; `nil` for its own.
  public var attention: PolicySpecification?
  /// How KV entries are kept, as `--kv-policy` takes it; `nil` where all are kept.
  public var keyValuePolicy: PolicySpecification?
  /// A GPU's name (see `sim list hardware`), or the path of a descriptor.
  public var hardware = "h100-sxm"
  /// An engine's name (see `sim list engines`), or the path of a descriptor.
  public var engine = "nano-vllm"
  /// Settings of the engine that differ from its descriptor, by path: `host.per_iteration_ms`.
  public var engineSettings: [String: SettingValue] = [:]
  /// Figures of the GPU that differ from its descriptor, by path: `energy.idle_w`.
  public var hardwareSettings: [String: SettingValue] = [:]
  /// GPUs that share the model: those of a rank, where there are several.
  public var tensorParallelSize = 2
  /// Ranks of a server, each with sequences and KV memory of its own; `nil` for 1.
  ///
  /// Of a mixture of experts they share the experts, and step together. Of a dense model each is a copy by itself.
  public var dataParallelSize: Int?
  /// Stages that a server's layers are cut into, each with ``tensorParallelSize`` GPUs of its own; `nil` for 1.
  public var pipelineParallelSize: Int?
  /// The network between them, a row of `links.csv`; `nil` for what the GPUs of a server have.
  public var pipelineLink: String?
  /// Groups of all GPUs of a server that share out the experts, a divisor of their number; `nil` for 1, where each GPU holds
  /// a slice of every expert.
  public var expertParallelSize: Int?
  /// Share of GPU memory that the engine may use: above 0, at most 1.
  ///
  /// `nil` for the engine's own default.
  public var memoryShare: Double?
  /// Tokens in a block of KV memory; `nil` for the engine's own.
  public var blockSize: Int?
  /// Blocks of KV memory; `nil` for what ``memoryShare`` leaves.
  public var kvBlocks: Int?
  /// Levels of KV memory below that of the GPUs, the quickest first; `nil` for none.
  public var cacheTiers: [CacheTierSpecification]?
  /// Most sequences that an iteration works on.
  ///
  /// `nil` for the engine's own default.
  public var maxSequences: Int?
  /// Longest sequence, prompt and output together; longer requests are rejected.
  ///
  /// `nil` for 32,768, or the model's positions if those are fewer.
  public var maxModelLength: Tokens?
  /// How tokens choose experts, as `--routing` takes it; `nil` for the model's usual law.
  public var routing: String?
  /// What says how long an iteration takes; `nil` for the kernels' prices.
  public var costModel: CostModelKind?
  /// Whether the distinct experts of every call are drawn, instead of their expectation being taken.
  public var drawsRouting = false
  /// How several tokens are decoded at once; `nil` where each step writes one.
  public var speculation: SpeculativeSpecification?
  /// What prompts leave out, as `--prefill-sparsity` takes it; `nil` for nothing.
  public var prefillSparsity: PolicySpecification?
  /// Which image tokens they drop, as `--token-pruning` takes it; `nil` for none.
  public var tokenPruning: PolicySpecification?
  /// What makes tokens of images, a name of `encoders/` or a file; `nil` where that is not simulated.
  public var visionEncoder: String?

  /// Creates the default system: Qwen3-30B-A3B on two H100 under nano-vLLM.
  public init() {}

  /// GPUs of a server.
  public var gpus: Int { gpusOfStage * (pipelineParallelSize ?? 1) }

  /// GPUs that have the same layers.
  public var gpusOfStage: Int { tensorParallelSize * (dataParallelSize ?? 1) }

  /// Checks each value by itself.
  func checkValues() throws(ExperimentError) {
    try speculation?.checkValues()
    if let dataParallelSize, !(1...1024).contains(dataParallelSize) {
      throw .invalidValue(
        option: "--data-parallel-size", value: "\(dataParallelSize)", expected: "1 to 1024 ranks")
    }
    if let dataParallelSize, dataParallelSize > 1, let speculation {
      throw .invalidValue(
        option: "--speculative-config", value: speculation.method.rawValue,
        expected: "none with --data-parallel-size, so far")
    }
    if let pipelineParallelSize, !(1...1024).contains(pipelineParallelSize) {
      throw .invalidValue(
        option: "--pipeline-parallel-size", value: "\(pipelineParallelSize)", expected: "1 to 1024 stages")
    }
    if let pipelineLink, pipelineParallelSize ?? 1 == 1 {
      throw .invalidValue(
        option: "--pipeline-link", value: pipelineLink,
        expected: "--pipeline-parallel-size of 2 or more: nothing is sent without stages")
    }
    if let visionEncoder {
      let isAlone =
        (dataParallelSize ?? 1) == 1 && (pipelineParallelSize ?? 1) == 1
        && (costModel ?? .kernels) == .kernels
      guard isAlone else {
        throw .invalidValue(
          option: "--vision-encoder", value: visionEncoder,
          expected: "none with --data-parallel-size, --pipeline-parallel-size or --cost-model")
      }
    }
    if let maxSequences, !(1...1 << 20).contains(maxSequences) {
      throw .invalidValue(
        option: "--max-num-seqs", value: "\(maxSequences)", expected: "1 to \(1 << 20) sequences")
    }
    if let maxModelLength, !(2...1 << 24).contains(maxModelLength) {
      throw .invalidValue(
        option: "--max-model-len", value: "\(maxModelLength)", expected: "2 to \(1 << 24) tokens")
    }
    if let memoryShare, !(memoryShare > 0 && memoryShare <= 1) {
      throw .invalidValue(
        option: "--gpu-memory-utilization", value: "\(memoryShare)", expected: "more than 0, at most 1")
    }
    if let kvBlocks, !(1...1 << 30).contains(kvBlocks) {
      throw .invalidValue(option: "kv_blocks", value: "\(kvBlocks)", expected: "1 to 2^30 blocks")
    }
  }
}

extension SystemSpecification: Codable {
  private enum CodingKeys: String, CodingKey, CaseIterable {
    case model, attention, hardware, engine, routing
    case keyValuePolicy = "kv_policy"
    case engineSettings = "engine_settings"
    case hardwareSettings = "hardware_settings"
    case tensorParallelSize = "tensor_parallel_size"
    case dataParallelSize = "data_parallel_size"
    case pipelineParallelSize = "pipeline_parallel_size"
    case pipelineLink = "pipeline_link"
    case expertParallelSize = "expert_parallel_size"
    case memoryShare = "gpu_memory_utilization"
    case blockSize = "block_size"
    case kvBlocks = "kv_blocks"
    case cacheTiers = "kv_tiers"
    case maxSequences = "max_num_seqs"
    case maxModelLength = "max_model_len"
    case drawsRouting = "draw_routing"
    case costModel = "cost_model"
    case speculation = "speculative_config"
    case prefillSparsity = "prefill_sparsity"
    case tokenPruning = "token_pruning"
    case visionEncoder = "vision_encoder"
  }

  /// Reads an object; members that it lacks keep their defaults.
  public init(from decoder: any Decoder) throws {
    let object = try decoder.object(of: CodingKeys.self)
    try object.read(.model, into: &model)
    attention = try object.decodeIfPresent(PolicySpecification.self, forKey: .attention)
    keyValuePolicy = try object.decodeIfPresent(PolicySpecification.self, forKey: .keyValuePolicy)
    try object.read(.hardware, into: &hardware)
    try object.read(.engine, into: &engine)
    try object.read(.engineSettings, into: &engineSettings)
    try object.read(.hardwareSettings, into: &hardwareSettings)
    try object.read(.tensorParallelSize, into: &tensorParallelSize)
    dataParallelSize = try object.decodeIfPresent(Int.self, forKey: .dataParallelSize)
    pipelineParallelSize = try object.decodeIfPresent(Int.self, forKey: .pipelineParallelSize)
    pipelineLink = try object.decodeIfPresent(String.self, forKey: .pipelineLink)
    expertParallelSize = try object.decodeIfPresent(Int.self, forKey: .expertParallelSize)
    memoryShare = try object.decodeIfPresent(Double.self, forKey: .memoryShare)
    blockSize = try object.decodeIfPresent(Int.self, forKey: .blockSize)
    kvBlocks = try object.decodeIfPresent(Int.self, forKey: .kvBlocks)
    cacheTiers = try object.decodeIfPresent([CacheTierSpecification].self, forKey: .cacheTiers)
    maxSequences = try object.decodeIfPresent(Int.self, forKey: .maxSequences)
    maxModelLength = try object.decodeIfPresent(Int.self, forKey: .maxModelLength)
    routing = try object.decodeIfPresent(String.self, forKey: .routing)
    try object.read(.drawsRouting, into: &drawsRouting)
    costModel = try object.decodeIfPresent(CostModelKind.self, forKey: .costModel)
    speculation = try object.decodeIfPresent(SpeculativeSpecification.self, forKey: .speculation)
    prefillSparsity = try object.decodeIfPresent(PolicySpecification.self, forKey: .prefillSparsity)
    tokenPruning = try object.decodeIfPresent(PolicySpecification.self, forKey: .tokenPruning)
    visionEncoder = try object.decodeIfPresent(String.self, forKey: .visionEncoder)
  }
}
