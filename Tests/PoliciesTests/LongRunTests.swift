import Policies
import Serving
import Testing

/// Iterations get shorter as contexts grow, so that every gap is the longest of those after it.
///
/// A prompt of 500 tokens makes an iteration half a second longer.
private struct FadingCost: LayerCost {
  var layers: Int { 1 }
  var kvBlocks: Int { 100_000 }
  var blockSize: Int { 16 }
  var slidingWindow: Tokens? { nil }
  var idleWatts: Double { 0 }

  func add(
    _ load: DecodeLoad, prefill: ArraySlice<PrefillSegment>, layers: Range<Int>, to cost: inout StepCost
  ) {
    cost.kernelSeconds = 1 / Double(10 + load.context)
    for i in prefill.indices { cost.kernelSeconds += 0.001 * Double(prefill[i].tokens) }
    cost.decodeContextJoules = 0.001 * Double(load.context)
    cost.prefillRowJoules = 1
  }

  func finish(_ load: borrowing StepLoad, cost: inout StepCost) {}
}

/// What a short run does not show: histories that are cut, tables that are used again, sums that grow large.
@Suite struct LongRunTests {
  /// One request decodes for 6,000 steps, and others come and go beside it.
  let requests: [(Seconds, Tokens, Tokens)] = {
    var requests = [(0.0, 10, 6000)]
    for i in 0..<200 { requests.append((0.01 * Double(i), 5 + i % 7, 1 + 37 * i % 400)) }
    return requests
  }()

  /// The newcomer's prompt makes the first request wait early on, and never again so long.
  @Test func theLongestGapSurvivesAThousandShorterOnes() throws {
    let history = try run(ChunkedPrefill(budget: 512), [(0, 10, 3000), (0.2, 500, 1)], cost: FadingCost())
    let longest = try #require(history[request: 0]).longestGap
    #expect(longest > 0.5)
  }

  @Test func longestGapsAreThoseOfTheTokens() throws {
    let history = try run(ChunkedPrefill(budget: 64), requests, cost: FadingCost())
    let times = history.tokenTimes
    for record in history.requests {
      let own = times[record.request.id, default: []]
      let longest = zip(own, own.dropFirst()).map { $1 - $0 }.max() ?? 0
      #expect(record.longestGap == longest, "request \(record.request.id)")
    }
  }

  /// A step at a context of c entries costs a thousandth of c joules; a prompt alone in its iteration costs 1 J.
  @Test func sharesOfTheLastRequestAreAsExactAsOfTheFirst() throws {
    let late = (0..<3).map { (1e6 * Double($0 + 1), 100, 50) }
    let history = try run(ChunkedPrefill(budget: 64 * 1024), requests + late, cost: FadingCost())
    let expected = 1 + (101...149).reduce(0) { $0 + 0.001 * Double($1) }
    for id in 201...203 {
      let joules = try #require(history[request: id]).joules
      #expect(isClose(joules, expected), "request \(id): \(joules) J, not \(expected)")
    }
  }

  /// More requests than any table was made for: places are used again, and the queue's head moves on.
  @Test func tablesAreUsedAgain() throws {
    let many = (0..<5000).map { (0.0001 * Double($0), 20, 1 + $0 % 5) }
    let history = try run(LayeredPrefill(cohort: 512, stages: 4), many, maxSequences: 16)
    let ids = history.requests.map(\.request.id).sorted()
    #expect(ids == Array(0..<5000))
    let firsts = history.requests.sorted { $0.request.id < $1.request.id }.map(\.firstTokenAt)
    #expect(firsts == firsts.sorted())
  }
}
