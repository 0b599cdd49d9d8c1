import Policies
import Serving
import Statistics
import Synchronization
import Testing

/// Routers that learn late of first tokens and ends.
@Suite struct ReportDelayTests {
  /// A router that writes down what it is shown and told, in order.
  struct Listener: Router {
    enum Note: Equatable {
      case asked(Request, inFlight: [Int], chosen: Int)
      case told(Told)
    }

    /// Something that a router is told.
    struct Told: Equatable {
      var request: Int
      var isEnd: Bool
      var time: Seconds
    }

    final class Notes: Sendable {
      let list = Mutex<[Note]>([])
    }

    let notes = Notes()
    var inner: any Router
    var listens: Bool { true }

    mutating func route(_ request: Request, inFlight: [Int]) -> Int {
      let chosen = inner.route(request, inFlight: inFlight)
      notes.list.withLock { $0.append(.asked(request, inFlight: inFlight, chosen: chosen)) }
      return chosen
    }

    mutating func noteFirstToken(of request: Int, at time: Seconds) {
      notes.list.withLock { $0.append(.told(Told(request: request, isEnd: false, time: time))) }
      if inner.listens { inner.noteFirstToken(of: request, at: time) }
    }

    mutating func noteEnd(of request: Int, at time: Seconds) {
      notes.list.withLock { $0.append(.told(Told(request: request, isEnd: true, time: time))) }
      if inner.listens { inner.noteEnd(of: request, at: time) }
    }
  }

  static let routers = RouterCatalog.entries.map(\.name).filter { $0 != "offload" }
  /// From next to nothing to more than a run lasts.
  static let delays: [Seconds] = [1e-20, 1e-3, 0.05, 2, 1e6]

  /// Requests some of which begin alike.
  private func workload(_ random: RandomCase) -> (requests: [Request], contents: PromptContents) {
    ClusterTests().workload(random)
  }

  /// Runs a random case on some instances, and keeps what the router saw.
  private func run(
    _ name: String, delay: Seconds, seed: Int, instances: Int = 3, steps: Int = 1, servers: Servers? = nil,
    maxConcurrency: Int = .max, fastForwards: Bool = true
  ) throws -> (history: History, notes: [Listener.Note]) {
    var random = RandomCase(seed: seed)
    random.rules.stepsInFlight = steps
    let (requests, contents) = workload(random)
    var facts = RouterCatalog.Facts(
      instances: instances, contents: contents, blockSize: 4, seed: UInt64(seed))
    if let servers { facts.instances = servers.ranks.count }
    facts.prices = ServicePrices(promptToken: 1e-4, step: 0.01, sequence: 1e-3)
    let listener = Listener(inner: try RouterChoice(name).makeRouter(facts))
    var simulation = Simulation(
      instances: (0..<instances).map { _ in
        var configuration = random.instance(ChunkedPrefill(budget: 512))
        configuration.cache = PrefixCache(memory: configuration.memory, contents: contents)
        return configuration
      }, router: listener, requests: requests.makeIterator(), maxModelLength: random.maxModelLength,
      maxConcurrency: maxConcurrency, fastForwards: fastForwards, reportDelay: delay, servers: servers)
    var history = History()
    try simulation.run(recorder: &history)
    return (history, listener.notes.list.withLock { $0 })
  }

