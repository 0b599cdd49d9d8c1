import Systems

extension LayerProgram {
  /// What mixes the tokens of a sequence: projections, rotary embedding and attention, or a recurrence.
  static func mixer(
    _ mixer: LayerKind.Mixer, of shard: ModelShard, _ choice: KernelChoice
  ) -> [any KernelCall] {
    let model = shard.model
    return switch mixer {
    case .attention(let heads): attention(heads, of: model, choice)
    case .latentAttention(let latent): latentAttention(latent, of: model, choice)
    case .compressedAttention(let attention): compressedAttention(attention, of: model, choice)
    case .gatedDelta(let delta): recurrence(delta, of: model, choice)
    case .stateSpace(let space): stateSpace(space, of: shard, choice)
    case .stateSpaceBesideAttention(let space, let heads, let keyValueHeads, let headDim):
      stateSpace(space, of: shard, choice)
        + attention(
          GroupedAttention(heads: heads, keyValueHeads: keyValueHeads, headDim: headDim), of: model, choice)
    case .nothing: []
    }
  }

  private static func attention(
    _ attention: GroupedAttention, of model: ModelDescription, _ choice: KernelChoice
  ) -> [any KernelCall] {
    let shape = AttentionHeads(
      heads: attention.heads, keyValueHeads: attention.keyValueHeads, headDim: attention.headDim,
      window: attention.window ?? 0, valueDim: attention.valueDim)
    let entryWidth = Double(attention.entryWidth)
    let width = Double(attention.heads * attention.headDim) + entryWidth
    return [
      product(
        .qkvGEMM, n: model.projectedWidth(of: attention), k: model.hidden,
        hasBias: model.hasQueryKeyValueBias, format: model.formats.queryKeyValue),
      normRopeKV(choice, activations: width, entryWidth: entryWidth, of: model),
      LoadCall<PrefillAttention>(
        .prefillAttention,
        .init(shape, splitsKeys: choice.splitsKeys, format: model.formats.keyValues)),
      LoadCall<DecodeAttention>(.decodeAttention, .init(shape, format: model.formats.keyValues)),
      product(
        .oGEMM, n: model.hidden, k: attention.outputWidth, hasBias: model.hasOutputBias,
        format: model.formats.output),
    ]
  }

  /// Prompts expand latent vectors to keys and values of each head; decodes multiply queries and outputs instead.
  private static func latentAttention(
    _ latent: LatentAttention, of model: ModelDescription, _ choice: KernelChoice
  ) -> [any KernelCall] {
    let formats = model.formats
    // Only decodes multiply queries and outputs.
    func side(n: Int, k: Int, _ format: WeightFormat, launches: Int? = nil) -> any KernelCall {
      LoadCall<MatrixProduct>(.latentProducts, .init(n: n, k: k, format: format), launches: launches)
    }
    var calls: [any KernelCall] = []
    if let rank = latent.queryRank {
      calls.append(
        product(.latentGEMM, n: latent.downWidth, k: model.hidden, format: formats.queryKeyValue))
      calls.append(product(.queryGEMM, n: latent.queryWidth, k: rank, format: formats.queryKeyValue))
    } else {
      let width = latent.queryWidth + latent.entryWidth
      calls.append(product(.latentGEMM, n: width, k: model.hidden, format: formats.queryKeyValue))
    }
    if let indexer = latent.indexer {
      calls.append(
        product(.indexGEMM, n: indexer.heads * indexer.headDim, k: latent.queryRank ?? model.hidden))
      calls.append(product(.indexGEMM, n: indexer.headDim + indexer.heads, k: model.hidden))
    }
    let width = latent.downWidth + latent.heads * latent.rope
    return calls + [
      // Two norms, rotary embedding, putting keys together twice, and writing.
      normRopeKV(
        choice, activations: Double(width), entryWidth: Double(latent.entryWidth), of: model, launches: 6),
      side(n: latent.upWidth, k: latent.latent, formats.queryKeyValue),
      LoadCall<PrefillAttention>(
        .prefillAttention,
        .init(.init(expanded: latent), splitsKeys: choice.splitsKeys, format: formats.keyValues)),
      side(n: latent.heads * latent.latent, k: latent.nope, .bf16, launches: 0),
      LoadCall<DecodeAttention>(
        .decodeAttention, .init(.init(absorbed: latent), format: formats.keyValues)),
      side(n: latent.heads * latent.latent, k: latent.value, .bf16, launches: 0),
      product(.oGEMM, n: model.hidden, k: latent.heads * latent.value, format: formats.output),
    ]
  }

