import Policies
import Serving
import Statistics
import Testing

/// Levels of KV memory below that of the GPUs.
@Suite struct CacheTierTests {
  static let size = 16

  /// Conversations one after the other: prompts of a family, each longer than the one before; 5 of them in turn.
  static func workload(_ count: Int = 60) -> ([Request], PromptContents) {
    var contents = PromptContents()
    let requests = (0..<count).map { id in
      let (family, turn) = (id % 5, id / 5)
      let length = 64 + 32 * turn + 7
      var request = Request(id: id, arrival: Double(id), promptTokens: length, outputTokens: 2)
      request.content = contents.append(
        [.init(begin: 0, source: family)]
          + (0..<turn).map { .init(begin: 64 + 32 * $0, source: 1000 + 100 * family + $0) }
          + [.init(begin: 64 + 32 * turn, source: 10_000 + id)], length: length)
      return request
    }
    return (requests, contents)
  }

  /// Runs them on some instances with so many blocks of KV memory each.
  func run(
    _ tiers: (Int) -> [CacheTier], instances: Int = 1, kvBlocks: Int, router: String = "round-robin",
    fastForwards: Bool = true
  ) throws -> History {
    let (requests, contents) = Self.workload()
    let cost = ToyCost(kvBlocks: kvBlocks)
    var facts = RouterCatalog.Facts(
      instances: instances, contents: contents, blockSize: cost.memory.blockSize, seed: 5)
    facts.prices = ServicePrices(promptToken: 1e-4, step: 0.01, sequence: 1e-3)
    var simulation = Simulation(
      instances: (0..<instances).map { place in
        InstanceConfiguration(
          scheduler: ChunkedPrefill(budget: 4096), costModel: cost.model, memory: cost.memory,
          cache: PrefixCache(memory: cost.memory, contents: contents, tiers: tiers(place)))
      }, router: try RouterChoice(router).makeRouter(facts), requests: requests.makeIterator(),
      fastForwards: fastForwards)
    var history = History()
    try simulation.run(recorder: &history)
    history.requests.sort { $0.request.id < $1.request.id }
    return history
  }

  func tier(_ blocks: Int, seconds: Seconds = 0, latency: Seconds = 0) -> CacheTier {
    CacheTier(name: "host", blocks: blocks, secondsPerBlock: seconds, latency: latency)
  }

  /// Blocks that a prompt has in common with any of some others, never all of it.
  func shared(_ request: Request, with others: [Request], _ contents: PromptContents) -> Int {
    let mine = contents.pieces(of: request)
    let tokens =
      others.map { other in
        zip(mine, contents.pieces(of: other)).prefix { $0.source == $1.source }.last?.0.end ?? 0
      }.max() ?? 0
    return min(tokens, request.promptTokens - 1) / Self.size
  }

  /// The GPU holds 30 blocks, and forgets each family before its next turn; an endless level below has all of it.
  @Test func anEndlessLevelFindsWhatAnEndlessCacheFinds() throws {
    let (requests, contents) = Self.workload()
    let alone = try run({ _ in [] }, kvBlocks: 30)
    let below = tier(100_000)
    let both = try run({ _ in [below] }, kvBlocks: 30)
    for (place, record) in both.requests.enumerated() {
      let expected = shared(record.request, with: Array(requests[..<place]), contents) * Self.size
      #expect(Int(record.cachedTokens) == expected)
      #expect(record.cachedTokens - record.loadedTokens == alone.requests[place].cachedTokens)
    }
    let loaded = both.requests.reduce(0) { $0 + Int($1.loadedTokens) }
    #expect(loaded > 0 && below.counts.read * Self.size == loaded)
    // Every full block of a prompt but its own last part is written once.
    #expect(below.counts.written == below.counts.held)
  }

