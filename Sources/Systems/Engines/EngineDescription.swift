/// One serving engine: what it costs beside the kernels, and where its kernels differ from tuned ones.
///
/// Neutral values describe an ideal engine: no host time, no padding, no repeated work.
public struct EngineDescription: Descriptor, Hashable {
  /// The name that results carry, such as `nano-vllm`.
  public var name = ""
  /// What engine it is, in one sentence.
  public var summary = ""
  /// Where each value comes from, by setting path.
  public var provenance: [String: Provenance] = [:]

  /// Tokens in one block of KV memory.
  public var keyValueBlockSize = 16
  /// Time that the host takes.
  public var host = HostOverhead()
  /// Row counts with captured CUDA graphs.
  public var graphs = GraphSizes()
  /// Factors on the time of tuned kernels.
  public var kernelScale = KernelScale()
  /// Whether an iteration whose prefill is not at its first layer embeds and reduces all its rows nevertheless,
  /// and one whose prefill is not at its last layer runs the LM head for it nevertheless.
  public var repeatsEmbeddingAndHead = false
  /// Whose the engine's own all-reduce is: `vllm`, `sglang` or `trtllm`.
  ///
  /// Where that was not measured on a GPU, vLLM's stands in.
  public var allReduceKernel = "vllm"
  /// Whether the engine's own all-reduce does the norm behind it as its last part.
  public var fusesSumAndNorm = false
  /// The largest message that the engine's own all-reduce takes, in bytes; larger ones go to NCCL.
  public var customAllReduceLimitBytes = 8 << 20
  /// The least time of an all-reduce that is not launched from a graph, in microseconds.
  public var eagerAllReduceMicroseconds = 0.0
  /// Most GPUs among which the engine's own all-reduce is priced as it was measured; 0 for no limit.
  ///
  /// Among more it takes as long as among so many.
  public var mostAllReduceGPUs = 0
  /// The time that the GPUs of an all-reduce wait for the last of them, in microseconds.
  public var allReduceSkewMicroseconds = 0.0
  /// Whether prefill attention may split the keys of a tile among several blocks, as FlashAttention 3 does.
  public var splitsAttentionKeys = true
  /// Whether norms, rotary embedding and activation are fused kernels.
  public var fusesElementwise = true
  /// Whether experts are moved between the ranks that share them out, so that these have equal work.
  public var balancesExperts = false
  /// Copies of experts beyond one of each, where they are balanced.
  public var redundantExperts = 0
  /// Whether each of several ranks that share out the experts passes over the choices of its own ones alone.
  ///
  /// Others sort, activate and add up those of all ranks.
  public var passesOverOwnChoices = false
  /// Memory that is neither weights, activations nor KV blocks, on each GPU, in bytes.
  public var reservedBytes = 0
  /// Factor on the estimated peak of activations.
  public var activationScale = 1.0
  /// The most sequences whose states, in layers without attention, memory is set aside for: an estimate, wherever a profile
  /// says no more.
  public var stateSequences = 256
  /// Whether quantised weights are dequantised to 16 bits when the model is loaded.
  public var dequantisesExperts = false
  /// Whether experts in MXFP4 are computed with MXFP8 activations where the GPU has kernels for that.
  public var usesMXFP8Activations = false
  /// Whether other experts in MXFP4 are computed by Marlin's kernels where Triton's could do it; on GPUs before Hopper they are.
  public var usesMarlinForMXFP4 = false
  /// Whether keys and values are kept in FP8, whatever the checkpoint says.
  public var keepsKeyValuesInFP8 = false
  /// Whether a model's sliding window is applied in every layer, where only some should have it.
  public var windowsEveryLayer = false

  /// How it looks after requests and memory, and what it does by default.
  public var scheduling = EngineScheduling()

  /// Creates an ideal engine.
  public init() {}

  /// `engine`.
  public static var kind: String { "engine" }
  /// What a file leaves out is ideal.
  public static var requiresEverySetting: Bool { false }

