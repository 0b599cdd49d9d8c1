import Policies
import Serving
import Testing

@Suite struct LayeredPrefillTests {
  let layered = LayeredPrefill(cohort: 8192, stages: 4)

  @Test func prefillGoesDownTheLayersOneGroupAnIteration() throws {
    let drawn = try draw(layered, [(0, 2048, 4)])
    #expect(
      drawn == """
        P...DDD
        .P..DDD
        ..P.DDD
        ...PDDD
        """)
  }

  @Test func decodeNeverStalls() throws {
    let drawn = try draw(layered, [(0, 100, 8), (0.001, 2048, 2)])
    #expect(
      drawn == """
        PBDDDDDD
        PDBDDDDD
        PDDBDDDD
        PDDDBDDD
        """)
  }

  /// Facts of the reference engine: cohort tokens to groups, for 16, 12, 24 and 4 stages.
  @Test(arguments: [
    (1, [1, 1, 1, 1]), (512, [1, 1, 1, 1]), (513, [2, 2, 2, 2]), (1024, [2, 2, 2, 2]), (1025, [4, 4, 4, 4]),
    (2048, [4, 4, 4, 4]), (2049, [8, 6, 8, 4]), (4096, [8, 6, 8, 4]), (4097, [16, 12, 24, 4]),
    (8192, [16, 12, 24, 4]),
  ])
  func groupsFollowTheCohortsTokens(tokens: Int, groups: [Int]) {
    let counts = [16, 12, 24, 4].map { LayeredPrefill(cohort: 8192, stages: $0).groupCount(tokens: tokens) }
    #expect(counts == groups)
  }

  @Test func thePapersFormulaIsAParameter() {
    let paper = LayeredPrefill(cohort: 8192, stages: 16, grouping: .paper)
    #expect([1, 512, 513, 1025, 1537, 8192].map(paper.groupCount) == [1, 1, 2, 3, 4, 16])
  }

  /// A prompt that arrives in mid-pass waits for its end, and both of the next pass get their first token together.
  @Test func aCohortIsLocked() throws {
    let history = try run(layered, [(0, 2048, 1), (0.005, 100, 1), (0.015, 300, 1)])
    let first = history.requests.sorted { $0.request.id < $1.request.id }.map {
      ($0.firstTokenAt * 1000).rounded()
    }
    #expect(first == [40, 50, 50])
  }

  /// 8,193 tokens need a second pass of one token, which at 512 or fewer has one group.
  @Test func aPromptIsCutAtTheCohortLimit() throws {
    let drawn = try draw(layered, [(0, 8193, 2)])
    #expect(
      drawn == """
        P...PD
        .P..PD
        ..P.PD
        ...PPD
        """)
    let history = try run(layered, [(0, 8193, 2)])
    #expect(history.iterations.map(\.prefillTokens) == [8192, 8192, 8192, 8192, 1, 0])
  }

  /// 20,000 = 8,192 + 8,192 + 3,616; the remainder comes before the newcomer, and shares its pass with it.
  @Test func remaindersGoFirst() throws {
    let history = try run(layered, [(0, 20_000, 1), (0.001, 5_000, 1)])
    #expect(
      history.iterations.map(\.prefillTokens) == [8192, 8192, 8192, 8192, 8192, 8192, 8192, 8192]
        + [8192, 8192, 8192, 8192] + [424])
    let first = try #require(history[request: 0]).firstTokenAt
    let second = try #require(history[request: 1]).firstTokenAt
    #expect((first * 1000).rounded() == 120)
    #expect((second * 1000).rounded() == 130)
  }

  /// The first groups have a layer more where the layers cannot be divided evenly.
  @Test func groupsAreAsEqualAsCanBe() throws {
    let history = try run(LayeredPrefill(cohort: 8192, stages: 4), [(0, 2048, 1)], cost: ToyCost(layers: 10))
    #expect(history.iterations.map(\.layerBegin) == [0, 3, 6, 8])
    #expect(history.iterations.map(\.layerEnd) == [3, 6, 8, 10])
  }

  /// Layers that take from 1 to 8 for each row: half of the 36 has passed with the sixth, a quarter with the fourth.
  @Test(arguments: [(1024, [0, 6], [6, 8]), (2048, [0, 4, 6, 7], [4, 6, 7, 8])])
  func groupsOfEqualCost(tokens: Int, begins: [Int32], ends: [Int32]) throws {
    let policy = LayeredPrefill(cohort: 8192, stages: 4, grouping: .cost)
    let history = try run(policy, [(0, tokens, 1)], cost: SteepCost())
    #expect(history.iterations.map(\.layerBegin) == begins)
    #expect(history.iterations.map(\.layerEnd) == ends)
  }

  /// Equal layers are cut as they are counted, and a long prompt takes as long.
  @Test func equalLayersAreCutAsTheyAreCounted() throws {
    func layers(_ grouping: LayeredPrefill.Grouping) throws -> [Int32] {
      let policy = LayeredPrefill(cohort: 8192, stages: 4, grouping: grouping)
      return try run(policy, [(0, 2048, 1)], cost: SteepCost(slope: 0)).iterations.map(\.layerEnd)
    }
    #expect(try layers(.cost) == layers(.tiers))
  }

  @Test func decodeIsOutsideTheBudget() throws {
    let chat = (0..<10).map { _ in (0.0, 16, 50) }
    let history = try run(LayeredPrefill(cohort: 512, stages: 1), chat + [(0.015, 600, 1)])
    #expect(history.iterations.map(\.prefillTokens).prefix(5) == [160, 0, 512, 88, 0])
    #expect(history.iterations.map(\.decodeTokens).prefix(5) == [0, 10, 10, 10, 10])
  }
}

/// Each layer takes longer than the one before it, or as long.
private struct SteepCost: LayerCost {
  var layers = 8
  var kvBlocks = 100_000
  var blockSize = 16
  var slidingWindow: Tokens?
  var idleWatts: Double { 0 }
  var slope = 1

  func add(
    _ load: DecodeLoad, prefill: ArraySlice<PrefillSegment>, layers: Range<Int>, to cost: inout StepCost
  ) {
    let rows = prefill.reduce(0) { $0 + $1.tokens }
    for layer in layers { cost.kernelSeconds += Double((1 + slope * layer) * rows) * 0x1p-20 }
  }

  func finish(_ load: borrowing StepLoad, cost: inout StepCost) { cost.kernelSeconds += 0x1p-10 }
}
