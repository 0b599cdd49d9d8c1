/// Attention over the keys and values of some heads, each of which several query heads may share.
public struct GroupedAttention: Sendable, Hashable {
  /// Query heads.
  public var heads: Int
  /// Key-value heads; divides ``heads``.
  public var keyValueHeads: Int
  /// Width of a head's query and key.
  public var headDim: Int
  /// Width of a head's value.
  public var valueDim: Int
  /// How many earlier tokens a token attends to; nil for all.
  public var window: Int?
  /// Whether values have a projection of their own; where not, they are the keys from before their norm and rotary embedding, and
  /// are stored beside them all the same (Gemma 4's `attention_k_eq_v`).
  public var projectsValues: Bool

  /// Creates an attention; values are as wide as keys unless it is said otherwise.
  public init(
    heads: Int, keyValueHeads: Int, headDim: Int, valueDim: Int? = nil, window: Int? = nil,
    projectsValues: Bool = true
  ) {
    self.heads = heads
    self.keyValueHeads = keyValueHeads
    self.headDim = headDim
    self.valueDim = valueDim ?? headDim
    self.window = window
    self.projectsValues = projectsValues
  }

  /// Numbers that a token keeps.
  public var entryWidth: Int { keyValueHeads * (headDim + valueDim) }
  /// Columns of what attention hands on.
  public var outputWidth: Int { heads * valueDim }
  /// Columns of the projection of queries, twice where they have gates as wide, of keys and of values.
  public func projectedWidth(hasGate: Bool) -> Int {
    (hasGate ? 2 : 1) * heads * headDim + keyValueHeads * (headDim + (projectsValues ? valueDim : 0))
  }

  /// The part of one of several GPUs; those beyond the number of key-value heads hold copies.
  func shared(by gpus: Int) -> GroupedAttention {
    var share = self
    share.heads /= gpus
    share.keyValueHeads = max(1, keyValueHeads / gpus)
    return share
  }

  /// Bytes of a token's keys and values in a format.
  func entryBytes(_ format: WeightFormat) -> Int {
    format.bytes(rows: keyValueHeads, columns: headDim) + format.bytes(rows: keyValueHeads, columns: valueDim)
  }
}
