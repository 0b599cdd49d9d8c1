/// What is kept of decode steps that are repeated at once; reused.
struct Repetition: Sendable {
  /// Most steps at once: few enough for all that is kept of them to stay in the cache.
  static let mostSteps = 64

  /// KV blocks in use in each step.
  private var blocks = Array(repeating: Int32(0), count: mostSteps)
  /// The steps that were taken.
  private(set) var records = Array(repeating: IterationRecord(), count: mostSteps)
  /// Their distances in time.
  private(set) var gaps = Array(repeating: Seconds(0), count: mostSteps)

  /// KV blocks in use in a step that was foreseen.
  func blocksUsed(inStep step: Int) -> Int32 { blocks[step] }

  /// Works out the KV blocks in use in each of the next steps.
  ///
  /// - Returns: the number of steps, at most `steps`, for which there is memory.
  mutating func foreseeBlocks(steps: Int, free: Int, of total: Int, decoding: borrowing DecodingState) -> Int
  {
    Self.foresee(
      steps, needs: decoding.byRemainder.span, from: decoding.classNeedingBlock, free: free, of: total,
      into: &blocks)
  }

  /// Takes steps, which must have been foreseen.
  ///
  /// - Parameters:
  ///   - steps: how many.
  ///   - running: the iteration before; then the last step.
  ///   - index: of the first step.
  ///   - costs: what they cost.
  ///   - decoding: the sequences.
  mutating func take(
    _ steps: Int, after running: inout IterationRecord, index: Int64, costs: [Cost],
    decoding: inout DecodingState
  ) {
    Self.take(
      steps, after: &running, index: index, costs: costs.span, blocks: blocks, decoding: &decoding,
      records: &records, gaps: &gaps)
  }

  // Static, because a span of one property would bar the way to all others.

  private static func foresee(
    _ steps: Int, needs: Span<Int32>, from first: Int, free: Int, of total: Int, into blocks: inout [Int32]
  ) -> Int {
    var blocks = blocks.mutableSpan
    var free = free
    var needing = first
    for step in 0..<steps {
      free -= Int(needs[needing])
      guard free >= 0 else { return step }
      blocks[step] = Int32(total - free)
      needing = (needing > 0 ? needing : needs.count) - 1
    }
    return steps
  }

  private static func take(
    _ steps: Int, after running: inout IterationRecord, index: Int64, costs: Span<Cost>, blocks: [Int32],
    decoding: inout DecodingState, records: inout [IterationRecord], gaps: inout [Seconds]
  ) {
    let blocks = blocks.span
    var records = records.mutableSpan
    var gaps = gaps.mutableSpan
    var longest: Seconds = 0
    for step in 0..<steps {
      running.index = index + Int64(step)
      running.fill(from: costs[step], start: running.end)
      running.kvBlocksUsed = blocks[step]
      records[step] = running
      let gap = decoding.takeStep(cost: costs[step], at: running.end)
      gaps[step] = gap
      longest = max(longest, gap)
    }
    // Nobody comes or goes between these steps, so nobody will ask for the longest gap since one of them.
    decoding.gaps.append(longest, step: decoding.step)
  }
}
