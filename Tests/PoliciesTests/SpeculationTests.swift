import Policies
import Serving
import Testing

extension Speculation {
  /// Up to five drafts, of any acceptance, with or without lookahead.
  static func random(using random: inout RandomCase) -> Speculation {
    let drafts = random.pick(1...5)
    var rates: [Double] = []
    for _ in 0..<drafts {
      let share = Double(random.pick(0, random.pick(0...100), 100)) / 100
      rates.append((rates.last ?? 1) * share)
    }
    return Speculation(
      rates: rates, lookahead: random.pick(0, drafts), seed: UInt64(random.pick(0...1000)))
  }
}

/// Sequences that write several tokens in a step.
@Suite struct SpeculationTests {
  /// Every policy of the catalog.
  static let plainCases = InvariantTests.cases.filter { $0.seed < 24 }

  /// The same, with speculation at random.
  static let cases = plainCases.compactMap { it -> InvariantTests.Case? in
    var (it, random) = (it, it.random)
    let speculation = Speculation.random(using: &random)
    random.speculation = speculation
    it.random = random
    guard it.policy.batchedTokens > speculation.drafts else { return nil }
    return it
  }

  // MARK: Neutral settings

  /// No drafts: the same records to the last bit, although every sequence is visited in every step.
  @Test(arguments: plainCases) func withoutDraftsNothingChanges(_ it: InvariantTests.Case) throws {
    let plain = try it.run()
    var other = it
    other.random.speculation = Speculation(rates: [])
    let history = try other.run()
    let iterations = firstDifference(
      history.iterations.map { "\($0)" }, plain.iterations.map { "\($0)" })
    #expect(iterations == nil)
    let spans = firstDifference(history.spans.map { "\($0)" }, plain.spans.map { "\($0)" })
    #expect(spans == nil)
    let requests = firstDifference(history.requests.map { "\($0)" }, plain.requests.map { "\($0)" })
    #expect(requests == nil)
  }

  /// Drafts that are never accepted: the steps of a plain run, where they cost nothing.
  @Test func draftsThatFailLeaveTheSchedule() throws {
    let requests = [(0.0, 100, 20), (0.003, 900, 30), (0.02, 300, 5)]
    func run(_ speculation: Speculation?) throws -> [IterationRecord] {
      try PoliciesTests.run(
        [configuration(LayeredPrefill(cohort: 8192, stages: 4), speculation)], Self.requests(requests)
      ).iterations
    }
    let plain = try run(nil)
    let failing = try run(Speculation(rates: [0, 0, 0], lookahead: 3))
    #expect(failing.map(\.end) == plain.map(\.end))
    #expect(failing.map(\.outputTokens) == plain.map(\.outputTokens))
  }

  // MARK: Closed forms

  /// All drafts accepted: ⌈(n − 1) / (k + 1)⌉ decode steps for n tokens.
  @Test(arguments: [1, 2, 3, 7], [2, 3, 20, 64]) func fullAcceptanceDividesTheSteps(drafts: Int, output: Int)
    throws
  {
    let speculation = Speculation(rates: Array(repeating: 1, count: drafts))
    let history = try PoliciesTests.run(
      [configuration(ChunkedPrefill(budget: 512), speculation)], Self.requests([(0, 100, output)]))
    let steps = history.iterations.count { $0.decodeTokens > 0 }
    #expect(steps == (output - 1 + drafts) / (drafts + 1))
    let tokens = history.iterations.reduce(0) { $0 + Int($1.outputTokens) }
    #expect(tokens == output)
    // Time per token is that of a step divided by what it writes.
    let times = history.tokenTimes[0, default: []]
    #expect(times.count == output)
    let gaps = zip(times, times.dropFirst()).map { $1 - $0 }
    let zeros = gaps.count { $0 == 0 }
    #expect(zeros == output - 1 - steps)
  }

  /// E[tokens] = 1 + Σ rates, drawn over many steps.
  @Test(arguments: [[0.9], [0.71, 0.43, 0.26], [1, 1, 0.1, 0.1]]) func tokensOfAStepAreAsGiven(
    rates: [Double]
  ) throws {
    let speculation = Speculation(rates: rates, seed: 7)
    let output = 40_000
    let history = try PoliciesTests.run(
      [configuration(ChunkedPrefill(budget: 512), speculation, blocks: 100_000)],
      Self.requests([(0, 10, output)]))
    let steps = history.iterations.count { $0.decodeTokens > 0 }
    let mean = Double(output - 1) / Double(steps)
    let expected = speculation.meanTokens
    #expect(expected == 1 + rates.reduce(0, +))
    #expect((mean - expected).magnitude < 0.02)
  }

