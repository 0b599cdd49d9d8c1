import Systems

/// The kernels of one kind of layer on one GPU, in order: the only list of them.
///
/// Prices, explanations and the check of memory estimates walk it. A kernel is added to a model here, once its
/// ``KernelFamily`` exists.
public struct LayerProgram: Sendable {
  /// The kernels, in order.
  public let calls: [any KernelCall]
  /// How many of them mix tokens, up to the sum behind the output projection.
  ///
  /// The others are the feed-forward part.
  let mixerCount: Int

  /// Creates the program of a layer.
  ///
  /// - Parameters:
  ///   - kind: the layer, with the sizes of one GPU.
  ///   - shard: what each GPU holds of the model.
  ///   - choice: the kernels that the engine has for them.
  public init(_ kind: LayerKind, of shard: ModelShard, _ choice: KernelChoice = KernelChoice()) {
    let model = shard.model
    let norm = Self.norm(hidden: model.hidden, choice)
    func norms(behindSum: Bool) -> [any KernelCall] {
      (behindSum ? Self.normAfterSum(shard, choice) : [norm])
        + Array(repeating: norm, count: model.norms / 2 - 1)
    }
    let further = Array(repeating: norm, count: kind.hasExperts ? model.normsBesideExperts : 0)
    let sum = Self.allReduces(shard, choice, width: model.hidden)
    // What every GPU computes whole is not summed.
    let isWhole = if case .compressedAttention = kind.mixer { true } else { false }
    let mixer =
      kind.mixer == .nothing
      ? [] : norms(behindSum: true) + Self.mixer(kind.mixer, of: shard, choice) + (isWhole ? [] : sum)
    let feedForward =
      kind.feedForward == .nothing
      ? []
      : norms(behindSum: !isWhole) + further + Self.feedForward(kind.feedForward, of: shard, choice) + sum
    mixerCount = mixer.count
    calls = mixer + feedForward
  }

  /// The shape of the call of a family; nil where the layer has none.
  func shape<Family: KernelFamily>(of family: Family.Type) -> Family.Shape? {
    for case let call as LoadCall<Family> in calls { return call.shape }
    return nil
  }

  /// The shapes of the calls of a family that bear a name, in order.
  func shapes<Family: KernelFamily>(of family: Family.Type, _ kernel: KernelKind) -> [Family.Shape] {
    calls.compactMap { ($0 as? LoadCall<Family>).flatMap { $0.kernel == kernel ? $0.shape : nil } }
  }

  /// Kernels that an engine launches one by one in a step of prompts.
  public var launches: Int { calls.reduce(0) { $0 + $1.launches } }

  /// Bytes of weights that a GPU holds for the kernels of the layer.
  public var weightBytes: Int { calls.reduce(0) { $0 + $1.weightBytes } }
}

extension KernelCall {
  /// Bytes of weights that a GPU holds for the kernel in one layer.
  public var weightBytes: Int { shape.weightBytes }
}

extension LayerProgram {
  /// The kernels before the first layer: embedding and, with several GPUs, its sum.
  public static func before(
    _ shard: ModelShard, _ choice: KernelChoice = KernelChoice()
  ) -> [any KernelCall] {
    guard shard.holdsEmbedding else { return [] }
    return [streaming(.embedding, .fused) { 4 * Double($0.computed) * Double(shard.model.hidden) }]
      + allReduces(shard, choice, width: shard.model.hidden)
  }

  /// The kernels after the last layer: final norm, LM head and sampling.
  public static func after(
    _ shard: ModelShard, _ choice: KernelChoice = KernelChoice()
  ) -> [any KernelCall] {
    guard shard.holdsHead else { return [] }
    let model = shard.model
    return [
      norm(hidden: model.hidden, choice),
      product(.lmHead, n: shard.vocabulary, k: model.hidden, format: model.formats.head),
      // GPU 0 gathers the logits and reads them all.
      streaming(.sampling, .fused) { 2 * Double($0.computed) * Double(model.vocabulary) },
    ]
  }

