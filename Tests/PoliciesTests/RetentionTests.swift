import Policies
import Serving
import Testing

extension Retention {
  /// A budget of the order of the sequences, often far below them.
  static func random(using random: inout RandomCase) -> Retention {
    let budget = random.pick(random.pick(2...10), random.pick(10...60), random.pick(40...200))
    return Retention(
      budget: budget, window: random.pick(0, min(32, budget - 1), budget - 1),
      narrowShare: random.pick(0, 0.2, 1))
  }
}

/// Sequences that keep a part of their KV entries.
@Suite struct RetentionTests {
  static let plainCases = InvariantTests.cases.filter { $0.seed < 24 }

  /// The same cases of every policy, with a budget at random.
  static let cases = plainCases.map { it in
    var (it, random) = (it, it.random)
    random.retention = .random(using: &random)
    it.random = random
    return it
  }

  /// The same records to the last bit, although every sequence is visited in every step.
  @Test(arguments: plainCases) func aBudgetAboveEveryLengthChangesNothing(_ it: InvariantTests.Case) throws {
    var other = it
    other.random.retention = Retention(budget: 1 << 20)
    let (history, plain) = (try other.run(), try it.run())
    let iterations = firstDifference(
      history.iterations.map { "\($0)" }, plain.iterations.map { "\($0)" })
    #expect(iterations == nil)
    let spans = firstDifference(history.spans.map { "\($0)" }, plain.spans.map { "\($0)" })
    #expect(spans == nil)
    let requests = firstDifference(history.requests.map { "\($0)" }, plain.requests.map { "\($0)" })
    #expect(requests == nil)
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
      #expect(times[request.request.id, default: []].count == request.request.outputTokens)
    }
    let joules = (
      history.requests.reduce(0) { $0 + $1.joules }, history.iterations.reduce(0) { $0 + $1.joules }
    )
    #expect(isClose(joules.0, joules.1), "\(joules)")
  }

  /// A sequence holds the blocks of its entries: those of its whole prompt until it is through, then of the saw-tooth.
  @Test(arguments: [1, 2]) func memoryFollowsTheSawTooth(stepsInFlight: Int) throws {
    let rule = Retention(budget: 64, window: 8)
    var rules = EngineRules()
    (rules.stepsInFlight, rules.order) = (stepsInFlight, stepsInFlight > 1 ? .byAdmission : .byEntry)
    let cost = ToyCost(blockSize: 4)
    let history = try PoliciesTests.run(
      [
        InstanceConfiguration(
          scheduler: ChunkedPrefill(budget: 512), costModel: cost.model, memory: cost.memory, rules: rules,
          retention: rule)
      ], [Request(id: 0, arrival: 0, promptTokens: 203, outputTokens: 101)])
    let blocks = history.iterations.map { Int($0.kvBlocksUsed) }
    // Each step also holds the block of the entry that it adds.
    let entries = (0..<100).map { rule.entries(ofPrompt: 203, decoded: $0) + 1 }
    #expect(blocks == [51] + entries.map { ($0 + 3) / 4 })
    let bytes = history.iterations.dropFirst().map(\.kvBytes)
    #expect(bytes == entries.map { Double(8 * $0) })
  }

  /// Twenty long outputs fit where without eviction hardly any would.
  @Test func lessMemoryPreemptsLess() throws {
    let requests = (0..<20).map { Request(id: $0, arrival: 0, promptTokens: 30, outputTokens: 400) }
    func preemptions(_ rule: Retention?) throws -> Int {
      let cost = ToyCost(kvBlocks: 100)
      let history = try PoliciesTests.run(
        [
          InstanceConfiguration(
            scheduler: ChunkedPrefill(budget: 512), costModel: cost.model, memory: cost.memory,
            retention: rule)
        ], requests)
      #expect(history.completed.count == 20)
      return history.completed.reduce(0) { $0 + Int($1.preemptions) }
    }
    #expect(try preemptions(nil) > 0)
    #expect(try preemptions(Retention(budget: 64, window: 8)) == 0)
  }
}
