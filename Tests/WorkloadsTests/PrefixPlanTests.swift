import Serving
import Statistics
import Testing

@testable import Workloads

/// Batches in groups that share a beginning.
@Suite struct PrefixPlanTests {
  /// Prompts given as paths of pieces, each of a source and a length, with a rest of their own.
  func batch(_ paths: [[(source: Int, length: Tokens)]], output: Tokens = 4) -> ([Request], PromptContents) {
    var contents = PromptContents()
    let requests = paths.enumerated().map { place, path in
      var (begin, pieces) = (0, [PromptContents.Piece]())
      for piece in path {
        pieces.append(.init(begin: begin, source: piece.source))
        begin += piece.length
      }
      var request = Request(id: place, arrival: 1, promptTokens: begin, outputTokens: output)
      request.content = contents.append(pieces, length: begin)
      return request
    }
    return (requests, contents)
  }

  /// k prompts share P tokens: computed P + sum r, saved (k - 1) P of k P + sum r.
  @Test func aSharedPrefixIsComputedOnce() {
    let rests = [10, 20, 30, 40]
    let (requests, contents) = batch(rests.enumerated().map { [(0, 100), (1 + $0.offset, $0.element)] })
    let plan = PrefixPlan(requests, contents: contents)
    #expect(plan.groups == [PrefixPlan.Group(prefix: 100, members: [0, 1, 2, 3])])
    #expect(plan.computedTokens == 100 + 100)
    #expect(abs(plan.saving - 300.0 / 500) < 1e-12)
    let ordered = plan.requests(requests)
    #expect(ordered.map(\.promptTokens) == [100, 110, 120, 130, 140])
    #expect(ordered.map(\.id) == [4, 0, 1, 2, 3] && ordered.allSatisfy { $0.arrival == 0 })
    #expect(ordered[0].outputTokens == 1)
  }

  /// Two prompts below v and one beside it, all below u: v is worth a group of its own if (2 - 1) len(v) > len(u).
  @Test(arguments: [(100, 99), (100, 100), (100, 101)]) func gainChangesSign(u: Tokens, v: Tokens) {
    let (requests, contents) = batch([
      [(0, u), (1, v), (10, 7)], [(0, u), (1, v), (11, 8)], [(0, u), (12, 9)], [(0, u), (13, 5)],
    ])
    let plan = PrefixPlan(requests, contents: contents)
    let own = u + v + 15 + u + 14
    let together = u + 2 * v + 15 + 14
    #expect(plan.computedTokens == (v > u ? own : together))
    #expect(plan.groups.count == (v > u ? 2 : 1))
  }

  /// Nothing in common, or nothing known: each prompt is by itself.
  @Test func strangersAreByThemselves() {
    let (requests, contents) = batch([[(0, 10)], [(1, 20)]])
    #expect(PrefixPlan(requests, contents: contents).saving == 0)
    let unknown = [Request(id: 0, arrival: 0, promptTokens: 5, outputTokens: 1)]
    #expect(PrefixPlan(unknown, contents: PromptContents()).computedTokens == 5)
  }

  /// Those that write much for what they read come first.
  @Test func decodeHeavyGroupsComeFirst() {
    var (requests, contents) = batch([
      [(0, 50), (2, 5)], [(0, 50), (3, 5)], [(1, 50), (4, 5)], [(1, 50), (5, 5)],
    ])
    requests[2].outputTokens = 400
    #expect(PrefixPlan(requests, contents: contents).groups.map(\.members) == [[2, 3], [0, 1]])
  }

  /// Whatever the tree: each request is in one group, begins with its prefix, and nothing costs more than without.
  @Test(arguments: 0..<40) func plansAreSound(seed: Int) {
    var draws = SplitMix64(seed: UInt64(seed), purpose: "plan")
    let paths = (0..<30).map { place -> [(source: Int, length: Tokens)] in
      // The source of a piece says all that comes before it, as a chained hash does.
      var (path, name) = ([(source: Int, length: Tokens)](), 0)
      for _ in 0..<draws.index(below: 5) {
        name = 3 * name + 1 + draws.index(below: 2)
        path.append((name, 10 * (1 + name % 5)))
      }
      return path + [(10_000 + place, 1 + draws.index(below: 20))]
    }
    let (requests, contents) = batch(paths)
    let plan = PrefixPlan(requests, contents: contents)
    #expect(plan.groups.flatMap(\.members).sorted() == Array(0..<30))
    for group in plan.groups where group.members.count > 1 {
      let begins = group.members.map { place in
        contents.pieces(of: requests[place]).filter { $0.end <= group.prefix }
      }
      #expect(
        begins.allSatisfy { $0.map(\.source) == begins[0].map(\.source) && $0.last?.end ?? 0 == group.prefix }
      )
    }
    #expect(plan.computedTokens <= plan.promptTokens)
    // One level cannot beat the whole tree.
    var seen = Set<Int>()
    var whole = 0
    for request in requests {
      var begin = 0
      for piece in contents.pieces(of: request) {
        if seen.insert(piece.source).inserted { whole += piece.end - begin }
        begin = piece.end
      }
    }
    #expect(plan.computedTokens >= whole)
  }
}
