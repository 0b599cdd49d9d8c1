/// A recurrence with a state of fixed size for each head, behind a short convolution: Mamba-2 (state-space duality, arXiv
/// 2405.21060), or Mamba-1 (selective state spaces, arXiv 2312.00752), in which each channel is a head of width one.
///
/// Mamba-1 projects channels and gates alone, convolves the channels, and projects those to what goes into states and comes out
/// of them, and to a narrow vector of which the time step of each channel is made.
public struct StateSpace: Sendable, Hashable {
  /// Heads.
  public var heads: Int
  /// Width of a head.
  public var headDim: Int
  /// Numbers of state for each number of a head.
  public var stateSize: Int
  /// Groups of heads that share their inputs to the state and outputs from it.
  public var groups: Int
  /// Tokens that the convolution sees.
  public var kernel: Int
  /// Tokens of a prompt that are worked on like attention, and padded to.
  public var chunk: Int
  /// Whether the gated output passes a norm.
  public var hasNorm: Bool
  /// Bytes of a number of the state.
  public var stateNumberBytes: Int
  /// Bytes of a number that the convolution keeps.
  public var convolutionNumberBytes: Int
  /// Width of the vector that time steps are made of, in Mamba-1; nil in Mamba-2.
  public var rank: Int?
  /// Whether its projections are in 16 bits where those of other layers are not.
  public var isWide = false

  /// Creates a recurrence.
  public init(
    heads: Int, headDim: Int, stateSize: Int, groups: Int, kernel: Int, chunk: Int = 256,
    hasNorm: Bool = true, stateNumberBytes: Int = 4, convolutionNumberBytes: Int = 2, rank: Int? = nil
  ) {
    self.heads = heads
    self.headDim = headDim
    self.stateSize = stateSize
    self.groups = groups
    self.kernel = kernel
    self.chunk = chunk
    self.hasNorm = hasNorm
    self.stateNumberBytes = stateNumberBytes
    self.convolutionNumberBytes = convolutionNumberBytes
    self.rank = rank
  }

  /// Width of all heads.
  public var innerWidth: Int { heads * headDim }
  /// Columns that the convolution passes over: the heads and, in Mamba-2, what goes into and comes out of states.
  public var channels: Int { rank == nil ? innerWidth + 2 * groups * stateSize : innerWidth }
  /// Columns of the first projection: the channels, the gate of the output and, in Mamba-2, a time step of each head.
  public var inputWidth: Int { innerWidth + channels + (rank == nil ? heads : 0) }
  /// Columns of Mamba-1's projection of channels: what time steps are made of, and what goes into and comes out of states.
  public func stepWidth(rank: Int) -> Int { rank + 2 * stateSize }
  /// Numbers of the states.
  public var stateNumbers: Int { heads * headDim * stateSize }
  /// Bytes of the states.
  public var stateBytes: Int { stateNumbers * stateNumberBytes }
  /// Bytes that a sequence keeps in a layer, whatever its length.
  public var cacheBytes: Int { stateBytes + channels * (kernel - 1) * convolutionNumberBytes }
  /// Weights of the convolution, the heads' decays, skips and time steps, and the norm.
  ///
  /// In Mamba-1 a decay is of each number of the state, and norms are of the three parts of the second projection.
  var otherParameters: Int {
    guard let rank else { return channels * (kernel + 1) + 3 * heads + (hasNorm ? innerWidth : 0) }
    return channels * (kernel + 1) + 2 * heads + stateNumbers + stepWidth(rank: rank)
  }

  /// Weights of a layer's projections, convolution, heads and norm.
  func parameters(hidden: Int) -> Int {
    let steps = rank.map { innerWidth * stepWidth(rank: $0) + $0 * innerWidth } ?? 0
    return hidden * inputWidth + steps + otherParameters + innerWidth * hidden
  }

  /// The part of one of several GPUs: heads are split, and groups are, down to one that GPUs hold copies of.
  func shared(by gpus: Int) -> StateSpace {
    var share = self
    share.heads /= gpus
    share.groups = max(1, groups / gpus)
    return share
  }
}

