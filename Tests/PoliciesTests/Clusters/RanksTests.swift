import Foundation
import Policies
import Serving
import Statistics
import Testing

/// Servers of several ranks, which share experts and step together, or have nothing in common.
@Suite struct RanksTests {
  /// A step takes a millisecond for each row of the rank.
  struct RowCost: LayerCost {
    var layers = 4
    var kvBlocks = 10_000
    var blockSize = 16
    var slidingWindow: Tokens?
    var idleWatts: Double { 10 }

    func add(
      _ load: DecodeLoad, prefill: ArraySlice<PrefillSegment>, layers: Range<Int>, to cost: inout StepCost
    ) {}

    func finish(_ load: borrowing StepLoad, cost: inout StepCost) {
      cost.kernelSeconds = 0.001 * Double(load.decode.rows + load.prefillRows)
      cost.decodeRowJoules = Double(load.decode.rows)
      cost.prefillRowJoules = Double(load.prefillRows)
    }
  }

  func instance(
    _ cost: some LayerCost = RowCost(), _ scheduler: any Scheduler = ChunkedPrefill(budget: 512),
    steps: Int = 1, power: PowerLimit? = nil
  ) -> InstanceConfiguration {
    var rules = EngineRules()
    rules.stepsInFlight = steps
    return InstanceConfiguration(
      scheduler: scheduler, costModel: cost.model, memory: cost.memory, rules: rules, power: power)
  }

  func run(
    _ requests: [Request], _ instances: [InstanceConfiguration], _ servers: Servers?,
    router: any Router = RoundRobin(), maxConcurrency: Int = .max, stopAt: Seconds = .infinity,
    fastForwards: Bool = true, disaggregation: Disaggregation? = nil
  ) throws -> (history: History, idleJoules: Joules, kernels: [KernelUse]) {
    var simulation = Simulation(
      instances: instances, router: router, requests: requests.makeIterator(), maxConcurrency: maxConcurrency,
      stopAt: stopAt, fastForwards: fastForwards, disaggregation: disaggregation, servers: servers)
    var history = History()
    try simulation.run(recorder: &history)
    return (history, simulation.idleJoules, simulation.kernels)
  }

  static func texts(_ history: History) -> [String] {
    history.requests.sorted { $0.request.id < $1.request.id }.map { "\($0)" }
  }

  /// Two prompts of 100 and of 20 tokens come together: each rank has one, and the step takes as long as the larger one.
  @Test func aStepLastsAsLongAsTheSlowestRanks() throws {
    let requests = [(100, 2), (20, 3)].enumerated().map {
      Request(id: $0.offset, arrival: 0, promptTokens: $0.element.0, outputTokens: $0.element.1)
    }
    let (history, _, kernels) = try run(
      requests, [instance(), instance()], Servers([(ranks: 2, stepTogether: true)]))
    #expect(history[request: 0]?.firstTokenAt == 0.1 && history[request: 1]?.firstTokenAt == 0.1)
    #expect(history[request: 0]?.completedAt == 0.101)
    #expect(history.completed.map(\.instance).sorted() == [0, 1])
    let waits = try #require(kernels.first { $0.kernel == "wait_for_ranks" })
    #expect(abs(waits.seconds - 0.08) < 1e-12)
  }

  @Test func ranksWithoutSharedExpertsGoTheirOwnWays() throws {
    let requests = [(100, 2), (20, 3)].enumerated().map {
      Request(id: $0.offset, arrival: 0, promptTokens: $0.element.0, outputTokens: $0.element.1)
    }
    let servers = Servers([(ranks: 2, stepTogether: false)])
    let history = try run(requests, [instance(), instance()], servers).history
    #expect(history[request: 0]?.firstTokenAt == 0.1 && history[request: 1]?.firstTokenAt == 0.02)
  }

  /// What comes to an idle rank while the other runs waits for the step to end.
  @Test func anIdleRankWaitsForTheStepThatRuns() throws {
    let requests = [(0, 100), (0.01, 30)].enumerated().map {
      Request(id: $0.offset, arrival: $0.element.0, promptTokens: $0.element.1, outputTokens: 1)
    }
    let history = try run(
      requests, [instance(), instance()], Servers([(ranks: 2, stepTogether: true)])
    ).history
    #expect(history[request: 1]?.scheduledAt == 0.1)
    #expect(abs(try #require(history[request: 1]).firstTokenAt - 0.13) < 1e-12)
  }

  /// Routers see servers; within one a request goes to the rank with the fewest.
  @Test func requestsGoToTheRankWithTheFewest() throws {
    let requests = (0..<6).map { Request(id: $0, arrival: 0, promptTokens: 10, outputTokens: 50) }
    let servers = Servers([(ranks: 2, stepTogether: true), (ranks: 1, stepTogether: true)])
    let history = try run(requests, [instance(), instance(), instance()], servers).history
    let places = (0..<6).compactMap { history[request: $0]?.instance }
    #expect(places == [0, 2, 1, 2, 0, 2])
  }

