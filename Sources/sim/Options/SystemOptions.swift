import ArgumentParser
import CostModels
import Experiments
import Foundation
import Serving
import Support
import Systems

/// The model, the GPUs and the serving engine.
struct SystemOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "A model (see 'sim list models') or the path of a config.json.", valueName: "name|file"))
  var model = "qwen3-30b-a3b"

  @Option(
    help: ArgumentHelp(
      "Another attention in place of the model's own: cca[q=2,kv=8], compressed convolutional attention with half of the "
        + "query heads and an eighth as many key-value heads.", valueName: "attention"))
  var attention: String?

  @Option(
    help: ArgumentHelp(
      "KV entries that a sequence keeps: arkv[budget=2048,window=32,fp8=0.2,statistics=second-pass] evicts some as soon as there "
        + "are more than the budget; statistics=eager writes prompts' probabilities out, as the published code does; none.",
      valueName: "policy"))
  var kvPolicy: String?

  @Option(
    name: [.long, .customLong("gpu")],
    help: ArgumentHelp("The GPU (see 'sim list hardware').", valueName: "name|file"))
  var hardware = "h100-sxm"

  @Option(
    help: ArgumentHelp(
      "Host overhead, graph sizes and kernel factors of a serving engine (see 'sim list engines').",
      valueName: "name|file"))
  var engine = "nano-vllm"

  @Option(
    help: ArgumentHelp(
      "Change a setting of the engine, such as host.per_iteration_ms=1.2.", valueName: "path=value"))
  var engineSet: [String] = []

  @Option(
    help: ArgumentHelp("Change a figure of the GPU, such as energy.idle_w=100.", valueName: "path=value"))
  var hardwareSet: [String] = []

  @Option(
    name: [.long, .customLong("tp")],
    help: ArgumentHelp("GPUs that share the model.", valueName: "n"))
  var tensorParallelSize = "2"

  @Option(
    name: [.long, .customLong("pp")],
    help: ArgumentHelp(
      "Stages that the layers are cut into, each with --tp GPUs; as many steps are in flight.", valueName: "n"
    ))
  var pipelineParallelSize = "1"

  @Option(
    help: ArgumentHelp(
      "The network between stages: nvlink4, ndr400, eth100, ... (see Profiles/links.csv). Default: what the GPU has.",
      valueName: "name"))
  var pipelineLink: String?

  @Option(
    name: [.long, .customLong("dp")],
    help: ArgumentHelp(
      "Ranks of a server, each with --tp GPUs, requests and KV memory of its own; experts are shared by all of them, which "
        + "then step together. Default: 1.", valueName: "n"))
  var dataParallelSize: Int?

  @Flag(help: "Share out whole experts among the GPUs of all ranks, instead of slices of every expert.")
  var enableExpertParallel = false

  @Flag(help: "Balance the ranks that share out experts, with copies of the busiest ones (--eplb-config).")
  var enableEplb = false

  @Option(
    help: ArgumentHelp(
      "vLLM's JSON, as in '{\"num_redundant_experts\": 32}'.", valueName: "json"))
  var eplbConfig: String?

  @Option(
    help: ArgumentHelp(
      "Share of GPU memory that the engine may use. Default: the engine's, 0.85 for nano-vllm.",
      valueName: "0...1"))
  var gpuMemoryUtilization: Double?

  @Option(help: ArgumentHelp("Tokens in a block of KV memory. Default: the engine's."))
  var blockSize: Int?

  @Option(help: "Most sequences that an iteration works on. Default: the engine's, 256 for nano-vllm.")
  var maxNumSeqs: Int?

  @Option(
    help: "Order in which requests wait: fcfs, or priority (the smaller comes first). Default: the engine's.")
  var schedulingPolicy: String?

  @Option(
    help: ArgumentHelp(
      "Share of the KV blocks that an admission leaves free, unless nobody runs.", valueName: "0...1"))
  var watermark: Double?

  @Flag(
    inversion: .prefixedNo,
    help: "Whether the whole of a prompt must fit for its first chunk to be admitted. Default: the engine's.")
  var schedulerReserveFullIsl: Bool?

  @Flag(
    inversion: .prefixedNo,
    help: "Whether the host prepares a step while another runs. Default: the engine's.")
  var asyncScheduling: Bool?

  @Option(
    help: "Blocks of KV memory, with the null block where the engine has one. Default: what memory leaves.")
  var numGpuBlocksOverride: Int?

  @Flag(
    inversion: .prefixedNo,
    help: "Whether prompts with the same beginning share its KV blocks. Default: the engine's.")
  var enablePrefixCaching: Bool?

  @Option(
    help: ArgumentHelp(
      "Host memory for KV blocks that the GPUs' cache loses, of an instance: as --kv-tiers host-pcie5:GiB; 0 for none.",
      valueName: "GiB"))
  var kvOffloadingSize: Double?

  @Option(
    help: ArgumentHelp(
      "Levels of KV memory below that of the GPUs, the quickest first, each with what it is loaded over (Profiles/links.csv) and "
        + "its size, as in host-pcie5:64,nvme4:1000,eth100:4096:shared, or none; in a sweep with + instead of the comma.",
      valueName: "link:GiB"))
  var kvTiers: String?

  @Option(help: "Format of the KV entries: auto, bfloat16 or fp8. Default: the model's and the engine's.")
  var kvCacheDtype: KeyValueFormat?

  @Flag(help: "Run without CUDA graphs, as vLLM does with this flag.")
  var enforceEager = false

  @Option(
    help: """
      Longest sequence, prompt and output together; longer requests are rejected, and counted. Default: 32768, or the \
      model's positions if those are fewer.
      """)
  var maxModelLen: Int?

  @Option(
    help: ArgumentHelp(
      "How tokens choose experts: correlated, uniform, correlated[group_sigma=..,request_sigma=..], "
        + "measured[file=counts.csv] or coverage[tokens=experts,..].", valueName: "law"))
  var routing: String?

  @Option(
    help: ArgumentHelp(
      "What says how long an iteration takes: kernels (their prices), unit (one second each), or a law of laws.csv or of "
        + "another file, as in law[opt-13b-tp1] or law[mine.csv].", valueName: "model"))
  var costModel = CostModelKind.kernels

  @Option(
    help: ArgumentHelp(
      "Speculative decoding, as vLLM's option: {\"method\": \"ngram\", \"eagle3\", \"mtp\" or \"draft_model\", "
        + "\"num_speculative_tokens\": k, \"synthetic_acceptance_rates\": [k shares] or "
        + "\"synthetic_acceptance_length\": tokens a step, \"model\": of the drafts}.", valueName: "json"))
  var speculativeConfig: String?

  @Option(
    help: ArgumentHelp(
      "What prompts leave out: uniprefill[kept=0.8,layers=7:27:4] drops rows at some layers, "
        + "sparse-attention[k=2048,indexer=128,block=64] sees few keys, "
        + "cacheblend[ratio=0.15,suffix=32,bandwidth=4.8] uses stored chunks again, none.",
      valueName: "method"))
  var prefillSparsity: String?

  @Option(
    help: ArgumentHelp(
      "Which image tokens of prompts are dropped: adaptinfer[budget=64], or [kept=133/27/3,layers=1/10/20]; none.",
      valueName: "method"))
  var tokenPruning: String?

  @Option(
    help: ArgumentHelp(
      "What makes tokens of images before their prompt is computed: a name of Profiles/encoders, or a file with a vision_config. "
        + "Default: none, not simulated.",
      valueName: "name"))
  var visionEncoder: String?

  @Flag(help: "Draw the distinct experts of every MoE call instead of taking their expectation.")
  var drawRouting = false

  /// The system that the options describe.
  func specification() throws -> SystemSpecification {
    func number(_ option: String, _ text: String) throws(CommandLineError) -> Int {
      if let number = Int(text) { return number }
      throw .badValue(
        option: option, value: text,
        expected: CommandLineError.wholeNumber(text)
          + (text.contains(",") ? "; lists are for sweep, capacity and plan" : ""))
    }
    let gpus = try number("--tensor-parallel-size", tensorParallelSize)
    let stages = try number("--pipeline-parallel-size", pipelineParallelSize)
    var system = SystemSpecification()
    system.model = model
    system.attention = attention.map { PolicySpecification(parsing: $0) }
    system.keyValuePolicy = kvPolicy.flatMap { $0 == "none" ? nil : .init(parsing: $0) }
    system.hardware = hardware
    system.engine = engine
    let flags = try flagSettings.merging(balancing) { flag, _ in flag }
    system.engineSettings = flags.merging(
      try Self.settings(engineSet, option: "--engine-set")
    ) { _, explicit in explicit }
    system.kvBlocks = numGpuBlocksOverride
    system.cacheTiers = try cacheTiers
    system.hardwareSettings = try Self.settings(hardwareSet, option: "--hardware-set")
    system.tensorParallelSize = gpus
    system.dataParallelSize = dataParallelSize == 1 ? nil : dataParallelSize
    system.pipelineParallelSize = stages == 1 ? nil : stages
    system.pipelineLink = pipelineLink
    if enableExpertParallel { system.expertParallelSize = system.gpusOfStage }
    system.memoryShare = gpuMemoryUtilization
    system.blockSize = blockSize
    system.maxSequences = maxNumSeqs
    system.maxModelLength = maxModelLen
    system.routing = routing
    system.drawsRouting = drawRouting
    system.costModel = costModel == .kernels ? nil : costModel
    system.speculation = try speculativeConfig.map {
      try SpeculativeSpecification(json: $0, from: "--speculative-config")
    }
    system.prefillSparsity = prefillSparsity.flatMap { $0 == "none" ? nil : .init(parsing: $0) }
    system.visionEncoder = visionEncoder == "none" ? nil : visionEncoder
    system.tokenPruning = tokenPruning.flatMap { $0 == "none" ? nil : .init(parsing: $0) }
    return system
  }

  /// The options with one value each of those that are lists: models, hardware, numbers of GPUs and of stages, the last
  /// varying fastest.
  func alternatives() throws(CommandLineError) -> [SystemOptions] {
    func elements(_ option: String, _ text: String) throws(CommandLineError) -> [String] {
      let all = SweepAxis.elements(text[...]).map { String($0) }
      guard !all.contains("") else {
        throw .badValue(option: option, value: text, expected: "a value before and after each comma")
      }
      return all
    }
    var product: [SystemOptions] = []
    for model in try elements("--model", model) {
      for hardware in try elements("--hardware", hardware) {
        for gpus in try elements("--tensor-parallel-size", tensorParallelSize) {
          for stages in try elements("--pipeline-parallel-size", pipelineParallelSize) {
            var options = self
            options.model = model
            options.hardware = hardware
            options.tensorParallelSize = gpus
            options.pipelineParallelSize = stages
            product.append(options)
          }
        }
      }
    }
    return product
  }

  /// The model and its GPUs, as in "qwen3-8b on 2 x 4 h100-sxm" for two stages of four.
  var title: String {
    let stages = pipelineParallelSize == "1" ? "" : "\(pipelineParallelSize) x "
    return "\(model) on \(stages)\(tensorParallelSize) x \(hardware)"
  }

  /// The policy that the engine, with its settings, runs by default.
  func ownPolicy(in folders: ProjectFolders) throws -> String {
    try Library(profiles: try folders.profilesFolder()).ownPolicy(of: try specification())
  }

  /// The levels that --kv-offloading-size and --kv-tiers describe.
  private var cacheTiers: [CacheTierSpecification]? {
    get throws(CommandLineError) {
      // As in vLLM, nothing is off.
      let host = kvOffloadingSize.flatMap {
        $0 == 0 ? nil : [CacheTierSpecification(link: "host-pcie5", gibibytes: $0)]
      }
      guard let kvTiers, kvTiers != "none" else { return host }
      guard host == nil else {
        throw .contradiction("--kv-offloading-size, --kv-tiers: the latter says how large host memory is")
      }
      let parts = kvTiers.split(omittingEmptySubsequences: false) { $0 == "," || $0 == "+" }
      let tiers = parts.compactMap { CacheTierSpecification(parsing: $0) }
      guard tiers.count == parts.count else {
        throw .badValue(
          option: "--kv-tiers", value: kvTiers,
          expected: "levels as link:GiB or link:GiB:shared, such as host-pcie5:64,nvme4:1000")
      }
      return tiers
    }
  }

  /// What `--eplb-config` says about the engine; when experts are moved, and what that takes, is not simulated.
  private var balancing: [String: SettingValue] {
    get throws {
      guard let eplbConfig else { return [:] }
      let object = try JSONReader.object(Array(eplbConfig.utf8), file: "--eplb-config")
      if let other = object.members.first(where: { $0.key != "num_redundant_experts" }) {
        throw CommandLineError.badValue(
          option: "--eplb-config", value: other.key,
          expected: "num_redundant_experts, the only key that is simulated")
      }
      let redundant = try object.integer("num_redundant_experts", in: 0...4096)
      return ["experts.redundant": .number(Double(redundant))]
    }
  }

  /// What flags of vLLM's say about the engine.
  private var flagSettings: [String: SettingValue] {
    var settings: [String: SettingValue] = [:]
    settings["scheduling.queue"] = schedulingPolicy.map { .word($0) }
    settings["scheduling.watermark"] = watermark.map { .number($0) }
    settings["scheduling.reserves_whole_prompt"] = schedulerReserveFullIsl.map { .flag($0) }
    settings["scheduling.steps_in_flight"] = asyncScheduling.map { .number($0 ? 2 : 1) }
    settings["cache.prefixes"] = enablePrefixCaching.map { .flag($0) }
    if enableEplb { settings["experts.balanced"] = .flag(true) }
    if let kvCacheDtype, kvCacheDtype != .auto { settings["kv.fp8"] = .flag(kvCacheDtype != .bfloat16) }
    if enforceEager { settings["graphs.sizes"] = .word("none") }
    return settings
  }

  /// Assignments `path=value`; of two to the same path the last one counts.
  static func settings(
    _ assignments: [String], option: String
  ) throws(CommandLineError) -> [String: SettingValue] {
    var settings: [String: SettingValue] = [:]
    for assignment in assignments {
      guard let sign = assignment.firstIndex(of: "=") else {
        throw .badValue(option: option, value: assignment, expected: "path=value")
      }
      settings[String(assignment[..<sign])] = SettingValue(
        parsing: String(assignment[assignment.index(after: sign)...]))
    }
    return settings
  }
}

extension CostModelKind: ExpressibleByArgument {}

/// What `--kv-cache-dtype` takes of vLLM's names.
enum KeyValueFormat: String, ExpressibleByArgument, CaseIterable {
  case auto, bfloat16, fp8
  case fp8E4M3 = "fp8_e4m3"
}
