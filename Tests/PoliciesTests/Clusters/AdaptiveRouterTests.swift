import Serving
import Testing

@testable import Policies

/// Routers that forecast latencies, or follow them.
@Suite struct AdaptiveRouterTests {
  func request(_ id: Int, at arrival: Seconds = 0, prompt: Tokens = 100, output: Tokens = 5) -> Request {
    Request(id: id, arrival: arrival, promptTokens: prompt, outputTokens: output)
  }

  static let prices = ServicePrices(promptToken: 0.001, step: 0.01, sequence: 0.002)

  /// A prompt of 100 tokens takes 0.1 s; behind another one 0.2.
  ///
  /// Four tokens after the first take 0.01 s each, and 0.002 more
  /// with another sequence.
  @Test func forecastsAreStraightLines() {
    var known = LatencyForecast(instances: 2, contents: PromptContents(), prices: Self.prices)
    known.noteSent(request(0), to: 1)
    let first = known.forecast(request(1))
    #expect(abs(first[0].first - 0.1) < 1e-12 && abs(first[1].first - 0.2) < 1e-12)
    // Nobody has ended: nothing is known of what requests write.
    #expect(first[0].rest == 0)
    known.noteFirstToken(of: 0)
    #expect(abs(known.forecast(request(1))[1].first - 0.1) < 1e-12)
    known.noteSent(request(1), to: 0)
    known.noteEnd(of: 0)
    let later = known.forecast(request(2))
    #expect(abs(later[1].rest - 0.04) < 1e-12 && abs(later[0].rest - 0.048) < 1e-12)
  }

  /// What was sent before is found there again, all but the last token.
  @Test func forecastsKnowWhatWasSent() {
    var contents = PromptContents()
    let content = contents.append([.init(begin: 0, source: 7)], length: 100)
    var known = LatencyForecast(instances: 2, contents: contents, prices: Self.prices)
    var prompt = request(0)
    prompt.content = content
    known.noteSent(prompt, to: 1)
    known.noteEnd(of: 0)
    prompt.id = 1
    let latencies = known.forecast(prompt)
    #expect(abs(latencies[0].first - 0.1) < 1e-12 && abs(latencies[1].first - 0.001) < 1e-12)
  }

  @Test func theSelfishGoWhereTheyAreThroughFirst() {
    var router = SelfishRouter(instances: 2, contents: PromptContents(), prices: Self.prices)
    #expect(router.route(request(0, prompt: 1000), inFlight: [0, 0]) == 0)
    // Two short ones are through sooner behind each other than behind the long one.
    #expect(router.route(request(1), inFlight: [1, 0]) == 1)
    #expect(router.route(request(2), inFlight: [1, 1]) == 1)
    router.noteFirstToken(of: 0, at: 1)
    #expect(router.route(request(3), inFlight: [1, 2]) == 0)
  }

  func adaptive(_ change: (inout AdaptiveRouter.Rules) -> Void = { _ in }) -> AdaptiveRouter {
    var rules = AdaptiveRouter.Rules()
    rules.weight = 1
    change(&rules)
    return AdaptiveRouter(
      KVRouter(instances: 2, contents: PromptContents(), blockSize: 16, seed: 0), rules: rules)
  }

  /// Three readings in a row change the regime, and a single one back does not.
  @Test func readingsInARowChangeTheRegime() {
    var router = adaptive()
    #expect(router.listens, "first tokens are what it reads")
    // A request a second; waits of 2 s are beyond the first threshold, waits of 0.1 s are not.
    func live(_ seconds: Range<Int>, wait: Seconds) {
      for second in seconds {
        _ = router.route(request(second, at: Double(second)), inFlight: [0, 0])
        router.noteFirstToken(of: second, at: Double(second) + wait)
      }
    }
    live(0..<14, wait: 2)
    #expect(router.regime == .below)
    live(14..<20, wait: 2)
    #expect(router.regime == .transition)
    live(20..<26, wait: 0.1)
    live(26..<31, wait: 2)
    #expect(router.regime == .transition)
    live(31..<60, wait: 0.1)
    #expect(router.regime == .below)
    live(60..<90, wait: 20)
    #expect(router.regime == .saturated)
  }

  /// The percentile is smoothed: one slow window among quick ones moves it by its weight.
  @Test func readingsAreSmoothed() {
    var router = adaptive {
      $0.weight = 0.1
      $0.readings = 1
    }
    for id in 0..<100 {
      _ = router.route(request(id, at: Double(id)), inFlight: [0, 0])
      router.noteFirstToken(of: id, at: Double(id) + (50..<55 ~= id ? 8 : 0.1))
    }
    // 0.1 x 8 + 0.9 x 0.1 is below the threshold of a second.
    #expect(router.regime == .below)
  }

  @Test func aTableIsFollowed() {
    var router = AssignedRouter([1, 0, 2])
    #expect((0..<3).map { router.route(request($0), inFlight: [0, 0, 0]) } == [1, 0, 2])
  }

  /// A meter decides nothing, and logs each decision.
  @Test func metersOnlyLook() throws {
    let facts = RouterCatalog.Facts(instances: 3, contents: PromptContents(), blockSize: 16, seed: 0)
    let log = RoutingLog()
    var plain: any Router = RoundRobin()
    var metered = MeteredRouter(RoundRobin(), facts: facts, log: log)
    for id in 0..<7 {
      let sent = plain.route(request(id), inFlight: [0, 0, 0])
      #expect(metered.route(request(id), inFlight: [0, 0, 0]) == sent)
    }
    #expect(log.decisions.map(\.chosen) == [0, 1, 2, 0, 1, 2, 0])
    #expect(log.decisions.allSatisfy { $0.latencies.count == 3 })
  }
}

/// Long prompts to the first pool, the others to the rest.
@Suite struct OffloadRouterTests {
  @Test func promptsAreSplitByWhatIsLeftOfThem() {
    var contents = PromptContents()
    let content = contents.append([.init(begin: 0, source: 1)], length: 900)
    var router = OffloadRouter(pools: [2, 1], contents: contents, threshold: 500, waiting: 3)
    func route(_ id: Int, prompt: Tokens, content: Int32 = -1, _ inFlight: [Int]) -> Int {
      var request = Request(id: id, arrival: 0, promptTokens: prompt, outputTokens: 2)
      request.content = content
      return router.route(request, inFlight: inFlight)
    }
    #expect(route(0, prompt: 500, [0, 0, 9]) == 2)
    #expect(route(1, prompt: 501, [1, 0, 0]) == 1)
    #expect(route(2, prompt: 501, [0, 1, 0]) == 0)
    // Six requests wait there, three for each: one more is too many.
    #expect(route(3, prompt: 600, [3, 3, 0]) != 2 && route(4, prompt: 600, [4, 3, 0]) == 2)
    // A long prompt of which enough was sent here stays.
    #expect(route(5, prompt: 900, content: content, [4, 3, 0]) == 2)
    #expect(route(6, prompt: 900, content: content, [0, 0, 5]) == 2)
  }

  @Test func aSinglePoolKeepsAll() {
    var router = OffloadRouter(pools: [3], contents: PromptContents(), threshold: 0)
    #expect(
      router.route(Request(id: 0, arrival: 0, promptTokens: 99, outputTokens: 1), inFlight: [1, 0, 1]) == 1)
  }
}
