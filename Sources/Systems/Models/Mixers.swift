/// Attention over one latent vector for each token, and a rotary key that all heads share (DeepSeek's MLA).
///
/// Prefill expands the latent vectors to keys and values of each head; decode multiplies queries into the latent space
/// instead, and attends as if there were one key-value head (DeepSeek-V2, arXiv 2405.04434, section 2.1 and appendix C).
public struct LatentAttention: Sendable, Hashable {
  /// Query heads.
  public var heads: Int
  /// Width that queries pass through; nil where they are projected at once.
  public var queryRank: Int?
  /// Width of the latent vector.
  public var latent: Int
  /// Width of a head's query and key without the rotary part.
  public var nope: Int
  /// Width of the rotary part.
  public var rope: Int
  /// Width of a head's value.
  public var value: Int
  /// What chooses the tokens that a query sees; nil where it sees all.
  public var indexer: Indexer?

  /// Creates an attention.
  public init(
    heads: Int, queryRank: Int?, latent: Int, nope: Int, rope: Int, value: Int, indexer: Indexer? = nil
  ) {
    self.heads = heads
    self.queryRank = queryRank
    self.latent = latent
    self.nope = nope
    self.rope = rope
    self.value = value
    self.indexer = indexer
  }

  /// Numbers that a token keeps.
  public var entryWidth: Int { latent + rope }
  /// Columns of the first projection: what all GPUs compute of a token.
  public var downWidth: Int { entryWidth + (queryRank ?? 0) }
  /// Columns of all heads' queries.
  public var queryWidth: Int { heads * (nope + rope) }
  /// Columns of all heads' keys, without the rotary part, and values.
  public var upWidth: Int { heads * (nope + value) }

  /// Weights of a layer's projections and norms.
  func parameters(hidden: Int) -> Int {
    let queries = queryRank.map { hidden * $0 + $0 + $0 * queryWidth } ?? hidden * queryWidth
    let indexed = indexer?.parameters(hidden: hidden, queryRank: queryRank ?? hidden) ?? 0
    return queries + hidden * entryWidth + latent + latent * upWidth + heads * value * hidden + indexed
  }
}

/// A small attention whose scores choose the tokens that the real one sees (DeepSeek-V3.2's sparse attention).
public struct Indexer: Sendable, Hashable {
  /// Heads.
  public var heads: Int
  /// Width of a head, and of the key that a token keeps.
  public var headDim: Int
  /// Tokens that a query sees at most.
  public var topK: Int

  /// Creates an indexer.
  public init(heads: Int, headDim: Int, topK: Int) {
    self.heads = heads
    self.headDim = headDim
    self.topK = topK
  }

  /// Bytes of the key that a token keeps: 8 bits a number, and a 32-bit scale.
  public var entryBytes: Int { headDim + 4 }

  /// Weights of a layer: queries, keys and their norm, and weights of the heads.
  func parameters(hidden: Int, queryRank: Int) -> Int {
    queryRank * heads * headDim + hidden * headDim + 2 * headDim + hidden * heads
  }
}

/// A recurrence with a state of fixed size for each value head: gated DeltaNet (arXiv 2412.06464), behind a short convolution.
public struct GatedDelta: Sendable, Hashable {
  /// Heads of queries and keys.
  public var keyHeads: Int
  /// Heads of values.
  public var valueHeads: Int
  /// Width of a key head.
  public var keyDim: Int
  /// Width of a value head.
  public var valueDim: Int
  /// Tokens that the convolution sees.
  public var kernel: Int

  /// Creates a recurrence.
  public init(keyHeads: Int, valueHeads: Int, keyDim: Int, valueDim: Int, kernel: Int) {
    self.keyHeads = keyHeads
    self.valueHeads = valueHeads
    self.keyDim = keyDim
    self.valueDim = valueDim
    self.kernel = kernel
  }

  /// Columns of queries, keys and values, which the convolution passes over.
  public var channels: Int { 2 * keyHeads * keyDim + valueHeads * valueDim }
  /// Columns of the first projection: the channels, and the gate of the output.
  public var inputWidth: Int { channels + valueHeads * valueDim }
  /// Columns of the second one: two numbers a value head.
  public var gateWidth: Int { 2 * valueHeads }
  /// Bytes of the states, 32 bits a number.
  public var stateBytes: Int { 4 * valueHeads * keyDim * valueDim }
  /// Bytes that a sequence keeps in a layer: the states, and the last channels in 16 bits.
  public var cacheBytes: Int { stateBytes + 2 * (kernel - 1) * channels }

  /// Weights of a layer's projections, convolution, gates and norm.
  func parameters(hidden: Int) -> Int {
    hidden * (inputWidth + gateWidth) + channels * kernel + gateWidth + valueDim + valueHeads * valueDim
      * hidden
  }
}
