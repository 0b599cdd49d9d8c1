import Policies
import Statistics
import Synchronization
import Testing

@testable import Serving

/// What holds in every cluster, whatever its router, caches and links.
@Suite struct ClusterInvariantTests {
  /// A router that writes down what it is told, and when.
  struct Listener: Router {
    final class Notes: Sendable {
      let list = Mutex<[(kind: Character, request: Int, time: Seconds)]>([])
      func add(_ kind: Character, _ request: Int, _ time: Seconds) {
        list.withLock { $0.append((kind, request, time)) }
      }
    }
    let notes = Notes()
    var inner: any Router
    var listens: Bool { true }
    mutating func route(_ request: Request, inFlight: [Int]) -> Int {
      notes.add("r", request.id, request.arrival)
      return inner.route(request, inFlight: inFlight)
    }
    mutating func noteFirstToken(of request: Int, at time: Seconds) {
      notes.add("f", request, time)
      if inner.listens { inner.noteFirstToken(of: request, at: time) }
    }
    mutating func noteEnd(of request: Int, at time: Seconds) {
      notes.add("e", request, time)
      if inner.listens { inner.noteEnd(of: request, at: time) }
    }
  }

  /// A scheduler that adds up what another one plans: tokens x layers of its tiles.
  struct Meter: Scheduler {
    final class Sum: Sendable {
      let area = Mutex(0)
    }
    let sum: Sum
    var inner: any Scheduler
    var servesInOrder: Bool { inner.servesInOrder }
    var longestSequence: Tokens { inner.longestSequence }
    var longestPrompt: Tokens { inner.longestPrompt }
    mutating func plan(_ view: InstanceView, into plan: inout StepPlan) {
      inner.plan(view, into: &plan)
      let area = plan.tiles.reduce(0) { $0 + $1.tokens.count * $1.layers.count }
      sum.area.withLock { $0 += area }
    }
    func repeats(_ view: InstanceView) -> Repeats { inner.repeats(view) }
  }

  static let routers = RouterCatalog.entries.map(\.name)

  /// Requests of a few families, whose prompts share their first part.
  func families(_ requests: [Request]) -> ([Request], PromptContents) {
    var contents = PromptContents()
    let marked = requests.map { request in
      var request = request
      let shared = request.promptTokens * 2 / 3
      var pieces = [PromptContents.Piece(begin: 0, source: request.id % 4)]
      if shared > 0 { pieces.append(.init(begin: shared, source: 10 + request.id)) }
      request.content = contents.append(pieces, length: request.promptTokens)
      return request
    }
    return (marked, contents)
  }

  func makeRouter(_ name: String, _ instances: Int, _ contents: PromptContents, pools: [Int]? = nil) throws
    -> any Router
  {
    var facts = RouterCatalog.Facts(instances: instances, contents: contents, blockSize: 4, seed: 3)
    facts.prices = ServicePrices(promptToken: 1e-4, step: 0.01, sequence: 1e-3)
    facts.pools = pools ?? [instances]
    return try RouterChoice(name).makeRouter(facts)
  }

  /// Each (token, layer) of a prompt is computed once or found in the cache: what tiles cover and what was found make n x L.
  @Test(arguments: routers, 0..<8) func allIsComputedOrFound(router: String, seed: Int) throws {
    var random = RandomCase(seed: seed)
    // Nobody loses memory here: what is computed twice is another matter.
    random.cost.kvBlocks = 200_000
    let (requests, contents) = families(random.requests)
    let sum = Meter.Sum()
    let count = 1 + seed % 4
    let scheduler: any Scheduler =
      seed % 2 == 0 ? ChunkedPrefill(budget: 64) : LayeredPrefill(cohort: 4096, stages: 4)
    var simulation = Simulation(
      instances: (0..<count).map { _ in
        var instance = random.instance(Meter(sum: sum, inner: scheduler))
        instance.cache = PrefixCache(memory: instance.memory, contents: contents)
        return instance
      }, router: try makeRouter(router, count, contents), requests: requests.makeIterator(),
      maxModelLength: random.maxModelLength)
    var history = History()
    try simulation.run(recorder: &history)
    let found = history.completed.reduce(0) { $0 + Int($1.cachedTokens) }
    let asked = history.completed.reduce(0) { $0 + $1.request.promptTokens }
    #expect(sum.area.withLock { $0 } == (asked - found) * random.cost.layers)
    #expect(seed > 0 || found > 0)
  }