  /// A level of few blocks, against a list: what a prompt uses moves to its end, what falls off the other end is lost.
  @Test(arguments: [8, 20, 33, 60, 200]) func aFullLevelLosesWhatIsOldest(blocks: Int) throws {
    let (requests, contents) = Self.workload()
    // A GPU that keeps nothing from one prompt to the next would still have the last ones: its own finds are taken from the run.
    let both = try run({ _ in [self.tier(blocks)] }, kvBlocks: 30)
    var list: [String] = []
    for (place, record) in both.requests.enumerated() {
      let pieces = contents.pieces(of: requests[place])
      func name(_ block: Int) -> String {
        let last = (block + 1) * Self.size - 1
        return "\(pieces.first { $0.end > last }?.source ?? -1):\(block)"
      }
      let full = requests[place].promptTokens / Self.size
      let onGPU = Int(record.cachedTokens - record.loadedTokens) / Self.size
      var found = onGPU
      while found < (requests[place].promptTokens - 1) / Self.size, list.contains(name(found)) { found += 1 }
      #expect(Int(record.loadedTokens) == (found - onGPU) * Self.size, "request \(place)")
      // Those that are found are used first, then those that are computed are written.
      for block in 0..<found + (full - found) {
        list.removeAll { $0 == name(block) }
        list.append(name(block))
        if list.count > blocks { list.removeFirst() }
      }
    }
  }

  /// What all instances share is found whatever the router; what each has by itself is what was sent there before.
  @Test(arguments: RouterCatalog.entries.map(\.name), [true, false])
  func hitsOfLevelsAreExactUnderEveryRouter(router: String, isShared: Bool) throws {
    let (requests, contents) = Self.workload()
    let common = tier(100_000)
    let own = (0..<3).map { _ in tier(100_000) }
    let history = try run(
      { isShared ? [own[$0], common] : [own[$0]] }, instances: 3, kvBlocks: 30, router: router)
    var perInstance = [0, 0, 0]
    for (place, record) in history.requests.enumerated() {
      let earlier = history.requests[..<place].filter { isShared || $0.instance == record.instance }
      let expected = shared(requests[place], with: earlier.map(\.request), contents) * Self.size
      #expect(Int(record.cachedTokens) == expected)
      perInstance[Int(record.instance)] += expected
    }
    for i in 0..<3 {
      let found = history.requests.filter { Int($0.instance) == i }.reduce(0) { $0 + Int($1.cachedTokens) }
      #expect(found == perInstance[i])
    }
    let loaded = history.requests.reduce(0) { $0 + Int($1.loadedTokens) }
    let read = own.reduce(common.counts.read) { $0 + $1.counts.read }
    #expect(read * Self.size == loaded)
  }

  /// The first step waits for what is loaded: 10 ms of the step, and 2 ms for each block behind 5 ms.
  @Test func theFirstStepWaits() throws {
    let quick = try run({ _ in [self.tier(100_000)] }, kvBlocks: 30)
    let slow = try run({ _ in [self.tier(100_000, seconds: 0.002, latency: 0.005)] }, kvBlocks: 30)
    for (fast, late) in zip(quick.requests, slow.requests) {
      #expect(fast.cachedTokens == late.cachedTokens)
      let blocks = Double(late.loadedTokens) / Double(Self.size)
      let wait = blocks > 0 ? 0.005 + 0.002 * blocks : 0
      #expect(abs(late.timeToFirstToken - fast.timeToFirstToken - wait) < 1e-9)
    }
  }

  /// The quickest level that has a block gives it, and those above have it then, too.
  @Test func blocksRise() throws {
    let (host, disk) = (tier(12, seconds: 0.001), tier(100_000, seconds: 0.01))
    let history = try run({ _ in [host, disk] }, kvBlocks: 30)
    let loaded = history.requests.reduce(0) { $0 + Int($1.loadedTokens) }
    #expect(disk.counts.read > 0 && (host.counts.read + disk.counts.read) * Self.size == loaded)
    #expect(host.counts.held == 12 && host.counts.written > disk.counts.written)
  }

  /// Asked before every step or not, and without any level as before.
  @Test func fastForwardChangesNothing() throws {
    for kvBlocks in [20, 30, 500] {
      let asked = try run({ _ in [self.tier(40, seconds: 0.001)] }, kvBlocks: kvBlocks, fastForwards: false)
      let repeated = try run({ _ in [self.tier(40, seconds: 0.001)] }, kvBlocks: kvBlocks)
      #expect(asked.requests.map { "\($0)" } == repeated.requests.map { "\($0)" })
    }
  }
}