  /// Steps take a second: the second instance's only request ends at 1 s, the first one's goes on.
  ///
  /// Who knows that sends a third request to the second instance; who does not takes loads for equal, and it is the first
  /// one's turn. An arrival comes before what happens at its time.
  @Test(arguments: [
    (0, 1, 0), (0, 1.25, 1), (0.25, 1.125, 0), (0.25, 1.25, 1), (0.5, 1.25, 0), (0.5, 1.5, 1), (4, 4.5, 0),
  ]) func aReportIsUsedOnceItIsThere(delay: Seconds, arrival: Seconds, expected: Int32) throws {
    let requests = [(0, 20), (0, 1), (arrival, 1)].enumerated().map {
      Request(id: $0.offset, arrival: $0.element.0, promptTokens: 16, outputTokens: $0.element.1)
    }
    for fastForwards in [true, false] {
      var simulation = Simulation(
        instances: (0..<2).map { _ in
          InstanceConfiguration(
            scheduler: ChunkedPrefill(budget: 512), costModel: UnitCostModel(layers: 2),
            memory: KVMemory(blocks: 100, blockSize: 16))
        }, router: LeastLoadedRouter(), requests: requests.makeIterator(), fastForwards: fastForwards,
        reportDelay: delay)
      var history = History()
      try simulation.run(recorder: &history)
      #expect(history[request: 1]?.completedAt == 1)
      #expect(history[request: 2]?.instance == expected)
    }
  }

  /// Prompts of six blocks, of which those in work count: one instance has one from 0 s to 1 s, the other one from 0.5 s on.
  ///
  /// Where the first token and the end at 1 s are known a third prompt goes to the instance that is empty then.
  @Test(arguments: [(0.25, 1.125, false), (0.25, 1.25, true)])
  func firstTokensAreKnownLateToo(delay: Seconds, arrival: Seconds, isKnown: Bool) throws {
    let requests = [(0, 1), (0.5, 9), (arrival, 1)].enumerated().map {
      Request(id: $0.offset, arrival: $0.element.0, promptTokens: 96, outputTokens: $0.element.1)
    }
    var chosen: [[Int32?]] = []
    for seed in 0..<20 {
      let facts = RouterCatalog.Facts(
        instances: 2, contents: PromptContents(), blockSize: 16, seed: UInt64(seed))
      var simulation = Simulation(
        instances: (0..<2).map { _ in
          InstanceConfiguration(
            scheduler: ChunkedPrefill(budget: 512), costModel: UnitCostModel(layers: 2),
            memory: KVMemory(blocks: 100, blockSize: 16))
        }, router: try RouterChoice("kv").makeRouter(facts), requests: requests.makeIterator(),
        reportDelay: delay)
      var history = History()
      try simulation.run(recorder: &history)
      chosen.append((0..<3).map { history[request: $0]?.instance })
    }
    #expect(chosen.allSatisfy { $0[0] != $0[1] })
    // Of equal costs one is drawn.
    #expect(chosen.allSatisfy { $0[2] == $0[0] } == isKnown)
  }

  /// What a router is told before a choice at time T are the first tokens and ends of times t < T with t + delay <= T, in
  /// order; and the loads that it is shown are what it sent less the ends that it was told of.
  @Test(arguments: routers, delays) func aRouterKnowsWhatHasBeenReported(router: String, delay: Seconds)
    throws
  {
    for seed in 0..<6 {
      let servers = seed % 3 == 2 ? Servers([(2, seed % 2 == 0), (1, false), (2, false)]) : nil
      let (history, notes) = try run(
        router, delay: delay, seed: seed, instances: servers == nil ? 3 : 5, steps: 1 + seed % 2,
        servers: servers, maxConcurrency: seed == 3 ? 4 : .max)
      check(notes, history, delay: delay)
    }
  }