  /// The model as this engine serves it on a GPU.
  public func served(_ model: ModelDescription, on hardware: HardwareDescription) -> ModelDescription {
    var model = dequantisesExperts ? model.dequantised() : model
    if usesMXFP8Activations, hardware.computesMXFP8Experts, model.formats.experts == .mxfp4 {
      model.formats.experts = .mxfp4MXFP8
    }
    // Triton has no kernels of MXFP4 before Hopper (vLLM's `quantization/mxfp4.py`, compute capability 9.0). Nor for GPUs of Ada
    // and of Blackwell with GDDR, but of those there are rows in MXFP4 of what engines run instead.
    if usesMarlinForMXFP4 || !hardware.multipliesFP8, model.formats.experts == .mxfp4 {
      model.formats.experts = .mxfp4Marlin
    }
    if keepsKeyValuesInFP8 { model = model.keepingKeyValuesInFP8() }
    return windowsEveryLayer ? model.windowedInEveryLayer() : model
  }

  /// The engine on a GPU.
  ///
  /// How slow its MXFP4 experts are in prefill is taken from Triton's kernels on Hopper GPUs, and says nothing of others. What
  /// the user says stays.
  public func adapted(to hardware: HardwareDescription) -> EngineDescription {
    let path = "kernel_scale.mxfp4_prefill"
    guard !hardware.isHopper, provenance[path]?.quality != .user else { return self }
    var copy = self
    copy.kernelScale.mxfp4Prefill = 1
    copy.provenance[path] = Provenance(
      quality: .assumption, source: "No factor but where Triton's kernels were compared, on Hopper GPUs.")
    return copy
  }

  /// Blocks of KV memory on each GPU: what the weights, the peak of activations and the reserve leave of the share
  /// of memory that the engine may use.
  ///
  /// The formula of vLLM and its descendants, with an estimate in place of their profiling run.
  ///
  /// - Parameters:
  ///   - shard: what each GPU holds of the model.
  ///   - hardware: the GPU.
  ///   - utilisation: the share of memory that the engine may use, 0...1.
  ///   - maxBatchedTokens: the most tokens in one iteration.
  ///   - maxSequences: the most sequences at once; layers without attention keep a state of each, up to
  ///     ``stateSequences`` of them.
  ///   - drafts: drafts of each sequence that are verified at once. Those layers keep a state behind each of them, too, since
  ///     nobody knows yet which one will be the last: vLLM's pages and SGLang's pool both hold one and the drafts.
  ///   - furtherWeights: bytes of weights beside the model's, as of one that makes drafts.
  ///   - furtherBytesPerToken: bytes of keys and values that a token adds there.
  ///   - furtherStateBytes: bytes of states that a sequence keeps there, in one set: drafts are made one after another.
  ///   - ofBytes: bytes of a block, where they are not those that follow from the model.
  /// - Returns: the number of blocks, at least 1.
  /// - Throws: ``DescriptionError/mismatch(_:)`` where not one block fits.
  public func keyValueBlocks(
    _ shard: ModelShard, on hardware: HardwareDescription, utilisation: Double, maxBatchedTokens: Int,
    maxSequences: Int = 256, drafts: Int = 0, furtherWeights: Int = 0, furtherBytesPerToken: Int = 0,
    furtherStateBytes: Int = 0, ofBytes: Int? = nil
  ) throws(DescriptionError) -> Int {
    // Where states are paged as keys and values are, each sequence takes its own.
    let own = pagesStates(of: shard.model) ? 0 : shard.stateBytesPerSequence
    let stateBytes = Double(own) * Double(1 + drafts) + Double(furtherStateBytes)
    let states = stateBytes * Double(min(maxSequences, stateSequences))
    let activations = activationScale * Double(shard.activationBytesPerToken) * Double(maxBatchedTokens)
    let usable = Double(hardware.memoryBytes) * utilisation
    let copies =
      balancesExperts
      ? redundantExperts / shard.expertRanks * shard.model.expertLayers * shard.bytesPerExpert : 0
    let weights = shard.weightBytes + furtherWeights + copies
    let free = usable - Double(weights) - activations - states - Double(reservedBytes)
    let bytes = ofBytes ?? blockBytes(shard) + furtherBytesPerToken * keyValueBlockSize
    let blocks = (free / Double(bytes)).rounded(.down)
    guard blocks >= 1, blocks < 1e15 else {
      func gigabytes(_ bytes: Double) -> String { "\((bytes / 1e8).rounded() / 10) GB" }
      throw .mismatch(
        "no memory is left for KV blocks on \(hardware.name) with \(shard.gpus) GPUs: "
          + "of \(gigabytes(usable)) usable, \(shard.model.name) takes \(gigabytes(Double(weights))) for weights and "
          + "\(gigabytes(activations + states + Double(reservedBytes))) for activations and reserve; use more GPUs, "
          + "a larger share of memory or fewer tokens in a batch")
    }
    return Int(blocks)
  }

