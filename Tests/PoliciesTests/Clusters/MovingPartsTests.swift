import Policies
import Serving
import Testing

/// What clusters are made of, driven by hand through the public types.
///
/// A step takes 10 ms.
@Suite struct MovingPartsTests {
  func instance(_ number: Int, stepsInFlight: Int = 1, cost: some LayerCost = ToyCost()) -> Instance {
    Instance(
      number: number,
      configuration: InstanceConfiguration(
        scheduler: ChunkedPrefill(budget: 512), costModel: cost.model, memory: cost.memory,
        rules: rules(stepsInFlight)))
  }

  func rules(_ stepsInFlight: Int) -> EngineRules {
    var rules = EngineRules()
    rules.stepsInFlight = stepsInFlight
    return rules
  }

  func milliseconds(_ seconds: Seconds) -> Int { Int((seconds * 1000).rounded()) }

  /// A sequence of 8 tokens writes three on one instance and the rest on another, which it reaches 5 ms later.
  @Test func aSequenceMovesBetweenTwoInstances() throws {
    var (a, b, history) = (instance(0), instance(1), History())
    a.accept(Request(id: 7, arrival: 0, promptTokens: 20, outputTokens: 8))
    var now = 0.0
    for _ in 0..<3 {
      let end = try a.next(at: now, before: now)
      now = try #require(end)
      _ = a.end(recorder: &history)
    }
    let withdrawn = a.withdraw(request: 7, recorder: &history)
    let sequence = try #require(withdrawn)
    #expect(sequence.storedTokens == 22)
    #expect(a.view.memory.usedBlocks == 0)
    let nothing = try a.next(at: now)
    #expect(nothing == nil)

    let hasRoom = b.accept(sequence)
    #expect(hasRoom)
    #expect(b.view.memory.usedBlocks == 2)
    now += 0.005
    while let end = try b.next(at: now) {
      _ = b.end(recorder: &history)
      now = end
    }
    let record = try #require(history[request: 7])
    #expect(milliseconds(record.firstTokenAt) == 10)
    #expect(milliseconds(record.completedAt) == 30 + 5 + 50)
    #expect(milliseconds(record.longestGap) == 15)
    #expect(b.view.memory.usedBlocks == 0)
    #expect(history.spans.map(\.instance) == [0, 0, 1])
    #expect(history.gaps.reduce(0) { $0 + $1.tokens } == 7)
  }

  /// Two transfers share a port: the step that waits for one of them begins when both have had their half.
  @Test func aFlowDelaysAStep() throws {
    var (a, b, history) = (instance(0), instance(1), History())
    a.accept(Request(id: 0, arrival: 0, promptTokens: 16, outputTokens: 3))
    var events = EventQueue(sources: 2)  // the link, and the second instance
    let end = try a.next(at: 0)
    let prefilled = try #require(end)
    _ = a.end(recorder: &history)
    let withdrawn = a.withdraw(request: 0, recorder: &history)
    let sequence = try #require(withdrawn)

    var network = KVNetwork(bytesPerSecond: [1000, 1000], latency: 0.001)
    let (other, own) = (0, 1)
    for id in [other, own] {
      network.open(id, from: 0, to: 1, at: prefilled)
      network.add(20, to: id, at: prefilled)
      network.close(id, at: prefilled)
    }
    let first = network.nextChange()
    let change = try #require(first)
    events.set(change, for: 0)
    var arrived: [Int] = []
    while let event = events.first {
      if event.source == 0 {
        arrived += network.takeDelivered(at: event.time)
        if let next = network.nextChange() { events.set(next, for: 0) } else { events.remove(0) }
        guard arrived.contains(own), !b.isRunning else { continue }
        let hasRoom = b.accept(sequence)
        #expect(hasRoom)
      } else {
        _ = b.end(recorder: &history)
      }
      if let end = try b.next(at: event.time) { events.set(end, for: 1) } else { events.remove(1) }
    }
    #expect(arrived == [other, own])
    let step = try #require(history.iterations.first { $0.instance == 1 })
    #expect(milliseconds(step.start) == 10 + 1 + 40)
  }

  /// The host takes 4 ms to prepare a step of 10 ms.
  private struct HostCost: LayerCost {
    var layers: Int { 8 }
    var kvBlocks: Int { 100 }
    var blockSize: Int { 16 }
    var slidingWindow: Tokens? { nil }
    var idleWatts: Double { 0 }
    func add(
      _ load: DecodeLoad, prefill: ArraySlice<PrefillSegment>, layers: Range<Int>, to cost: inout StepCost
    ) {}
    func finish(_ load: borrowing StepLoad, cost: inout StepCost) {
      cost.kernelSeconds = 0.01
      cost.hostSeconds = 0.004
    }
  }

  /// With two steps in flight the host prepares a step while the one before runs.
  @Test(arguments: [(1, [0, 14, 28, 42], [14, 28, 42, 56]), (2, [4, 14, 24, 34], [14, 24, 34, 44])])
  func twoStepsAreInFlight(steps: Int, starts: [Int], ends: [Int]) throws {
    let cost = HostCost()
    let configuration = InstanceConfiguration(
      scheduler: ChunkedPrefill(budget: 512), costModel: cost.model, memory: cost.memory,
      rules: rules(steps))
    let requests = [(0, 20, 4), (0, 20, 3)].map { (arrival: Double($0.0), prompt: $0.1, output: $0.2) }
    let history = try PoliciesTests.run(
      [configuration],
      requests.enumerated().map {
        Request(
          id: $0.offset, arrival: $0.element.arrival, promptTokens: $0.element.prompt,
          outputTokens: $0.element.output)
      })
    #expect(history.iterations.map { milliseconds($0.start) } == starts)
    #expect(history.iterations.map { milliseconds($0.end) } == ends)
    #expect(history.iterations.map(\.decodeTokens) == [0, 2, 2, 1])
    #expect(history.requests.map(\.status) == [.completed, .completed])
    #expect(history.requests.map { milliseconds($0.completedAt) } == [ends[2], ends[3]])
  }
}