  /// Whoever works alone steps as an instance by itself would: to the last bit, but for what a power limit saves.
  @Test(arguments: [1, 2], [nil, PowerLimit(headroomWatts: 400, window: 0.1, clockExponent: 2)])
  func aRankThatWorksAloneIsAnInstance(steps: Int, power: PowerLimit?) throws {
    let requests = (0..<20).map {
      Request(id: $0, arrival: Double($0) * 0.02, promptTokens: 30 + $0, outputTokens: 5)
    }
    func run(_ count: Int, _ servers: Servers?) throws -> History {
      // Of two ranks that share a limit each has half of it.
      let own = power.map {
        PowerLimit(
          headroomWatts: $0.headroomWatts / Double(count), window: 0.1, clockExponent: $0.clockExponent)
      }
      return try self.run(
        requests, (0..<count).map { _ in instance(steps: steps, power: own) }, servers, maxConcurrency: 1
      ).history
    }
    let together = try run(2, Servers([(ranks: 2, stepTogether: true)]))
    let alone = try run(1, nil)
    guard power != nil else { return #expect(Self.texts(together) == Self.texts(alone)) }
    for record in alone.requests {
      let other = try #require(together[request: record.request.id])
      #expect(other.completedAt == record.completedAt && other.firstTokenAt == record.firstTokenAt)
      #expect(abs(other.joules / record.joules - 1) < 1e-12)
    }
  }

  /// Random servers: all requests end once, ranks of a server begin and end their steps together, and what is repeated without
  /// asking is what asking would have given.
  @Test(arguments: 0..<60) func ranksStepTogether(seed: Int) throws {
    var random = RandomCase(seed: seed)
    let sizes = (0..<random.pick(1...3)).map { _ in (ranks: random.pick(2...4), stepTogether: true) }
    let count = sizes.reduce(0) { $0 + $1.ranks }
    let clients = random.pick(Int.max, Int.max, 4)
    let stopAt = random.pick(Seconds.infinity, Seconds.infinity, 0.05)
    random.rules.stepsInFlight = random.pick(1, 2)
    let scheduler: any Scheduler = random.pick(
      ChunkedPrefill(budget: random.budget) as any Scheduler, LayeredPrefill(cohort: 8192, stages: 4),
      VLLMScheduling(budget: max(random.budget, 2), longPrompt: 0, isAdaptive: false))
    func run(fastForwards: Bool) throws -> (history: History, idleJoules: Joules, kernels: [KernelUse]) {
      try self.run(
        random.requests, (0..<count).map { _ in random.instance(scheduler) }, Servers(sizes),
        maxConcurrency: clients, stopAt: stopAt, fastForwards: fastForwards)
    }
    let result = try run(fastForwards: true)
    let ids = result.history.requests.map(\.request.id)
    #expect(Set(ids).count == ids.count)
    if stopAt == .infinity { #expect(ids.sorted() == random.requests.map(\.id)) }
    var first = 0
    for size in sizes {
      let own = Int32(first)..<Int32(first + size.ranks)
      first += size.ranks
      let steps = Set(
        result.history.iterations.filter { own.contains($0.instance) }.map { [$0.start, $0.end] })
      let order = steps.sorted { $0[0] < $1[0] }
      #expect(zip(order, order.dropFirst()).allSatisfy { $0[1] <= $1[0] })
    }
    let asked = try run(fastForwards: false)
    #expect(Self.texts(asked.history) == Self.texts(result.history))
    #expect(asked.idleJoules == result.idleJoules)
  }

  /// Pools whose servers have different numbers of ranks: all that is computed is sent, and decoded where it went.
  @Test(arguments: 0..<40) func poolsOfDifferentLayoutsLoseNothing(seed: Int) throws {
    var random = RandomCase(seed: seed)
    let prefill = (0..<random.pick(1...2)).map { _ in (ranks: random.pick(1...3), stepTogether: true) }
    let decode = (0..<random.pick(1...2)).map { _ in (ranks: random.pick(1...3), stepTogether: true) }
    let (senders, receivers) = (
      prefill.reduce(0) { $0 + $1.ranks }, decode.reduce(0) { $0 + $1.ranks }
    )
    random.rules.stepsInFlight = random.pick(1, 2)
    var rules = Disaggregation(
      prefillInstances: senders, bytesPerTokenAndLayer: 3,
      mode: random.pick(Disaggregation.Mode.whole, .chunk, .group),
      network: KVNetwork(
        bytesPerSecond: Array(repeating: random.pick(1e4, 1e9), count: senders + receivers), latency: 1e-4))
    rules.firstToken = random.pick(Disaggregation.FirstToken.prefill, .decode)
    rules.choice = random.pick(Disaggregation.Choice.fewest, .inTurn)
    let scheduler: any Scheduler = random.pick(
      ChunkedPrefill(budget: random.budget) as any Scheduler, LayeredPrefill(cohort: 8192, stages: 4))
    let history = try run(
      random.requests, (0..<senders + receivers).map { _ in random.instance(scheduler) },
      Servers(prefill + decode), disaggregation: rules
    ).history
    #expect(history.requests.map(\.request.id).sorted() == random.requests.map(\.id))
    #expect(history.requests.allSatisfy { $0.status != .unfinished })
    for record in history.completed where record.request.outputTokens > 1 {
      #expect(Int(record.instance) >= senders && record.firstTokenAt < record.completedAt)
    }
  }
}