  /// A step reserves its drafts and the next ones: blocks in use are ⌈(c + 1 + 2 k) / size⌉ at least.
  @Test func memoryIsReservedForDrafts() throws {
    let speculation = Speculation(rates: [0, 0, 0], lookahead: 3)
    let history = try PoliciesTests.run(
      [configuration(ChunkedPrefill(budget: 512), speculation)], Self.requests([(0, 30, 8)]))
    let blocks = history.iterations.map { Int($0.kvBlocksUsed) }
    let wanted = [2] + (0..<7).map { (30 + $0 + 1 + 6 + 15) / 16 }
    #expect(blocks == wanted)
  }

  // MARK: Any policy

  /// What a request writes in a step depends on the request and on how far it is: not on who runs beside it.
  @Test func acceptanceIsTheRequestsOwn() throws {
    let requests = [(0.0, 50, 40), (0.001, 400, 40), (0.002, 60, 40)]
    func bursts(_ scheduler: any Scheduler, together: Bool) throws -> [[Int]] {
      let all = Self.requests(requests)
      let speculation = Speculation(rates: [0.8, 0.5, 0.3], seed: 3)
      let histories =
        together
        ? [try PoliciesTests.run([configuration(scheduler, speculation)], all)]
        : try all.map { try PoliciesTests.run([configuration(scheduler, speculation)], [$0]) }
      let times = histories.reduce(into: [Int: [Seconds]]()) { $0.merge($1.tokenTimes) { a, _ in a } }
      return all.map { request in
        var counts: [Seconds: Int] = [:]
        for time in times[request.id, default: []] { counts[time, default: 0] += 1 }
        return counts.sorted { $0.key < $1.key }.map(\.value)
      }
    }
    let layered = try bursts(LayeredPrefill(cohort: 8192, stages: 4), together: true)
    let chunked = try bursts(ChunkedPrefill(budget: 64), together: true)
    let alone = try bursts(ChunkedPrefill(budget: 64), together: false)
    #expect(layered == chunked)
    #expect(layered == alone)
    #expect(Set(layered[0]).count > 1)
  }

  @Test(arguments: cases) func fastForwardChangesNothing(_ it: InvariantTests.Case) throws {
    let fast = try it.random.run(it.policy.makeScheduler())
    let exact = try it.random.run(it.policy.makeScheduler(), fastForwards: false)
    let iterations = firstDifference(fast.iterations.map { "\($0)" }, exact.iterations.map { "\($0)" })
    #expect(iterations == nil)
    let requests = firstDifference(fast.requests.map { "\($0)" }, exact.requests.map { "\($0)" })
    #expect(requests == nil)
  }

  @Test(arguments: cases) func tokensMemoryAndSharesAddUp(_ it: InvariantTests.Case) throws {
    let witness = Witness(it.policy.makeScheduler())
    let history = try it.random.run(witness)
    let faults = witness.testimony.faults
    #expect(faults == [])
    let used = history.iterations.map { Int($0.kvBlocksUsed) }
    #expect(used.max() ?? 0 <= it.random.cost.kvBlocks)

    let times = history.tokenTimes
    for request in history.completed {
      let mine = times[request.request.id, default: []]
      #expect(mine.count == request.request.outputTokens)
      #expect(mine.first == request.firstTokenAt && mine.last == request.completedAt)
    }
    let out = history.iterations.reduce(0) { $0 + Int($1.outputTokens) }
    let wanted = history.completed.reduce(0) { $0 + $1.request.outputTokens }
    #expect(it.random.rules.stepsInFlight > 1 ? out >= wanted : out == wanted)

    let reported = history.gaps.flatMap { Array(repeating: $0.seconds, count: $0.tokens) }.sorted()
    let gaps = times.values.flatMap { times in zip(times, times.dropFirst()).map { $1 - $0 } }
    let difference = firstDifference(reported.map(\.description), gaps.sorted().map(\.description))
    #expect(difference == nil)

    let joules = (
      history.requests.reduce(0) { $0 + $1.joules }, history.iterations.reduce(0) { $0 + $1.joules }
    )
    #expect(isClose(joules.0, joules.1), "\(joules)")
  }

  private static func requests(_ list: [(Seconds, Tokens, Tokens)]) -> [Request] {
    list.enumerated().map {
      Request(
        id: $0.offset, arrival: $0.element.0, promptTokens: $0.element.1, outputTokens: $0.element.2)
    }
  }

  private func configuration(
    _ scheduler: any Scheduler, _ speculation: Speculation?, blocks: Int = 1000
  ) -> InstanceConfiguration {
    let cost = ToyCost(kvBlocks: blocks)
    return InstanceConfiguration(
      scheduler: scheduler, costModel: cost.model, memory: cost.memory, speculation: speculation)
  }
}
