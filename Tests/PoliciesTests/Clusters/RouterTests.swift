import Serving
import Statistics
import Testing

@testable import Policies

/// Which instance a request is sent to.
@Suite struct RouterTests {
  /// Prompts of three pieces of 32 tokens; those with the same family share two.
  static let contents: PromptContents = {
    var contents = PromptContents()
    for last in 0..<40 {
      let family = last % 4
      _ = contents.append(
        [
          .init(begin: 0, source: 100 + family), .init(begin: 32, source: 200 + family),
          .init(begin: 64, source: 300 + last),
        ], length: 96)
    }
    return contents
  }()

  func request(_ id: Int, content: Int32 = -1, at arrival: Seconds = 0, prompt: Tokens = 96) -> Request {
    var request = Request(id: id, arrival: arrival, promptTokens: prompt, outputTokens: 4)
    request.content = content
    return request
  }

  func router(_ text: String, instances: Int, seed: UInt64 = 0) throws -> any Router {
    try RouterChoice(text).makeRouter(
      RouterCatalog.Facts(instances: instances, contents: Self.contents, blockSize: 16, seed: seed))
  }

  @Test func namesAndParametersAreRead() throws {
    #expect(try RouterChoice("kv[temperature=0.5]").description.hasPrefix("kv[temperature=0.5,credit=1,"))
    #expect(try RouterChoice("cache-aware").entry.name == "prefix")
    for entry in RouterCatalog.entries {
      let choice = try RouterChoice(entry.name)
      #expect(try RouterChoice(choice.description).description == choice.description)
    }
    #expect(throws: RouterError.unknown("randon", nearest: "random")) { try RouterChoice("randon") }
    #expect(throws: RouterError.malformed("kv[x")) { try RouterChoice("kv[x") }
    let twice = "kv[temperature=1,temperature=2]"
    #expect(throws: RouterError.twice("temperature", router: twice)) { try RouterChoice(twice) }
    #expect(throws: RouterError.unknownParameter("x", router: "random", known: [])) {
      try RouterChoice("random[x=1]")
    }
    let bad = try #require(throws: RouterError.self) { try RouterChoice("prefix[threshold=2]") }
    #expect("\(bad)" == "router parameter threshold=2: expected a number from 0 to 1")
  }

  @Test func theLeastLoadedIsChosenAndEqualsTakeTurns() throws {
    var least = try router("least-loaded", instances: 3)
    #expect((0..<4).map { least.route(request($0), inFlight: [1, 1, 1]) } == [0, 1, 2, 0])
    #expect(least.route(request(4), inFlight: [3, 2, 2]) == 1)
    #expect(least.route(request(5), inFlight: [0, 2, 2]) == 0)
  }

  /// With one instance empty it is chosen if it is one of the two: with probability 1 - (n-1)(n-2) / (n (n-1)) = 2/n.
  @Test func twoAreDrawnAndTheLessLoadedWins() throws {
    var router = try router("power-of-two", instances: 5)
    var counts = [0, 0, 0, 0, 0]
    for id in 0..<20_000 { counts[router.route(request(id), inFlight: [9, 9, 0, 9, 9])] += 1 }
    #expect(abs(Double(counts[2]) / 20_000 - 0.4) < 0.015)
    #expect(counts.allSatisfy { $0 > 2500 })
  }

  @Test func anyInstanceIsAsLikelyAsTheOthers() throws {
    var router = try router("random", instances: 4)
    var counts = [0, 0, 0, 0]
    for id in 0..<20_000 { counts[router.route(request(id), inFlight: [9, 0, 0, 0])] += 1 }
    #expect(counts.allSatisfy { abs(Double($0) / 20_000 - 0.25) < 0.015 })
    var same = try self.router("random", instances: 4)
    var other = try self.router("random", instances: 4, seed: 1)
    let first = (0..<50).map { same.route(request($0), inFlight: [0, 0, 0, 0]) }
    #expect(first != (0..<50).map { other.route(request($0), inFlight: [0, 0, 0, 0]) })
  }

  /// The temperature is relative to the range: of two instances the better one gets 1 / (1 + exp(-1/tau)), however far apart.
  @Test(arguments: [(1.0, 0.7311), (0.5, 0.8808)], [1e-6, 5, 1e9])
  func theTemperatureIsRelativeToTheRange(_ case: (tau: Double, better: Double), gap: Double) {
    let chances = KVRouter.probabilities([100, 100 + gap], temperature: `case`.tau)
    #expect(abs(chances[0] - `case`.better) < 5e-5 && abs(chances[0] + chances[1] - 1) < 1e-12)
  }

  @Test func equalCostsAreEquallyLikely() {
    #expect(KVRouter.probabilities([3, 3, 3, 3], temperature: 0.7) == [0.25, 0.25, 0.25, 0.25])
    #expect(KVRouter.probabilities([2, 5, 2], temperature: 0) == [0.5, 0, 0.5])
  }

  /// Prompts of six blocks.
  ///
  /// Of a family's second prompt four blocks are cached where the first went.
  @Test func theCostsAreDynamos() {
    var kv = KVRouter(instances: 2, contents: Self.contents, blockSize: 16, seed: 0)
    let a = request(0, content: 0)
    let first = kv.route(a, inFlight: [0, 0])
    let b = request(1, content: 4, at: 1)
    let pieces = Self.contents.pieces(of: b)
    #expect(pieces.map(\.end) == [32, 64, 96])
    // There: (96 + 96) / 16 - 4 + 6 blocks; elsewhere 96 / 16.
    #expect(kv.costs(b, pieces)[first] == 14 && kv.costs(b, pieces)[1 - first] == 6)
    kv.noteFirstToken(of: 0, at: 1)
    #expect(kv.costs(b, pieces)[first] == 6 - 4 + 6)
    kv.noteEnd(of: 0, at: 1)
    #expect(kv.costs(b, pieces)[first] == 2)
    #expect(kv.route(b, inFlight: [0, 0]) == first)
    // Two active prompts of a family share four of their blocks.
    let c = request(2, content: 8, at: 2)
    _ = kv.route(c, inFlight: [0, 0])
    let d = request(3, content: 1, at: 2)
    let costs = kv.costs(d, Self.contents.pieces(of: d))
    #expect(costs[first] + costs[1 - first] == 6 + 6 + 6 + 6 + 6 + 6 || costs[first] == 6 + 12 + 8)
    // After 120 s nothing is taken for cached.
    let late = request(4, content: 12, at: 200)
    for id in 1...2 { kv.noteEnd(of: id, at: 1) }
    #expect(kv.costs(late, Self.contents.pieces(of: late)) == [6, 6])
  }

  /// A fully cached prompt still computes its last token, and with it its last block.
  @Test func theLastTokenIsNeverCached() {
    var kv = KVRouter(instances: 1, contents: Self.contents, blockSize: 16, seed: 0)
    _ = kv.route(request(0, content: 0), inFlight: [0])
    kv.noteEnd(of: 0, at: 1)
    #expect(kv.costs(request(1, content: 0, at: 1), Self.contents.pieces(of: request(1, content: 0))) == [1])
  }

  @Test func promptsFollowTheirBeginningsUnlessLoadsAreUneven() throws {
    var prefix = try router("prefix", instances: 4)
    let homes = (0..<4).map { prefix.route(request($0, content: Int32($0)), inFlight: [0, 0, 0, 0]) }
    #expect(Set(homes) == [0, 1, 2, 3])
    for id in 4..<40 {
      #expect(prefix.route(request(id, content: Int32(id)), inFlight: [60, 50, 40, 30]) == homes[id % 4])
    }
    let uneven = [0, 1, 2, 3].map { $0 == homes[0] ? 66 : $0 }
    let least = uneven.firstIndex(of: uneven.min() ?? 0)
    #expect(prefix.route(request(40, content: 0), inFlight: uneven) == least)
    // A third of the prompt is shared at most: below a threshold of 0.7 nothing is followed.
    var strict = try router("prefix[threshold=0.7]", instances: 2)
    #expect(
      (0..<4).map { strict.route(request($0, content: Int32(4 * $0)), inFlight: [0, 0]) } == [0, 1, 0, 1])
  }

  /// The record of an instance forgets what was sent longest ago, at the next check.
  @Test func theRecordIsBounded() throws {
    var prefix = try router("prefix[size=96]", instances: 2)
    let home = prefix.route(request(0, content: 0), inFlight: [0, 0])
    for (id, content) in [(1, 1), (2, 2), (3, 3)] {
      _ = prefix.route(request(id, content: Int32(content), at: Double(id)), inFlight: [0, 0])
    }
    #expect(prefix.route(request(4, content: 4, at: 5), inFlight: [0, 0]) == home)
    let fresh = prefix.route(request(5, content: 3, at: 130), inFlight: [0, 0])
    #expect([0, 1].contains(fresh))
    var sent = SentPrompts()
    for (content, time) in [(0, 0.0), (1, 1), (4, 2)] {
      sent.note(Self.contents.pieces(of: request(0, content: Int32(content))), at: time)
    }
    #expect(sent.tokens == 3 * 96 - 64)
    sent.forget(beyond: 100)
    #expect(sent.tokens == 96)
    #expect(sent.matched(Self.contents.pieces(of: request(0, content: 4))) == 96)
    #expect(sent.matched(Self.contents.pieces(of: request(0, content: 1))) == 0)
  }

  /// Two prompts share 64 of 96 tokens; what was used last in the first second is forgotten, what both share is not.
  @Test func oldPromptsAreForgottenAndTheRestIsCounted() {
    var sent = SentPrompts()
    sent.note([(source: 7, end: 64), (source: 1, end: 96)], at: 0)
    sent.note([(source: 7, end: 64), (source: 4, end: 96)], at: 2)
    #expect(sent.tokens == 128)
    sent.forget(before: 1)
    #expect(sent.tokens == 96)
    #expect(sent.matched([(source: 7, end: 64), (source: 1, end: 96)]) == 64)
    #expect(sent.matched([(source: 7, end: 64), (source: 4, end: 96)]) == 96)
    sent.forget(beyond: 95)
    #expect(sent.tokens == 64)
  }
}
