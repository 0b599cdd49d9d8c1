import Policies
import Serving
import Statistics
import Testing

/// Clusters of equal instances: what holds under every router.
@Suite struct ClusterTests {
  static let routers = RouterCatalog.entries.map(\.name) + ["kv[temperature=0.5,delta=1,load=2]"]

  /// Requests some of which begin alike.
  func workload(_ random: RandomCase) -> (requests: [Request], contents: PromptContents) {
    var contents = PromptContents()
    let requests = random.requests.map { request in
      var request = request
      let length = request.promptTokens
      let pieces: [PromptContents.Piece] =
        [.init(begin: 0, source: request.id % 3)]
        + (length > 20 ? [.init(begin: 20, source: 10 + request.id)] : [])
      request.content = contents.append(pieces, length: length)
      return request
    }
    return (requests, contents)
  }

  func run(
    _ router: String, seed: Int, instances: Int, fastForwards: Bool = true, maxConcurrency: Int = .max
  ) throws -> History {
    let random = RandomCase(seed: seed)
    let (requests, contents) = workload(random)
    let configurations = (0..<instances).map { _ in
      var configuration = random.instance(ChunkedPrefill(budget: 512))
      configuration.cache = PrefixCache(memory: configuration.memory, contents: contents)
      return configuration
    }
    let choice = try RouterChoice(router)
    var simulation = Simulation(
      instances: configurations,
      router: choice.makeRouter(
        RouterCatalog.Facts(
          instances: instances, contents: contents, blockSize: configurations[0].memory.blockSize,
          seed: UInt64(seed))),
      requests: requests.makeIterator(), maxModelLength: random.maxModelLength,
      maxConcurrency: maxConcurrency, fastForwards: fastForwards)
    var history = History()
    try simulation.run(recorder: &history)
    return history
  }

  /// Every request ends once, on one instance, whose every span is there.
  @Test(arguments: routers, 0..<12) func requestsAreConserved(router: String, seed: Int) throws {
    let history = try run(router, seed: seed, instances: 1 + seed % 5)
    let random = RandomCase(seed: seed)
    #expect(history.requests.map(\.request.id).sorted() == random.requests.map(\.id))
    var home: [Int: Int32] = [:]
    for record in history.requests { home[record.request.id] = record.instance }
    #expect(history.spans.allSatisfy { home[$0.request] == $0.instance })
    #expect(history.requests.allSatisfy { Int($0.cachedTokens) < $0.request.promptTokens })
  }

  /// What is not asked is what would have been answered, by the router, too.
  @Test(arguments: routers, 0..<8) func fastForwardChangesNothing(router: String, seed: Int) throws {
    for clients in [Int.max, 5] {
      let asked = try run(router, seed: seed, instances: 3, fastForwards: false, maxConcurrency: clients)
      let repeated = try run(router, seed: seed, instances: 3, maxConcurrency: clients)
      let order = { (a: RequestRecord, b: RequestRecord) in a.request.id < b.request.id }
      // As texts: moments that never came are not numbers.
      #expect(
        asked.requests.sorted(by: order).map { "\($0)" }
          == repeated.requests.sorted(by: order).map { "\($0)" })
    }
  }

  /// All steps take a second, so that instances end theirs at the same moment, and a client that one frees sends to another then.
  @Test(arguments: [1, 2], 0..<30) func momentsThatManyShareAreOrderedAlike(stepsInFlight: Int, seed: Int)
    throws
  {
    var random = RandomCase(seed: seed)
    random.rules.stepsInFlight = stepsInFlight
    let requests = random.requests.map { request in
      var request = request
      request.arrival = request.arrival.rounded()
      return request
    }
    for clients in [3, 5] {
      let runs = try [true, false].map { fastForwards in
        try PoliciesTests.run(
          (0..<3).map { _ in
            var instance = random.instance(ChunkedPrefill(budget: 64))
            instance.costModel = UnitCostModel()
            return instance
          }, requests, maxConcurrency: clients, fastForwards: fastForwards)
      }
      #expect(RanksTests.texts(runs[0]) == RanksTests.texts(runs[1]))
    }
  }

  /// One instance with any router is the run without one.
  @Test(arguments: routers, 0..<6) func aRouterOfOneInstanceDecidesNothing(router: String, seed: Int) throws {
    let alone = try run("round-robin", seed: seed, instances: 1)
    #expect(
      try run(router, seed: seed, instances: 1).requests.map { "\($0)" } == alone.requests.map { "\($0)" })
  }

  /// Three instances with requests in turn are three single ones with every third request each.
  @Test(arguments: 0..<10) func turnsAreSingleInstances(seed: Int) throws {
    let random = RandomCase(seed: seed)
    let together = try PoliciesTests.run(
      (0..<3).map { _ in random.instance(ChunkedPrefill(budget: 256)) }, random.requests)
    for i in 0..<3 {
      let own = random.requests.filter { $0.id % 3 == i }
      let alone = try PoliciesTests.run([random.instance(ChunkedPrefill(budget: 256))], own)
      for record in alone.requests {
        var there = try #require(together[request: record.request.id])
        there.instance = record.instance
        #expect("\(there)" == "\(record)")
      }
    }
  }

  /// Eight prompts of 64 tokens, two families that share 48: in turn each instance sees both, and finds its family once it
  /// has seen it; where prompts follow their beginnings an instance sees one family only.
  @Test(arguments: [
    ("round-robin", [[96, 96]]), ("prefix", [[144, 144]]), ("kv", [[144, 144], [0, 288], [288, 0]]),
  ])
  func hitsAreCounted(router: String, expected: [[Int]]) throws {
    var contents = PromptContents()
    let requests = (0..<8).map { id in
      var request = Request(id: id, arrival: Double(id), promptTokens: 64, outputTokens: 2)
      // Families come in pairs, so that turns mix them.
      request.content = contents.append(
        [.init(begin: 0, source: id / 2 % 2), .init(begin: 48, source: 10 + id)], length: 64)
      return request
    }
    let memory = ToyCost(kvBlocks: 1000).memory
    var simulation = Simulation(
      instances: (0..<2).map { _ in
        InstanceConfiguration(
          scheduler: ChunkedPrefill(budget: 512), costModel: ToyCost(kvBlocks: 1000).model, memory: memory,
          cache: PrefixCache(memory: memory, contents: contents))
      },
      router: try RouterChoice(router).makeRouter(
        RouterCatalog.Facts(instances: 2, contents: contents, blockSize: 16, seed: 3)),
      requests: requests.makeIterator())
    var history = History()
    try simulation.run(recorder: &history)
    let hits = (0..<2).map { i in
      history.requests.filter { Int($0.instance) == i }.reduce(0) { $0 + Int($1.cachedTokens) }
    }
    #expect(expected.contains(hits))
  }
}
