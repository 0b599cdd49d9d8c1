import Policies
import Serving
import Testing

/// Schedules worked out by hand, where KV memory or the cap on sequences decides.
///
/// An iteration takes 10 ms.
@Suite struct MemoryTests {
  func milliseconds(_ seconds: Seconds) -> Int { Int((seconds * 1000).rounded()) }

  /// Milliseconds of each token of each request.
  func tokens(_ history: History) -> [[Int]] {
    history.tokenTimes.sorted { $0.key < $1.key }.map { $0.value.map(milliseconds) }
  }

  /// Four blocks of 4 entries, and two requests that read 4 tokens and write 8.
  ///
  /// After 50 ms each stores 8 entries in 2 blocks, and needs a third. The older one takes it from the younger, which
  /// then needs 3 blocks for 4 + 5 tokens, but 1 is free until the older one is done at 80 ms. Its 9 tokens are
  /// computed anew, and that gives its sixth.
  @Test func theYoungestIsPreemptedAndComputedAnew() throws {
    let history = try run(
      ChunkedPrefill(budget: 512), [(0, 4, 8), (0, 4, 8)], cost: ToyCost(kvBlocks: 4, blockSize: 4))
    #expect(history.iterations.map(\.prefillTokens) == [8, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0])
    #expect(history.iterations.map(\.decodeTokens) == [0, 2, 2, 2, 2, 1, 1, 1, 0, 1, 1])
    #expect(history.iterations.map(\.kvBlocksUsed) == [2, 4, 4, 4, 4, 3, 3, 3, 3, 3, 3])
    #expect(history.iterations.map(\.queueLength) == [0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0])
    let younger = try #require(history[request: 1])
    #expect(younger.preemptions == 1)
    #expect(milliseconds(younger.scheduledAt) == 0)
    #expect(milliseconds(younger.longestGap) == 40)
    #expect(milliseconds(younger.completedAt) == 110)
  }

  /// Eight blocks of 1 entry, and three requests that read 2 tokens and write 4.
  ///
  ///     ms   entries held         what happens
  ///     10   2 2 2                all three have their first token
  ///     20   3 3 -                no block is left for the third: it is its own victim
  ///     30   4 4 -
  ///     40   5 - -                the second is evicted for the first; it needs 5 and 3 are free, and the third,
  ///                               which needs 3, does not overtake it
  ///     50   - 5 3                both are computed anew; that gives the second its last token
  ///     70   - - 5
  @Test func thePreemptedGoToTheHeadOfTheQueueAndBlockIt() throws {
    let history = try run(
      ChunkedPrefill(budget: 512), [(0, 2, 4), (0, 2, 4), (0, 2, 4)], cost: ToyCost(kvBlocks: 8, blockSize: 1)
    )
    #expect(history.iterations.map(\.prefillTokens) == [6, 0, 0, 0, 8, 0, 0])
    #expect(history.iterations.map(\.decodeTokens) == [0, 2, 2, 1, 0, 1, 1])
    #expect(history.iterations.map(\.kvBlocksUsed) == [6, 6, 8, 5, 8, 4, 5])
    #expect(history.iterations.map(\.queueLength) == [0, 1, 1, 2, 0, 0, 0])
    let times = tokens(history)
    #expect(times == [[10, 20, 30, 40], [10, 20, 30, 50], [10, 50, 60, 70]])
  }

  /// Request 2 is evicted at 30 ms for request 0, which is done at 40 ms: from then on there is room for its 5 tokens.
  ///
  /// But request 3 is on its way through the layers until 50 ms, and nobody joins it.
  @Test func inLayeredPrefillThePreemptedWaitForThePassToEnd() throws {
    let history = try run(
      LayeredPrefill(cohort: 8192, stages: 4), [(0, 2, 4), (0, 2, 8), (0, 2, 8), (0.005, 2048, 1)],
      cost: ToyCost(kvBlocks: 6 + 1024, blockSize: 2))
    #expect(history.iterations.map(\.prefillTokens) == [6, 2048, 2048, 2048, 2048, 5, 0, 0, 0, 0])
    #expect(history.iterations.map(\.layerBegin).prefix(6) == [0, 0, 2, 4, 6, 0])
    #expect(history.iterations.map(\.decodeTokens) == [0, 3, 3, 2, 1, 1, 2, 2, 1, 1])
    #expect(history.iterations.map(\.kvBlocksUsed).prefix(6) == [3, 1030, 1030, 1030, 1027, 7])
    #expect(history.iterations.map(\.queueLength).prefix(6) == [0, 0, 0, 1, 1, 0])
    let times = tokens(history)
    #expect(times[2] == [10, 20, 30, 60, 70, 80, 90, 100])
    let gap = try #require(history[request: 2]).longestGap
    #expect(milliseconds(gap) == 30)
  }

