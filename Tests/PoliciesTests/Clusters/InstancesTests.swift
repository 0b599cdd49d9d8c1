import Policies
import Serving
import Statistics
import Testing

/// Several instances behind one router, and a limited number of clients.
@Suite struct InstancesTests {
  /// `n` instances with iterations of 10 ms.
  func instances(_ n: Int, blocks: Int = 100) -> [InstanceConfiguration] {
    (0..<n).map { _ in
      InstanceConfiguration(
        scheduler: ChunkedPrefill(budget: 512), costModel: ToyCost(kvBlocks: blocks).model,
        memory: ToyCost(kvBlocks: blocks).memory)
    }
  }

  func requests(_ list: [(arrival: Seconds, prompt: Tokens, output: Tokens)]) -> [Request] {
    list.enumerated().map {
      Request(
        id: $0.offset, arrival: $0.element.arrival, promptTokens: $0.element.prompt,
        outputTokens: $0.element.output)
    }
  }

  func milliseconds(_ seconds: Seconds) -> Int { Int((seconds * 1000).rounded()) }

  @Test func requestsGoToTheInstancesInTurn() throws {
    let history = try run(instances(3), requests(Array(repeating: (0, 16, 2), count: 7)))
    let byID = history.requests.sorted { $0.request.id < $1.request.id }.map(\.instance)
    #expect(byID == [0, 1, 2, 0, 1, 2, 0])
  }

  /// Both start at 0 and end at 10 ms: of two events at the same time the one that was added first comes first.
  @Test func tiesAreBrokenByOrderOfEntry() throws {
    let history = try run(instances(2), requests([(0, 16, 2), (0, 16, 2)]))
    #expect(history.iterations.map(\.instance) == [0, 1, 0, 1])
    #expect(history.iterations.map { milliseconds($0.end) } == [10, 10, 20, 20])
  }

  /// Each keeps its own clock: the second starts when its first request comes, in mid-iteration of the other.
  @Test func instancesRunOutOfStep() throws {
    let history = try run(instances(2), requests([(0, 16, 2), (0.004, 16, 2)]))
    #expect(history.iterations.map(\.instance) == [0, 1, 0, 1])
    #expect(history.iterations.map { milliseconds($0.end) } == [10, 14, 20, 24])
    #expect(history.iterations.map(\.index) == [0, 0, 1, 1])
  }

  /// The third request needs a client: it is sent when the first completes, at 20 ms, and its clock starts there.
  @Test func aRequestWithoutAClientIsSentLater() throws {
    let history = try run(
      instances(1), requests([(0, 16, 2), (0, 16, 4), (0.001, 16, 1)]), maxConcurrency: 2)
    let third = try #require(history[request: 2])
    #expect(milliseconds(third.request.arrival) == 20)
    #expect(milliseconds(third.scheduledAt) == 20)
    #expect(milliseconds(third.timeToFirstToken) == 10)
  }

  /// Request 0 ends on instance 0, and request 2, released by that, is sent to instance 2, which is idle.
  @Test func aReleasedRequestWakesAnIdleInstance() throws {
    let history = try run(
      instances(3), requests([(0, 16, 1), (0, 16, 3), (0, 16, 2)]), maxConcurrency: 2)
    let ids = history.requests.map(\.request.id).sorted()
    #expect(ids == [0, 1, 2])
    let last = try #require(history[request: 2])
    #expect(last.instance == 2)
    #expect(milliseconds(last.completedAt) == 30)
  }

  /// A rejected request takes no client: the one behind it is sent at the same moment.
  @Test func aRejectedRequestFreesItsClientAtOnce() throws {
    let history = try run(
      instances(1), requests([(0, 16, 1), (0, 9999, 1), (0, 16, 1)]), maxModelLength: 100, maxConcurrency: 1)
    #expect(history.requests.map(\.request.id) == [0, 1, 2])
    #expect(history.requests.map(\.status) == [.completed, .rejected, .completed])
    #expect(history.requests.map { milliseconds($0.request.arrival) } == [0, 10, 10])
  }

  /// Idle from 20 ms to 5 s: 100 W for 4.98 s.
  @Test func anIdleInstanceJumpsToTheNextArrival() throws {
    var simulation = Simulation(
      instances: instances(1), requests: requests([(0, 16, 2), (5, 16, 1)]).makeIterator())
    var recorder: any Recorder = History()
    try simulation.run(recorder: &recorder)
    let history = try #require(recorder as? History)
    #expect(history.iterations.map { milliseconds($0.start) } == [0, 10, 5000])
    #expect(milliseconds(simulation.idleJoules) == 498_000)
  }

  /// Three instances draw 100 W each until the last step of all: the first works 20 ms of 60, the second 60, the third nothing.
  @Test func instancesIdleUntilTheLastStepOfAll() throws {
    var simulation = Simulation(
      instances: instances(3), requests: requests([(0, 16, 2), (0, 16, 6)]).makeIterator())
    var history = History()
    try simulation.run(recorder: &history)
    #expect(history.iterations.map { milliseconds($0.end) }.max() == 60)
    #expect(milliseconds(simulation.idleJoules) == 100 * (40 + 60))
  }

  /// Counted as each arrives, itself included: 1, 2, 2 (one has left), 3.
  @Test func requestsInTheSystemAreCounted() throws {
    var simulation = Simulation(
      instances: instances(2),
      requests: requests([(0, 16, 1), (0.001, 16, 9), (0.02, 16, 9), (0.021, 16, 9)]).makeIterator())
    var recorder: any Recorder = History()
    try simulation.run(recorder: &recorder)
    #expect(simulation.population.mean == 2)
    #expect(simulation.population.peak == 3)
  }

  /// Each of three clients has a request in flight until the last ones: never more than three in the system.
  @Test(arguments: 0..<20) func noMoreRequestsThanClients(seed: Int) throws {
    let random = RandomCase(seed: seed)
    let history = try run(
      (0..<2).map { _ in random.instance(LayeredPrefill(cohort: 8192, stages: 4)) }, random.requests,
      maxConcurrency: 3)
    let ids = history.requests.map(\.request.id).sorted()
    #expect(ids == random.requests.map(\.id))
    let served = history.completed
    let most =
      served.map { r in
        served.count { $0.request.arrival <= r.request.arrival && r.request.arrival < $0.completedAt }
      }.max() ?? 0
    #expect(most <= 3)
  }
}