  /// Bytes of a block of KV memory on each GPU: where layers with a sliding window have blocks of their own, a block is of
  /// the layers of one kind.
  private func blockBytes(_ shard: ModelShard) -> Int {
    if pagesStates(of: shard.model) {
      guard let pages = hybridPages(shard) else { return shard.stateBytesPerSequence }
      let groups = pages.attentionGroups + (pages.keepsSnapshots ? pages.stateGroups : 0)
      return pages.pageBytes * pages.depth * groups
    }
    let all = shard.keyValueBytesPerToken * keyValueBlockSize
    return groupWindow(of: shard.model) == nil ? all : all / 2
  }

  /// Whether states are paged as keys and values are: those of Mamba-2, and others where prefixes are cached, since the states
  /// behind them are kept.
  public func pagesStates(of model: ModelDescription) -> Bool {
    model.stateSpace != nil || model.delta != nil && scheduling.cachesPrefixes
  }

  /// The engine as it serves a model whose states are paged: blocks are large enough for a state.
  ///
  /// Where all of them are, a block is the state of a sequence, and holds any number of tokens; where prefixes are cached, it is
  /// the state behind a chunk of the recurrence.
  public func paged(for shard: ModelShard) -> EngineDescription {
    guard pagesStates(of: shard.model) else { return self }
    var copy = self
    copy.keyValueBlockSize =
      hybridPages(shard)?.blockTokens
      ?? (scheduling.cachesPrefixes ? shard.model.snapshotChunk : Self.unlimitedTokens)
    return copy
  }

  /// The pages of a hybrid: with prefix caching, states are kept at the end of every one.
  private func hybridPages(_ shard: ModelShard) -> HybridPages? {
    shard.hybridPages(keepsSnapshots: scheduling.cachesPrefixes)
  }

  /// More tokens than any sequence has.
  private static let unlimitedTokens = 1 << 20

  /// Blocks that each sequence holds for the states of Mamba-2 layers, whatever its length.
  ///
  /// - Parameters:
  ///   - shard: what each GPU holds of the model.
  ///   - drafts: drafts that are verified at once, behind each of which there is a state.
  /// - Returns: blocks, 0 for other models.
  public func stateBlocks(_ shard: ModelShard, drafts: Int = 0) -> Int {
    guard pagesStates(of: shard.model) else { return 0 }
    // Without attention the tokens' only block is that of a state.
    guard let pages = hybridPages(shard) else { return drafts }
    // With snapshots a block is of all groups, and the last one of a sequence holds its state.
    guard !pages.keepsSnapshots else {
      let groups = pages.attentionGroups + pages.stateGroups
      return (pages.stateGroups * drafts + groups - 1) / groups
    }
    return (pages.stateGroups * (1 + drafts) + pages.attentionGroups - 1) / pages.attentionGroups
  }

  /// Positions that the layers of a second group of KV blocks see; `nil` without such a group.
  ///
  /// Only models with as many layers of one kind as of the other have one.
  public func groupWindow(of model: ModelDescription) -> Int? {
    guard scheduling.groupsLayersByWindow, let window = model.windows.compactMap({ $0 }).first else {
      return nil
    }
    return 2 * model.windowedLayers == model.windows.count && model.windowedHeads == nil ? window : nil
  }

  /// Every setting, in the order of help texts.
  public static let settings = ownSettings + EngineScheduling.settings

