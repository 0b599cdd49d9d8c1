/// What the kernels of an instance have used so far.
///
/// A ledger is filled and read by the cost model that prices its instance. Steps that cost the same are not added up:
/// their prices are counted, by a small number such as their rows, and multiplied when the ledger is read.
public struct KernelLedger: Sendable {
  /// How often each price was used, for up to eighteen kinds of prices: two, and two for each of eight kinds of layers.
  public var uses: InlineArray<18, PriceUses> = InlineArray(repeating: PriceUses())
  /// Sums of what has no price of its own, for up to five kinds of kernels.
  public var totals: InlineArray<5, SIMD8<Double>> = InlineArray(repeating: .zero)
  /// Sums of what has neither, by kernels; empty where there is no such.
  public var others: [SIMD8<Double>] = []
  /// Whether what each kernel uses is kept step by step.
  public var logsSteps = false
  /// What each kernel used in the step at hand; the cost model makes room for it.
  public var step: [SIMD8<Double>] = []
  /// What layers used by what they carry; nothing unless it is asked for.
  public var byLayers: LayerUses?
  /// The same of what makes drafts, in parts; empty where nothing is drafted.
  public var drafts: [KernelLedger] = []
  /// The same of what makes tokens of images; empty, or one.
  public var images: [KernelLedger] = []
  /// Sums of the kernels that choose and evict KV entries; empty where all are kept.
  public var retention: [SIMD8<Double>] = []
  /// The same of the step at hand.
  public var retentionStep: [SIMD8<Double>] = []

  /// The same of each stage of a pipeline; empty without one.
  public var stages: [KernelLedger] = []
  /// How often rows went from one stage to the next, their time and their bytes.
  public var sends = SIMD4<Double>.zero

  /// Creates an empty ledger.
  public init() {}
}

/// How often prices were used, by their keys.
public struct PriceUses: Sendable {
  private var counts: [Int] = []
  /// The key that is in use, and how often it was since it last changed: mostly it stays the same for a while.
  private var current = 0
  private var pending = 0

  /// Creates an empty count.
  public init() {}

  /// Counts a price that is used some times.
  @inline(__always)
  public mutating func count(_ key: Int, times: Int) {
    if key != current { change(to: key) }
    pending += times
  }

  private mutating func change(to key: Int) {
    if pending > 0 {
      if current >= counts.count {
        counts += Array(repeating: 0, count: max(current + 1, 2 * counts.count, 256) - counts.count)
      }
      counts[current] += pending
    }
    current = key
    pending = 0
  }

  /// Visits the keys that were used, in ascending order, with how often.
  ///
  /// - Complexity: O(largest key).
  public func forEach(_ body: (_ key: Int, _ times: Int) -> Void) {
    for key in 0..<max(counts.count, current + 1) {
      let times = (key < counts.count ? counts[key] : 0) + (key == current ? pending : 0)
      if times > 0 { body(key, times) }
    }
  }
}

/// What layers used, apart for those that carry prefill and those that decode alone; all GPUs together but for the
/// time, which is one's.
public struct LayerUses: Sendable, Hashable {
  /// What layers of one kind used.
  public struct Use: Sendable, Hashable {
    /// Passes of a step through a layer.
    public var passes = 0
    /// Time in kernels.
    public var seconds: Seconds = 0
    /// Energy above idle.
    public var joules: Joules = 0
    /// Expert weights read.
    public var expertBytes = 0.0
    /// Everything else that was moved.
    public var otherBytes = 0.0

    /// Creates the use of nothing.
    public init() {}

    static func + (a: Use, b: Use) -> Use {
      var sum = a
      sum.passes += b.passes
      sum.seconds += b.seconds
      sum.joules += b.joules
      sum.expertBytes += b.expertBytes
      sum.otherBytes += b.otherBytes
      return sum
    }
  }

  /// Layers with prefill.
  public var withPrefill = Use()
  /// Layers that decode and do nothing else.
  public var decodeOnly = Use()

  /// Creates the use of nothing.
  public init() {}

  /// Adds two instances' uses up.
  public static func + (a: LayerUses, b: LayerUses) -> LayerUses {
    var sum = LayerUses()
    sum.withPrefill = a.withPrefill + b.withPrefill
    sum.decodeOnly = a.decodeOnly + b.decodeOnly
    return sum
  }

  /// Adds what a cost has grown by.
  public mutating func add(_ cost: StepCost, since before: StepCost, layers: Int, hasPrefill: Bool) {
    var use = hasPrefill ? withPrefill : decodeOnly
    use.passes += layers
    use.seconds += cost.kernelSeconds - before.kernelSeconds
    use.joules += cost.joules - before.joules
    use.expertBytes += cost.expertBytes - before.expertBytes
    use.otherBytes += Self.otherBytes(cost) - Self.otherBytes(before)
    if hasPrefill { withPrefill = use } else { decodeOnly = use }
  }

  private static func otherBytes(_ cost: StepCost) -> Double {
    cost.weightBytes + cost.kvBytes + cost.activationBytes
  }
}