/// How engines page the memory of models whose layers keep states or keys and values: all pages are of one size, and layers are
/// grouped so that as many have a page each (vLLM's hybrid KV cache manager, in its release notes of 0.11 and after).
public struct HybridPages: Sendable, Hashable {
  /// Tokens of a page of keys and values: whole sixteens, as few as hold the state of a layer; with snapshots, whole chunks
  /// of the recurrence.
  public let blockTokens: Int
  /// Bytes of a page in one layer on one GPU.
  public let pageBytes: Int
  /// Layers of a group, padding included.
  public let depth: Int
  /// Groups of layers with keys and values, each of which has a page for every ``blockTokens`` tokens of a sequence.
  public let attentionGroups: Int
  /// Groups of layers with states, each of which has one page for a sequence, or one for each snapshot.
  public let stateGroups: Int
  /// Whether the state behind every ``blockTokens`` tokens is kept, so that prompts with the same beginning share it.
  public let keepsSnapshots: Bool

  /// Works out the pages of a model.
  ///
  /// - Parameters:
  ///   - tokenBytes: of keys and values of a token in a layer on one GPU.
  ///   - stateBytes: of a sequence in a layer on one GPU.
  ///   - attentionLayers: layers with keys and values.
  ///   - stateLayers: layers with states.
  ///   - snapshotChunk: tokens of a chunk of the recurrence, at whose end a state can be kept; `nil` keeps no snapshots.
  /// - Precondition: there are both.
  public init(
    tokenBytes: Int, stateBytes: Int, attentionLayers: Int, stateLayers: Int, snapshotChunk: Int? = nil
  ) {
    precondition(min(tokenBytes, stateBytes, attentionLayers, stateLayers) > 0, "there is nothing to share")
    keepsSnapshots = snapshotChunk != nil
    let unit = snapshotChunk.map { $0 / greatestCommonDivisor($0, 16) * 16 } ?? 16
    blockTokens = unit * ((stateBytes + unit * tokenBytes - 1) / (unit * tokenBytes))
    pageBytes = blockTokens * tokenBytes
    let (fewer, more) = (min(attentionLayers, stateLayers), max(attentionLayers, stateLayers))
    // A little padding costs less than many groups.
    let depth = 2 * more < 3 * fewer ? more : fewer
    self.depth = depth
    func groups(_ layers: Int) -> Int { (layers + depth - 1) / depth }
    attentionGroups = groups(attentionLayers)
    stateGroups = groups(stateLayers)
  }

  /// Pages of a sequence.
  ///
  /// - Parameters:
  ///   - tokens: its tokens.
  ///   - drafts: drafts that are verified at once, behind each of which there is a state.
  /// - Returns: pages of all groups together.
  public func pages(tokens: Int, drafts: Int = 0) -> Int {
    let blocks = (tokens + blockTokens - 1) / blockTokens
    return attentionGroups * blocks + stateGroups * ((keepsSnapshots ? blocks : 1) + drafts)
  }
}

extension ModelShard {
  /// The pages of a model some of whose layers are a recurrence; nil where none is, or all are.
  ///
  /// - Parameter keepsSnapshots: whether states behind whole pages of tokens are kept, as vLLM's `--mamba-cache-mode all` has it.
  /// - Returns: pages of one size for layers of both kinds.
  public func hybridPages(keepsSnapshots: Bool) -> HybridPages? {
    let states = kinds.lazy.compactMap { kind -> Int? in
      switch kind.mixer {
      case .gatedDelta(let delta): delta.cacheBytes
      case .stateSpace(let space), .stateSpaceBesideAttention(let space, _, _, _): space.cacheBytes
      default: nil
      }
    }
    guard let bytes = states.first, model.attentionLayers > 0 else { return nil }
    return HybridPages(
      tokenBytes: keyValueBytesPerTokenAndLayer, stateBytes: bytes, attentionLayers: model.attentionLayers,
      stateLayers: model.stateLayers,
      snapshotChunk: keepsSnapshots ? model.snapshotChunk : nil)
  }
}

private func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int { b == 0 ? a : greatestCommonDivisor(b, a % b) }