  /// Ten blocks of 1 entry.
  ///
  /// Request 1 holds 8 from its admission on, though only some of its tokens are through.
  /// Request 0 needs a third at 20 ms: prompts under way are never victims, so it gives up its own.
  @Test func aLoneDecoderGivesWayToAPromptUnderWay() throws {
    let history = try run(
      ChunkedPrefill(budget: 4), [(0, 1, 3), (0, 8, 1)], cost: ToyCost(kvBlocks: 10, blockSize: 1))
    #expect(history.iterations.map(\.prefillTokens) == [4, 3, 2, 3])
    #expect(history.iterations.map(\.decodeTokens) == [0, 1, 0, 0])
    #expect(history.iterations.map(\.kvBlocksUsed) == [9, 10, 8, 3])
    let times = tokens(history)
    #expect(times == [[10, 20, 40], [30]])
  }

  /// 6 of 10 blocks are taken.
  ///
  /// The second prompt needs 5, and the third, which needs 1, waits behind it.
  @Test func aPromptThatDoesNotFitBlocksThoseBehindIt() throws {
    let history = try run(
      ChunkedPrefill(budget: 512), [(0, 96, 3), (0, 80, 1), (0, 16, 1)], cost: ToyCost(kvBlocks: 10))
    #expect(history.iterations.map(\.prefillTokens) == [96, 0, 0, 96])
    #expect(history.iterations.map(\.queueLength) == [2, 2, 2, 0])
    #expect(history.iterations.map(\.kvBlocksUsed) == [6, 7, 7, 6])
  }

  /// 300 requests that write 4 tokens, and 256 sequences an iteration.
  ///
  /// The second iteration prefills 44 prompts, so that 44 decoders wait: the youngest. From then on the oldest 256
  /// of 300 step, and the last 44 wait until the first 212 are done.
  @Test func decodersBeyondTheCapWaitInOrder() throws {
    let history = try run(OrcaBatching(budget: 8192), Array(repeating: (0, 1, 4), count: 300))
    #expect(history.iterations.map(\.prefillSequences) == [256, 44, 0, 0, 0, 0, 0])
    #expect(history.iterations.map(\.decodeTokens) == [0, 212, 256, 256, 88, 44, 44])
    let times = tokens(history)
    #expect(times[211] == [10, 20, 30, 40])
    #expect(times[212] == [10, 30, 40, 50])
    #expect(times[255] == [10, 30, 40, 50])
    #expect(times[256] == [20, 50, 60, 70])
    #expect(times[299] == [20, 50, 60, 70])
  }

  /// A cohort has at most 256 prompts, and none as long as 256 sequences decode.
  @Test func aCohortIsCutAtTheCapOnSequences() throws {
    let history = try run(
      LayeredPrefill(cohort: 8192, stages: 4), Array(repeating: (0, 1, 2), count: 300))
    #expect(history.iterations.map(\.prefillTokens) == [256, 0, 44, 0])
    #expect(history.iterations.map(\.decodeTokens) == [0, 256, 0, 44])
  }

  @Test func aSingleTokenIsNeverDecoded() throws {
    let history = try run(ChunkedPrefill(budget: 512), [(0, 16, 1)])
    #expect(history.iterations.map(\.decodeTokens) == [0])
    #expect(history.spans.map(\.phase) == [.prefill])
    #expect(history.gaps.isEmpty)
    let record = try #require(history[request: 0])
    #expect(record.completedAt == record.firstTokenAt)
    #expect(record.longestGap == 0)
    #expect(record.timePerOutputToken.isNaN)
  }

  /// 90 + 10 tokens fit into a context of 100; 90 + 11 do not.
  @Test func whatExceedsTheContextIsRejected() throws {
    let history = try run(ChunkedPrefill(budget: 512), [(0, 90, 10), (0, 90, 11)], maxModelLength: 100)
    #expect(history[request: 0]?.status == .completed)
    let rejected = try #require(history[request: 1])
    #expect(rejected.status == .rejected)
    #expect(rejected.scheduledAt.isNaN && rejected.firstTokenAt.isNaN && rejected.completedAt.isNaN)
  }

  /// 60 + 4 tokens fit into four blocks of 16; 60 + 5 would wait for ever.
  @Test func whatExceedsAllOfMemoryIsRejected() throws {
    let history = try run(
      ChunkedPrefill(budget: 512), [(0, 60, 5), (0, 60, 4)], cost: ToyCost(kvBlocks: 4))
    #expect(history.requests.map(\.request.id) == [0, 1])
    #expect(history.requests.map(\.status) == [.rejected, .completed])
  }

  /// The first span of decoding begins after the prefill, although others decode beside it.
  @Test func spansDoNotOverlap() throws {
    let history = try run(ChunkedPrefill(budget: 512), [(0, 16, 5), (0.015, 600, 2)])
    let second = history.spans.filter { $0.request == 1 }
    #expect(second.map(\.firstIteration) == [2, 4])
    #expect(second.map(\.lastIteration) == [3, 4])
  }

  /// Layers with a window of 128 and 64 tokens in flight reserve 13 blocks of 16 beside those of the whole sequence.
  @Test(arguments: [(100, 87 * 16), (20, 160)]) func twoGroupsOfBlocksHoldLess(blocks: Int, tokens: Int) {
    var rules = EngineRules()
    #expect(rules.longestPrompt(in: KVMemory(blocks: blocks, blockSize: 16)) == .max)
    (rules.slidingWindow, rules.tokensInFlight) = (128, 64)
    #expect(rules.longestPrompt(in: KVMemory(blocks: blocks, blockSize: 16)) == tokens)
  }
}