  private static func feedForward(
    _ feedForward: LayerKind.FeedForward, of shard: ModelShard, _ choice: KernelChoice
  ) -> [any KernelCall] {
    let model = shard.model
    let hidden = model.hidden
    switch feedForward {
    case .dense(let width):
      return [
        product(
          .gateUpGEMM, n: 2 * width, k: hidden, hasBias: model.hasMLPBias, format: model.formats.dense),
        streaming(.siluMul, choice.elementwise) { 6 * Double($0.computed) * Double(width) },
        product(.downGEMM, n: hidden, k: width, hasBias: model.hasMLPBias, format: model.formats.dense),
      ]
    case .plain(let width):
      return [
        product(.gateUpGEMM, n: width, k: hidden, hasBias: model.hasMLPBias, format: model.formats.dense),
        streaming(.siluMul, choice.elementwise) { 4 * Double($0.computed) * Double(width) },
        product(.downGEMM, n: hidden, k: width, hasBias: model.hasMLPBias, format: model.formats.dense),
      ]
    case .nothing: return []
    case .experts(let count, let active, let width, let shared, let format, let isGated, let latent):
      let shape = Experts.Shape(
        hidden: latent ?? hidden, intermediate: width, experts: count, topK: active, format: format,
        ranks: shard.expertRanks,
        placement: choice.redundantExperts.flatMap {
          shard.expertRanks > 1
            && (count + $0).isMultiple(of: shard.expertRanks)
            ? ExpertPlacement(experts: count, ranks: shard.expertRanks, redundant: $0) : nil
        }, isGated: isGated, passesOverOwnChoices: choice.passesOverOwnChoices, groups: model.expertGroups)
      let router = model.routerProducts.map {
        product(.routerGEMM, n: $0.n, k: $0.k, hasBias: model.hasMLPBias)
      }
      // Engines keep the projections to experts' own width whole on every GPU.
      let (down, up) =
        latent.map { latent in
          (
            [product(.expertLatentGEMM, n: latent, k: hidden, format: model.formats.latents)],
            [product(.expertLatentGEMM, n: hidden, k: latent, format: model.formats.latents)]
          )
        } ?? ([], [])
      return router + down + exchange(.dispatch, shape, of: shard, choice)
        + [LoadCall<Experts>(.expertMLP, shape)] + exchange(.combine, shape, of: shard, choice)
        + unfusedExperts(shape, choice) + up
        + sharedExperts(width: shared, isGated: isGated, of: model, choice)
    }
  }

  /// The way to the experts of other ranks, or back.
  private static func exchange(
    _ phase: ExpertExchange.Phase, _ experts: Experts.Shape, of shard: ModelShard, _ choice: KernelChoice
  ) -> [any KernelCall] {
    guard shard.dataParallel > 1, let law = choice.exchange else { return [] }
    let shape = ExpertExchange.Shape(
      phase, of: experts, gpusOfRank: shard.gpus, dataParallel: shard.dataParallel, law: law)
    return [
      RowCall<ExpertExchange>(phase == .dispatch ? .expertDispatch : .expertCombine, shape) {
        Double($0.computed)
      }
    ]
  }

  /// The experts that every token passes: one dense MLP.
  private static func sharedExperts(
    width: Int, isGated: Bool, of model: ModelDescription, _ choice: KernelChoice
  ) -> [any KernelCall] {
    guard width > 0 else { return [] }
    let format = model.formats.sharedExperts
    return [
      product(.sharedGateUpGEMM, n: isGated ? 2 * width : width, k: model.hidden, format: format),
      streaming(.sharedSiluMul, named: .siluMul, choice.elementwise) {
        (isGated ? 6 : 4) * Double($0.computed) * Double(width)
      },
      product(.sharedDownGEMM, n: model.hidden, k: width, format: format),
    ]
  }