  /// Holds what a router saw against what has happened.
  private func check(_ notes: [Listener.Note], _ history: History, delay: Seconds) {
    var ends: [Int: Seconds] = [:]
    for record in history.completed { ends[record.request.id] = record.completedAt }
    let rejected = Set(history.requests.filter { $0.status == .rejected }.map(\.request.id))
    var homes: [Int: Int] = [:]
    var told: Set<Int> = []
    var begun: Set<Int> = []
    var latest = -Double.infinity
    for note in notes {
      switch note {
      case .told(let news):
        if rejected.contains(news.request) { continue }
        #expect(news.time >= latest)
        latest = news.time
        if !news.isEnd { begun.insert(news.request) }
        if news.isEnd {
          #expect(begun.contains(news.request))
          #expect(news.time == ends[news.request])
          told.insert(news.request)
        }
      case .asked(let request, let inFlight, let chosen):
        let now = request.arrival
        #expect(latest < now && latest + delay <= now)
        let known = homes.keys.filter { id in ends[id].map { $0 < now && $0 + delay <= now } ?? false }
        #expect(Set(known) == told, "at \(now)")
        var loads = inFlight.map { _ in 0 }
        for (id, home) in homes where !told.contains(id) { loads[home] += 1 }
        #expect(loads == inFlight)
        if !rejected.contains(request.id) { homes[request.id] = chosen }
      }
    }
    #expect(homes.count == ends.count)
  }

  /// What is not asked is what would have been answered.
  @Test(arguments: routers, delays) func fastForwardChangesNothing(router: String, delay: Seconds) throws {
    for seed in 0..<4 {
      let clients = seed % 2 == 0 ? Int.max : 5
      let asked = try run(
        router, delay: delay, seed: seed, steps: 1 + seed / 2, maxConcurrency: clients, fastForwards: false)
      let repeated = try run(
        router, delay: delay, seed: seed, steps: 1 + seed / 2, maxConcurrency: clients)
      #expect(asked.notes == repeated.notes)
      #expect(RanksTests.texts(asked.history) == RanksTests.texts(repeated.history))
    }
  }

  /// Next to no delay is none, where no client sends as another request ends.
  @Test(arguments: routers, 0..<6) func nextToNoDelayChangesNothing(router: String, seed: Int) throws {
    let none = try run(router, delay: 0, seed: seed)
    let little = try run(router, delay: 1e-20, seed: seed)
    #expect(RanksTests.texts(none.history) == RanksTests.texts(little.history))
    #expect(none.notes.filter(\.isChoice) == little.notes.filter(\.isChoice))
  }

  /// A delay matters.
  @Test func aDelayChangesChoices() throws {
    let runs = try [0, 2].map { delay in
      try (0..<6).map { RanksTests.texts(try run("least-loaded", delay: delay, seed: $0).history) }
    }
    #expect(runs[0] != runs[1])
  }

  /// Every router that looks at what becomes of requests has a delay, but for that among pools; none is not spelt out.
  @Test func delaysAreRead() throws {
    for entry in RouterCatalog.entries {
      let hasNone = ["round-robin", "random", "offload"].contains(entry.name)
      #expect(entry.parameters.contains { $0.name == "delay" } == !hasNone)
      #expect(try RouterChoice(entry.name).delay == 0)
      #expect(try !RouterChoice(entry.name).description.contains("delay"))
    }
    let choice = try RouterChoice("least-loaded[delay=0.05]")
    #expect(choice.delay == 0.05 && choice.description == "least-loaded[delay=0.05]")
    #expect(try RouterChoice("kv[lifetime=120,temperature=0.5]").label == "kv[temperature=0.5]")
    #expect(try RouterChoice("kv").label == "kv")
    #expect(try RouterChoice("least-loaded[delay=0]").description == "least-loaded")
    #expect(try RouterChoice("kv[delay=2]").description.hasSuffix(",lifetime=120,delay=2]"))
    for value in ["-1", "nan", "inf", "1e13", "soon", ""] {
      let bad = try #require(throws: RouterError.self) { try RouterChoice("power-of-two[delay=\(value)]") }
      #expect("\(bad)".hasPrefix("router parameter delay=\(value): expected a number from 0 to 1"))
    }
    #expect(throws: RouterError.unknownParameter("delay", router: "random", known: [])) {
      try RouterChoice("random[delay=1]")
    }
  }
}

extension ReportDelayTests.Listener.Note {
  /// Whether it is of a choice.
  fileprivate var isChoice: Bool { if case .asked = self { true } else { false } }
}