  private static let ownSettings: [Setting<EngineDescription>] = [
    Setting(
      "kv.block_size", unit: "tokens", .integer(\.keyValueBlockSize, 1...65_536),
      "Tokens in a block of KV memory."),
    Setting(
      "kv.fp8", isLate: true, .flag(\.keepsKeyValuesInFP8),
      "Whether keys and values are kept in FP8, as --kv-cache-dtype fp8 has it."),
    Setting(
      "host.per_iteration_ms", unit: "ms", .number(\.host.perIterationMilliseconds, .milliseconds),
      "Scheduling and preparation of any iteration."),
    Setting(
      "host.partial_depth_ms", unit: "ms", .number(\.host.partialDepthMilliseconds, .milliseconds),
      "Further preparation where prefill does not pass through all layers."),
    Setting(
      "host.partial_depth_token_us", unit: "us",
      .number(\.host.partialDepthTokenMicroseconds, .microseconds),
      "Preparation for each prefill token of an iteration whose prefill does not pass through all layers."),
    Setting(
      "host.per_decode_sequence_us", unit: "us", .number(\.host.perDecodeSequenceMicroseconds, .microseconds),
      "Preparation for each decoding sequence."),
    Setting(
      "host.exposed_per_iteration_us", unit: "us", isLate: true,
      .number(\.host.exposedPerIterationMicroseconds, .microseconds),
      "Time of any iteration that no overlap of host and GPU hides."),
    Setting(
      "host.exposed_per_sequence_us", unit: "us", isLate: true,
      .number(\.host.exposedPerSequenceMicroseconds, .microseconds),
      "Time for each sequence of an iteration that no overlap of host and GPU hides."),
    Setting(
      "host.per_prefill_sequence_us", unit: "us",
      .number(\.host.perPrefillSequenceMicroseconds, .microseconds),
      "Preparation for each prompt in prefill."),
    Setting(
      "host.per_prefill_token_us", unit: "us", .number(\.host.perPrefillTokenMicroseconds, .microseconds),
      "Preparation for each prefill token, once, as it enters the first layer."),
    Setting(
      "host.eager_layer_us", unit: "us", .number(\.host.eagerLayerMicroseconds, .microseconds),
      "Time to issue one layer's kernels one by one, whatever they are."),
    Setting(
      "host.eager_launch_us", unit: "us", isLate: true,
      .number(\.host.eagerLaunchMicroseconds, .microseconds),
      "Time to issue one kernel of a layer; adds to the time of the layer."),
    Setting(
      "host.graph_layer_us", unit: "us", .number(\.host.graphLayerMicroseconds, .microseconds),
      "Time to issue one layer's kernels from a CUDA graph."),
    Setting(
      "graphs.sizes", unit: "rows", .sizes(\.graphs.sizes),
      "Row counts with captured CUDA graphs; batches are padded up to them."),
    Setting(
      "graphs.largest", unit: "rows", isLate: true, .integer(\.graphs.largest, 0...1 << 20),
      "Largest captured CUDA graph, with one at every multiple of 16 beyond the sizes; 0: the sizes as they are."
    ),
    Setting(
      "graphs.decode_only", isLate: true, .flag(\.graphs.decodesOnly),
      "Whether CUDA graphs hold decode alone: layers that carry prefill are launched kernel by kernel, unpadded."
    ),
    Setting(
      "kernel_scale.expert_mlp", .number(\.kernelScale.expertMLP, 1e-3...1e3),
      "Factor on the experts' kernel time, 1 for tuned kernels."),
    Setting(
      "kernel_scale.expert_prefill", .number(\.kernelScale.expertPrefill, 1e-3...1e3),
      "Further factor on the experts' kernel time in calls that carry prefill."),
    Setting(
      "kernel_scale.mxfp4_prefill", .number(\.kernelScale.mxfp4Prefill, 1e-3...1e3),
      "Further factor on such calls where the experts' weights are MXFP4."),
    Setting(
      "kernel_scale.attention", .number(\.kernelScale.attention, 1e-3...1e3),
      "Factor on attention's kernel time, 1 for tuned kernels."),
    Setting(
      "kernel_scale.other", .number(\.kernelScale.other, 1e-3...1e3),
      "Factor on all other kernels' time, 1 for tuned kernels."),
    Setting(
      "kernel_scale.of_measured", isLate: true, .flag(\.kernelScale.isOfMeasured),
      "Whether calibrations were measured with this engine's kernels; others are known less (--uncertainty)."),
    Setting(
      "repeats.embedding_and_head", .flag(\.repeatsEmbeddingAndHead),
      "Whether every stage of a layered prefill embeds its rows and runs the LM head again."),
    Setting(
      "all_reduce.kernel", isLate: true, .word(\.allReduceKernel, ["vllm", "sglang", "trtllm"]),
      "Whose the engine's own all-reduce is; vLLM's stands in where another was not measured."),
    Setting(
      "all_reduce.does_norm", isLate: true, .flag(\.fusesSumAndNorm),
      "Whether the engine's own all-reduce does the norm behind it, so that none is launched."),
    Setting(
      "all_reduce.custom_limit_bytes", unit: "bytes", .integer(\.customAllReduceLimitBytes, 0...(1 << 40)),
      "Largest message of the engine's own all-reduce; larger ones go to NCCL."),
    Setting(
      "all_reduce.eager_floor_us", unit: "us", .number(\.eagerAllReduceMicroseconds, .microseconds),
      "Least time of an all-reduce that is not launched from a CUDA graph."),
    Setting(
      "all_reduce.most_gpus", unit: "GPUs", isLate: true,
      .integer(\.mostAllReduceGPUs, 0...1024),
      "More GPUs than these all-reduce as fast, as over a rack's NVLink where one tray was measured; 0: no limit."
    ),
    Setting(
      "all_reduce.skew_us", unit: "us", .number(\.allReduceSkewMicroseconds, .microseconds),
      "Time that the GPUs of an all-reduce wait for the last of them."),
    Setting(
      "attention.splits_keys", .flag(\.splitsAttentionKeys),
      "Whether prefill attention splits long contexts among idle multiprocessors, as FlashAttention 3 does."),
    Setting(
      "elementwise.fused", .flag(\.fusesElementwise),
      "Whether norms, rotary embedding and activation are fused kernels, as vLLM's are."),
    Setting(
      "experts.balanced", isLate: true, .flag(\.balancesExperts),
      "Whether experts are moved between the ranks that share them out, so that these have equal work (EPLB)."
    ),
    Setting(
      "experts.redundant", isLate: true, .integer(\.redundantExperts, 0...4096),
      "Copies of the busiest experts beyond one of each, where they are balanced."),
    Setting(
      "experts.own_choices", isLate: true, .flag(\.passesOverOwnChoices),
      "Whether ranks that share out the experts pass over the choices of their own ones alone, not of all."),
    Setting(
      "memory.reserved_bytes", unit: "bytes", .integer(\.reservedBytes, 0...(1 << 50)),
      "Memory of each GPU that is neither weights, activations nor KV blocks."),
    Setting(
      "memory.activation_scale", .number(\.activationScale, .notNegative),
      "Factor on the estimated peak of activations."),
    Setting(
      "memory.state_sequences", unit: "sequences", isLate: true, .integer(\.stateSequences, 1...(1 << 20)),
      "The most sequences whose states, in layers without attention, memory is set aside for."),
    Setting(
      "model.dequantise_experts", .flag(\.dequantisesExperts),
      "Whether quantised weights, experts' among them, are dequantised to 16 bits when loaded."),
    Setting(
      "model.mxfp8_activations", isLate: true, .flag(\.usesMXFP8Activations),
      "Whether MXFP4 experts are computed with MXFP8 activations on GPUs that have such kernels."),
    Setting(
      "model.mxfp4_marlin", isLate: true, .flag(\.usesMarlinForMXFP4),
      "Whether MXFP4 experts are computed by Marlin's kernels where they have no MXFP8 activations (vLLM's VLLM_MXFP4_USE_MARLIN); before Hopper they always are."
    ),
    Setting(
      "model.window_every_layer", .flag(\.windowsEveryLayer),
      "Whether a sliding window is applied in every layer, not in its own alone."),
  ]
}
