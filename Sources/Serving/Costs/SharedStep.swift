/// A step that several ranks take together: each has sequences of its own, and all share the experts.
///
/// In each layer ranks wait for each other twice, before the experts and behind them. So a layer takes as long as the
/// slowest rank needs for what is its own, and as long as the experts need for the rows of all.
public struct SharedStep: Sendable {
  /// Successive layers in which no rank's load changes.
  public struct Band: Sendable {
    /// The layers.
    public let layers: Range<Int>
    /// The longest time that any rank needs for what is its own, and the part of that which grows as the clock falls.
    public private(set) var slowest = SIMD2<Double>.zero
    /// What the experts take in these layers: time, and the part of it that grows as the clock falls.
    public var experts = SIMD2<Double>.zero
    /// What a cost model keeps of one launch of the experts, once it has priced it.
    public var launch = SIMD8<Double>.zero
    /// The share of that launch's time and energy that follows the clock.
    public var clocked = SIMD2<Double>.zero
    /// Distinct experts that it reads, summed over the layers; negative until it is priced.
    public var touched = -1.0

    init(_ layers: Range<Int>) { self.layers = layers }

    /// Takes note of what a rank needs for what is its own.
    public mutating func note(seconds: Seconds, clocked: Seconds) {
      if seconds > slowest[0] { slowest = SIMD2(seconds, clocked) }
    }
  }

  /// Ranks that take part, with or without work.
  public let ranks: Int
  /// All rows together; bands and segments as in ``bands``.
  public private(set) var load = StepLoad()
  /// What happens in which layers.
  public var bands: [Band] = []
  /// Rows of each rank in each band, band after band.
  private var rows: [Int] = []
  private var segments: [[PrefillSegment]] = []
  private var cuts: [Int] = []
  /// The longest time of any rank before and behind the layers.
  private var ends = SIMD2<Double>.zero
  /// The longest times of the ranks' hosts, and what all ranks draw together.
  private var total = StepCost()

  /// Layers that differ from the one before.
  private let changes: [Int]

  /// Creates a step without work.
  ///
  /// - Parameters:
  ///   - ranks: how many there are.
  ///   - changes: layers that differ from the one before; a band ends where they begin.
  public init(ranks: Int, changes: [Int] = []) {
    self.ranks = ranks
    self.changes = changes
  }

  /// Begins with the loads of those ranks that have one.
  ///
  /// - Parameters:
  ///   - working: their numbers.
  ///   - loadOf: asks for the load of one.
  public mutating func begin(_ working: [Int], loadOf: (Int) -> StepLoad) {
    load = StepLoad()
    ends = .zero
    total = StepCost()
    cuts.removeAll(keepingCapacity: true)
    for rank in working {
      for band in loadOf(rank).bands { cuts += [band.layers.lowerBound, band.layers.upperBound] }
    }
    cuts += changes
    cuts.sort()
    bands.removeAll(keepingCapacity: true)
    for (low, high) in zip(cuts, cuts.dropFirst()) where low < high { bands.append(Band(low..<high)) }
    rows = Array(repeating: 0, count: bands.count * ranks)
    segments = Array(repeating: [], count: bands.count)
    for rank in working { add(loadOf(rank), of: rank) }
    for (band, own) in zip(bands, segments) {
      load.bands.append(
        LayerBand(layers: band.layers, segments: load.segments.count..<load.segments.count + own.count))
      load.segments += own
    }
  }

  private mutating func add(_ other: borrowing StepLoad, of rank: Int) {
    load.decode.sequences += other.decode.sequences
    load.decode.context += other.decode.context
    load.decode.windowContext += other.decode.windowContext
    load.decode.rows += other.decode.rows
    load.prefillSequences += other.prefillSequences
    load.prefillRows += other.prefillRows
    if load.draw == 0 { load.draw = other.draw }
    for place in bands.indices {
      for band in other.bands where band.layers.overlaps(bands[place].layers) {
        rows[place * ranks + rank] = other.decode.rows
        for i in band.segments {
          rows[place * ranks + rank] += other.segments[i].tokens
          segments[place].append(other.segments[i])
        }
      }
    }
  }

  /// Rows of each rank in a band.
  public func rows(inBand band: Int) -> ArraySlice<Int> { rows[band * ranks..<(band + 1) * ranks] }

  /// Takes note of what a rank needs before and behind the layers.
  public mutating func noteEnds(seconds: Seconds, clocked: Seconds) {
    if seconds > ends[0] { ends = SIMD2(seconds, clocked) }
  }

  /// Takes note of a rank's cost: of what its host needs, and of its energy.
  public mutating func note(_ cost: borrowing StepCost) {
    total.launchSeconds = max(total.launchSeconds, cost.launchSeconds)
    total.hostSeconds = max(total.hostSeconds, cost.hostSeconds)
    total.exposedSeconds = max(total.exposedSeconds, cost.exposedSeconds)
    total.clockedJoules += cost.clockedJoules
    total.decodeRowJoules += cost.joules
  }

  /// How long the step takes, and what all ranks draw: the sum of their energies is one figure.
  public var cost: StepCost {
    var cost = total
    var times = ends
    for band in bands { times += band.slowest + band.experts }
    cost.kernelSeconds = times[0]
    cost.clockedSeconds = times[1]
    return cost
  }
}