  /// Projections to narrow heads, convolutions, and ordinary attention.
  ///
  /// The convolution of each head is a product whose inputs are its taps' tokens side by side: as many weights and operations as
  /// one dense product of the channels and a head's taps has, which prices it.
  private static func compressedAttention(
    _ attention: CompressedAttention, of model: ModelDescription, _ choice: KernelChoice
  ) -> [any KernelCall] {
    let shape = AttentionHeads(
      heads: attention.heads, keyValueHeads: attention.keyValueHeads, headDim: attention.headDim)
    let channels = Double(attention.channels)
    let taps = Double(attention.channelTaps)
    let entryWidth = Double(2 * attention.keyValueHeads * attention.headDim)
    return [
      product(
        .qkvGEMM, n: attention.projectedWidth, k: model.hidden, format: model.formats.queryKeyValue),
      // Each row reads itself and those before it, of this step or as the state has them, and is written.
      RowCall<Elementwise>(.convolution, .init(KernelKind.convolution.rawValue, choice.elementwise)) {
        let rows = Double($0.computed)
        return .init(
          activationBytes: 2 * rows * (taps + 1) * channels, flops: 2 * rows * taps * channels)
      },
      product(.convolutionGEMM, n: attention.channels, k: attention.headDim * attention.headTaps),
      // Beside queries, keys and values, queries and keys from before the convolutions are read.
      normRopeKV(
        choice, activations: Double(attention.projectedWidth) + channels / 2, entryWidth: entryWidth,
        of: model),
      LoadCall<PrefillAttention>(
        .prefillAttention,
        .init(shape, splitsKeys: choice.splitsKeys, format: model.formats.keyValues)),
      LoadCall<DecodeAttention>(.decodeAttention, .init(shape, format: model.formats.keyValues)),
      product(.oGEMM, n: model.hidden, k: attention.queryWidth, format: model.formats.output),
    ]
  }

  /// Projections around a convolution and a recurrence, whose own time is no matter of rows.
  private static func recurrence(
    _ delta: GatedDelta, of model: ModelDescription, _ choice: KernelChoice
  ) -> [any KernelCall] {
    let format = model.formats.recurrence
    let outputWidth = Double(delta.valueHeads * delta.valueDim)
    let stages = Recurrence.Stage.allCases.map { stage -> any KernelCall in
      LoadCall<Recurrence>(.recurrence, .init(delta, stage))
    }
    return [
      product(.recurrenceGEMM, n: delta.inputWidth, k: model.hidden, format: format),
      product(.recurrenceGEMM, n: delta.gateWidth, k: model.hidden),
    ] + stages + [
      // The norm of the output, which its gate is multiplied with.
      streaming(.rmsNorm, choice.elementwise) { 6 * Double($0.computed) * outputWidth },
      product(.oGEMM, n: model.hidden, k: delta.valueHeads * delta.valueDim, format: format),
    ]
  }

  /// Projections around the convolution and the scan of Mamba-2 or Mamba-1, whose own time is no matter of rows.
  private static func stateSpace(
    _ space: StateSpace, of shard: ModelShard, _ choice: KernelChoice
  ) -> [any KernelCall] {
    let model = shard.model
    let format = model.formats.recurrence(of: space)
    let stages = StateSpaceScan.Stage.allCases.map { stage -> any KernelCall in
      LoadCall<StateSpaceScan>(.recurrence, .init(space, stage))
    }
    if let rank = space.rank {
      // Each GPU projects its own channels, and the sum over all of them is what time steps and states' inputs and outputs are
      // made of; each of these three has a norm. The gate is multiplied in the scan.
      let norms = [rank, space.stateSize, space.stateSize].map { width in
        streaming(.rmsNorm, choice.elementwise) { 4 * Double($0.computed) * Double(width) }
      }
      let before =
        [
          product(.recurrenceGEMM, n: space.inputWidth, k: model.hidden, format: format),
          product(.recurrenceGEMM, n: space.stepWidth(rank: rank), k: space.innerWidth),
        ] + allReduces(shard, choice, width: space.stepWidth(rank: rank)) + norms
      return before + [product(.recurrenceGEMM, n: space.innerWidth, k: rank)] + stages
        + [product(.oGEMM, n: model.hidden, k: space.innerWidth, format: format)]
    }
    return [product(.recurrenceGEMM, n: space.inputWidth, k: model.hidden, format: format)] + stages + [
      // The gate of the output, and its norm.
      streaming(.rmsNorm, choice.elementwise) { 6 * Double($0.computed) * Double(space.innerWidth) },
      product(.oGEMM, n: model.hidden, k: space.innerWidth, format: format),
    ]
  }

  /// Norms, rotary embedding, and writing of what tokens keep: one kernel each where nothing is fused.
  private static func normRopeKV(
    _ choice: KernelChoice, activations: Double, entryWidth: Double, of model: ModelDescription,
    launches: Int = 3
  ) -> any KernelCall {
    let entryBytes = model.formats.keyValues.bytesPerWeight * entryWidth
    return RowCall<Elementwise>(
      .qkNormRopeKV, .init(KernelKind.qkNormRopeKV.rawValue, choice.elementwise), launches: launches
    ) {
      .init(activationBytes: 4 * Double($0.computed) * activations, kvBytes: Double($0.rows) * entryBytes)
    }
  }
}