  /// A router is told of what has been, in order and once: a first token after its request was sent, an end after that.
  @Test(arguments: routers, 0..<8) func nothingIsKnownBeforeItHappens(router: String, seed: Int) throws {
    let random = RandomCase(seed: seed)
    let (requests, contents) = families(random.requests)
    let listener = Listener(inner: try makeRouter(router, 3, contents))
    var simulation = Simulation(
      instances: (0..<3).map { _ in random.instance(ChunkedPrefill(budget: 64)) }, router: listener,
      requests: requests.makeIterator(), maxModelLength: random.maxModelLength,
      maxConcurrency: random.maxConcurrency)
    var history = History()
    try simulation.run(recorder: &history)
    let notes = listener.notes.list.withLock { $0 }
    // What is told of before a request is sent has happened before.
    var latest = 0.0
    for note in notes where note.kind != "r" { latest = max(latest, note.time) }
    var seen = -Double.infinity
    for note in notes {
      if note.kind == "r" { #expect(seen <= note.time) } else { seen = max(seen, note.time) }
    }
    let ends = notes.filter { $0.kind == "e" }
    #expect(ends.map(\.request).sorted() == requests.map(\.id))
    for record in history.completed {
      let own = notes.filter { $0.request == record.request.id }
      #expect(own.first?.kind == "r" && own.last?.kind == "e")
      #expect(own.contains { $0.kind == "f" && $0.time == record.firstTokenAt })
      #expect(own.last?.time == record.completedAt)
    }
  }

  /// Without a cache, without a limit on the links, or with both, every request reads and writes the same.
  @Test(arguments: 0..<12) func onlyTimesChange(seed: Int) throws {
    let random = RandomCase(seed: seed)
    let (requests, contents) = families(random.requests)
    func run(cache: Bool, bandwidth: Double?) throws -> [[Int]] {
      func instance() -> InstanceConfiguration {
        var instance = random.instance(ChunkedPrefill(budget: random.budget))
        if cache { instance.cache = PrefixCache(memory: instance.memory, contents: contents) }
        return instance
      }
      var simulation = Simulation(
        instances: (0..<4).map { _ in instance() }, requests: requests.makeIterator(),
        maxModelLength: random.maxModelLength,
        disaggregation: bandwidth.map {
          Disaggregation(
            prefillInstances: 2, bytesPerTokenAndLayer: 3, mode: .chunk,
            network: KVNetwork(bytesPerSecond: Array(repeating: $0, count: 4), latency: 0.001))
        })
      var history = History()
      try simulation.run(recorder: &history)
      let order = history.requests.sorted { $0.request.id < $1.request.id }
      let gaps = history.gaps.reduce(0) { $0 + $1.tokens }
      return order.map {
        [$0.request.id, $0.request.promptTokens, $0.request.outputTokens, Int($0.status.rawValue)]
      } + [[gaps]]
    }
    let plain = try run(cache: false, bandwidth: nil)
    #expect(try run(cache: true, bandwidth: nil) == plain)
    let apart = try run(cache: false, bandwidth: 1e15)
    #expect(try run(cache: true, bandwidth: 1e15) == apart)
    #expect(try run(cache: true, bandwidth: 1e4) == apart)
  }

  /// Blocks in use are those of sequences that run, that are sent, and that are to come.
  @Test(arguments: 0..<24) func blocksAreSomebodys(seed: Int) throws {
    var random = RandomCase(seed: seed)
    random.cost.slidingWindow = nil
    var simulation = Simulation(
      instances: (0..<4).map { _ in random.instance(ChunkedPrefill(budget: random.budget)) },
      requests: random.requests.makeIterator(), maxModelLength: random.maxModelLength, fastForwards: false,
      disaggregation: Disaggregation(
        prefillInstances: 1 + seed % 3, bytesPerTokenAndLayer: 3, mode: .chunk,
        network: KVNetwork(bytesPerSecond: [1e6, 1e5, 1e6, 1e7], latency: 0.001)))
    var history = History()
    var busy = 0
    while try simulation.step(recorder: &history) {
      guard let handovers = simulation.handovers else {
        Issue.record("prompts are handed over")
        return
      }
      for i in simulation.instances.indices {
        let view = simulation.instances[i].view
        let free = Set(view.freeSlots)
        var held = view.sequences.indices.map { Slot($0) }.filter { !free.contains($0) }
          .reduce(0) { $0 + view.blocksHeld(by: $1) }
        for prompt in handovers.prompts.values where prompt.sink == i && prompt.hasMemory {
          held += view.memory.blocks(for: prompt.request.promptTokens)
        }
        for sequence in handovers.arrived[i] {
          held += view.memory.blocks(for: sequence.record.request.promptTokens)
        }
        #expect(view.memory.usedBlocks == held, "instance \(i)")
        busy += held
      }
    }
    #expect(busy > 0)
    #expect(simulation.instances.allSatisfy { $0.view.memory.usedBlocks == 0 })
  }

  /// What each instance finds is what the prompts that were sent there before say, whatever the router: 60 prompts of five
  /// families and three turns, one after the other.
  @Test(arguments: routers) func hitsAreWhatWasSentThereBefore(router: String) throws {
    var contents = PromptContents()
    let requests = (0..<60).map { id in
      let (family, turn) = (id % 5, id / 5 % 3)
      // A family's prompts begin with 40 tokens, and with 24 more for each turn.
      let length = 40 + 24 * turn + 8
      var request = Request(id: id, arrival: Double(id), promptTokens: length, outputTokens: 2)
      request.content = contents.append(
        [.init(begin: 0, source: family)]
          + (0..<turn).map { .init(begin: 40 + 24 * $0, source: 100 + 10 * family + $0) }
          + [.init(begin: 40 + 24 * turn, source: 1000 + id)], length: length)
      return request
    }
    let cost = ToyCost(kvBlocks: 10_000)
    var simulation = Simulation(
      instances: (0..<3).map { _ in
        InstanceConfiguration(
          scheduler: ChunkedPrefill(budget: 512), costModel: cost.model, memory: cost.memory,
          cache: PrefixCache(memory: cost.memory, contents: contents))
      }, router: try makeRouter(router, 3, contents), requests: requests.makeIterator())
    var history = History()
    try simulation.run(recorder: &history)
    let size = cost.memory.blockSize
    for record in history.requests {
      let mine = contents.pieces(of: record.request)
      let earlier = history.requests.filter {
        $0.instance == record.instance && $0.request.id < record.request.id
      }
      let shared =
        earlier.map { other in
          let theirs = contents.pieces(of: other.request)
          return zip(mine, theirs).prefix { $0.source == $1.source }.last?.0.end ?? 0
        }.max() ?? 0
      let blocks = min(shared, record.request.promptTokens - 1) / size
      #expect(Int(record.cachedTokens) == blocks * size)
    }
    #expect(history.requests.contains { $0.cachedTokens > 0 })
  }
}