  /// Activation and sum of the experts, where they are kernels of their own.
  private static func unfusedExperts(_ shape: Experts.Shape, _ choice: KernelChoice) -> [any KernelCall] {
    guard choice.elementwise == .unfused else { return [] }
    let (choices, width, hidden) = (Double(shape.topK), Double(shape.intermediate), Double(shape.hidden))
    let isGated = shape.isGated
    return [
      streaming(.expertSiluMul, .unfused) { (isGated ? 6 : 4) * Double($0.computed) * choices * width },
      streaming(.expertSum, .unfused) { 2 * Double($0.computed) * (choices + 1) * hidden },
    ]
  }

  /// Residual and input are read, residual and output written, 2 bytes each.
  private static func norm(hidden: Int, _ choice: KernelChoice) -> any KernelCall {
    streaming(.rmsNorm, choice.elementwise) { 8 * Double($0.computed) * Double(hidden) }
  }

  /// The norm at the beginning of a half, which some engines' own all-reduce of the half before does as its last part.
  ///
  /// One for each half is as many as there are sums in layers; the last norm stands for the first one.
  private static func normAfterSum(_ shard: ModelShard, _ choice: KernelChoice) -> [any KernelCall] {
    let hidden = shard.model.hidden
    guard choice.fusesSumAndNorm, shard.gpus > 1 else { return [norm(hidden: hidden, choice)] }
    let limit = choice.allReduceLimitBytes
    return [true, false].map { isAppended in
      let shape = Elementwise.Shape(
        KernelKind.rmsNorm.rawValue, choice.elementwise, isAppended: isAppended)
      // Issued one by one the sums of a step are short: longer steps do not wait for their launches.
      return RowCall<Elementwise>(.rmsNorm, shape, launches: 0) { rows in
        let isMine = (2 * rows.computed * hidden < limit) == isAppended
        return isMine ? .init(activationBytes: 8 * Double(rows.computed) * Double(hidden)) : nil
      }
    }
  }

  static func product(
    _ kernel: KernelKind, n: Int, k: Int, hasBias: Bool = false, format: WeightFormat = .bf16
  ) -> any KernelCall {
    RowCall<MatrixProduct>(kernel, .init(n: n, k: k, format: format, hasBias: hasBias)) {
      Double($0.computed)
    }
  }

  /// A kernel that streams through memory; `named` is the kernel that it is a launch of, where results know it by another
  /// name.
  static func streaming(
    _ kernel: KernelKind, named: KernelKind? = nil, _ style: Elementwise.Style,
    bytes: @escaping @Sendable (LaunchRows) -> Double
  ) -> any KernelCall {
    RowCall<Elementwise>(kernel, .init((named ?? kernel).rawValue, style)) {
      .init(activationBytes: bytes($0))
    }
  }

  /// The sum of 16-bit rows over the GPUs: of the two implementations the one that takes messages of their size, from a
  /// graph or not.
  static func allReduces(
    _ shard: ModelShard, _ choice: KernelChoice, width: Int
  ) -> [any KernelCall] {
    guard shard.gpus > 1 else { return [] }
    let limit = choice.allReduceLimitBytes
    let most = choice.mostAllReduceGPUs > 0 ? min(choice.mostAllReduceGPUs, shard.gpus) : shard.gpus
    return [choice.allReduce, .nccl].flatMap { implementation in
      [true, false].map { isInGraph in
        let shape = AllReduce.Shape(
          implementation, gpus: implementation.isOwn ? most : shard.gpus,
          floor: isInGraph ? 0 : choice.eagerAllReduceFloor,
          skew: choice.allReduceSkew)
        // One of the four is launched.
        let launches = implementation.isOwn && !isInGraph ? 1 : 0
        return RowCall<AllReduce>(.allReduce, shape, launches: launches) { rows in
          let bytes = 2 * rows.computed * width
          let isMine = (bytes < limit) == implementation.isOwn && rows.isInGraph == isInGraph
          return isMine ? Double(bytes) : nil
        }
      }
    }
  }
}
