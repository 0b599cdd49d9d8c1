/// One kind of layer: how it mixes tokens, and what it computes of each.
///
/// A model is a list of kinds and, for each layer, which of them it is: a ``LayerMap``. Sizes are those of the whole
/// model, or of one GPU's share of it: see ``shared(by:expertRanks:dataParallel:)``.
public struct LayerKind: Sendable, Hashable {
  /// How tokens of a sequence see each other.
  public enum Mixer: Sendable, Hashable {
    /// Attention over keys and values, all of them or the last ones alone.
    case attention(GroupedAttention)
    /// Attention over one latent vector for each token.
    case latentAttention(LatentAttention)
    /// Attention in a compressed space, behind convolutions.
    case compressedAttention(CompressedAttention)
    /// A recurrence with a state of fixed size.
    case gatedDelta(GatedDelta)
    /// Mamba-2, or Mamba-1.
    case stateSpace(StateSpace)
    /// Mamba-2 and attention over all tokens, which read the same input and whose outputs are added.
    case stateSpaceBesideAttention(StateSpace, heads: Int, keyValueHeads: Int, headDim: Int)
    /// Tokens do not see each other: one half of a layer.
    case nothing
  }

  /// What is computed of each token.
  public enum FeedForward: Sendable, Hashable {
    /// A gated MLP.
    case dense(width: Int)
    /// An MLP without a gate.
    case plain(width: Int)
    /// Nothing: the other half of a layer.
    case nothing
    /// A mixture of experts: `active` of `count` for each token, and an MLP that all tokens pass, if `shared` is its width and
    /// not 0. Both have gates, or neither has. With a `latent` width routed experts work on tokens that are projected down to
    /// it, and their sum is projected up.
    case experts(
      count: Int, active: Int, width: Int, shared: Int, format: WeightFormat, isGated: Bool = true,
      latent: Int? = nil)
  }

  /// How tokens of a sequence see each other.
  public var mixer: Mixer
  /// What is computed of each token.
  public var feedForward: FeedForward

  /// Creates a kind.
  public init(mixer: Mixer, feedForward: FeedForward) {
    self.mixer = mixer
    self.feedForward = feedForward
  }

  /// The part of one of several GPUs that share the model by tensor parallelism.
  ///
  /// Heads and widths are split; GPUs beyond the number of key-value heads hold copies, and latent vectors are on all, as is
  /// compressed attention.
  /// Experts stay whole where as many GPUs share them out as there are. They are split over the GPUs of all ranks that share
  /// them, what is not experts over those of one.
  ///
  /// - Parameters:
  ///   - gpus: the GPUs of a rank.
  ///   - expertRanks: groups of GPUs that share out the experts, a divisor of all GPUs.
  ///   - dataParallel: ranks that share the experts, each with sequences of its own.
  /// - Returns: the part.
  /// - Precondition: the heads and widths are multiples;
  ///   ``ModelDescription/shard(over:expertRanks:dataParallel:)`` checks it.
  public func shared(by gpus: Int, expertRanks: Int = 1, dataParallel: Int = 1) -> LayerKind {
    var share = self
    share.mixer =
      switch mixer {
      case .attention(let attention): .attention(attention.shared(by: gpus))
      case .latentAttention(var attention):
        {
          attention.heads /= gpus
          return .latentAttention(attention)
        }()
      case .compressedAttention: mixer
      case .gatedDelta(var delta):
        {
          delta.keyHeads = max(1, delta.keyHeads / gpus)
          delta.valueHeads = max(1, delta.valueHeads / gpus)
          return .gatedDelta(delta)
        }()
      case .stateSpace(let space): .stateSpace(space.shared(by: gpus))
      case .stateSpaceBesideAttention(let space, let heads, let keyValueHeads, let headDim):
        .stateSpaceBesideAttention(
          space.shared(by: gpus), heads: heads / gpus, keyValueHeads: max(1, keyValueHeads / gpus),
          headDim: headDim)
      case .nothing: .nothing
      }
    share.feedForward =
      switch feedForward {
      case .dense(let width): .dense(width: width / gpus)
      case .plain(let width): .plain(width: width / gpus)
      case .nothing: .nothing
      case .experts(let count, let active, let width, let shared, let format, let isGated, let latent):
        .experts(
          count: count, active: active, width: width * expertRanks / (gpus * dataParallel),
          shared: shared / gpus, format: format, isGated: isGated, latent: latent)
      }
    return share
  }

  /// Halves that it consists of, each behind a norm: two, or one where it has no mixer or computes nothing of each token.
  public var halves: Int { (mixer == .nothing ? 0 : 1) + (feedForward == .nothing ? 0 : 1) }

  /// Whether it is a mixture of experts.
  public var hasExperts: Bool { if case .experts = feedForward { true } else { false } }

  /// What a sequence keeps in such a layer, keys, values and latent vectors at 16 bits a number.
  public var cache: CacheSpec {
    switch mixer {
    case .attention(let attention):
      attention.window.map { .window(tokens: $0, bytesPerToken: 2 * attention.entryWidth) }
        ?? .perToken(bytes: 2 * attention.entryWidth)
    case .latentAttention(let attention):
      .perToken(bytes: 2 * attention.entryWidth + (attention.indexer?.entryBytes ?? 0))
    case .compressedAttention(let attention):
      .perToken(bytes: 4 * attention.keyValueHeads * attention.headDim, beside: attention.stateBytes)
    case .gatedDelta(let delta): .constant(bytes: delta.cacheBytes)
    case .stateSpace(let space): .constant(bytes: space.cacheBytes)
    case .stateSpaceBesideAttention(let space, _, let keyValueHeads, let headDim):
      .perToken(bytes: 4 * keyValueHeads * headDim, beside: space.cacheBytes)
    case .nothing: .constant(bytes: 0)
    }
  }
}

/// What a sequence keeps in a layer: it grows with its tokens, grows up to a window, or stays the same.
public enum CacheSpec: Sendable, Hashable {
  /// A number of bytes for each token, and as many `beside` them for the sequence.
  case perToken(bytes: Int, beside: Int = 0)
  /// The same, of the last tokens alone.
  case window(tokens: Int, bytesPerToken: Int)
  /// The same number of bytes for any number of tokens.
  case constant(bytes: Int)

  /// Bytes that a sequence of some tokens keeps.
  public func bytes(tokens: Int) -> Int {
    switch self {
    case .perToken(let bytes, let beside): bytes * tokens + beside
    case .window(let window, let bytes): bytes * min(tokens, window)
    case .constant(let bytes): bytes
    }
  }
}
