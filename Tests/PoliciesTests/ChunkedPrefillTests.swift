import Policies
import Serving
import Testing

@Suite struct ChunkedPrefillTests {
  @Test func aChunkPassesThroughAllLayers() throws {
    let drawn = try draw(ChunkedPrefill(budget: 512), [(0, 2048, 4)])
    #expect(
      drawn == """
        PPPPDDD
        PPPPDDD
        PPPPDDD
        PPPPDDD
        """)
  }

  /// Each decoding sequence takes a token of the budget: chunks are 512 − n.
  @Test func chunksShrinkAsMoreSequencesDecode() throws {
    let chat = (0..<12).map { _ in (0.0, 16, 50) }
    let history = try run(ChunkedPrefill(budget: 512), chat + [(0.015, 1200, 2)])
    #expect(history.iterations.map(\.prefillTokens).prefix(6) == [192, 0, 500, 500, 200, 0])
    #expect(history.iterations.map(\.decodeTokens).prefix(6) == [0, 12, 12, 12, 12, 13])
  }

  /// 300 + 212, 388 + 124, ...: a chunk holds the rest of one prompt and the beginning of the next.
  @Test func promptsShareAChunk() throws {
    let history = try run(ChunkedPrefill(budget: 512), [(0, 300, 1), (0, 600, 1), (0, 100, 1)])
    #expect(history.iterations.map(\.prefillTokens) == [512, 488])
    #expect(history.iterations.map(\.prefillSequences) == [2, 2])
    #expect(history.requests.map(\.request.id) == [0, 1, 2])
  }

  /// With a budget of 4, four sequences decode and nobody else is admitted; the youngest waits.
  @Test func moreDecodersThanBudget() throws {
    let history = try run(ChunkedPrefill(budget: 4), (0..<5).map { _ in (0.0, 1, 6) })
    #expect(history.iterations.map(\.prefillTokens).prefix(3) == [4, 0, 0])
    #expect(history.iterations.map(\.decodeTokens).prefix(3) == [0, 4, 4])
    let last = try #require(history[request: 4])
    #expect((last.firstTokenAt * 100).rounded() == 7)
  }

  /// Only 4 sequences may run: the fifth prompt waits for the first to end.
  @Test func theCapOnSequencesHolds() throws {
    let history = try run(
      ChunkedPrefill(budget: 512), (0..<5).map { _ in (0.0, 16, 3) }, maxSequences: 4)
    #expect(history.iterations.map(\.prefillTokens) == [64, 0, 0, 16, 0, 0])
    #expect(history.iterations.map(\.decodeTokens) == [0, 4, 4, 0, 1, 1])
  }

  @Test func decodesMayBeFree() throws {
    let chat = (0..<12).map { _ in (0.0, 16, 50) }
    let history = try run(ChunkedPrefill(budget: 512, decodesCount: false), chat + [(0.015, 1200, 2)])
    #expect(history.iterations.map(\.prefillTokens).prefix(6) == [192, 0, 512, 512, 176, 0])
  }
}
