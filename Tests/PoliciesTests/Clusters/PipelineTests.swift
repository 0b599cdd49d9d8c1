import Glibc
import Policies
import Serving
import Statistics
import Testing

/// Pipelines in closed form: a stage takes a second for each of its layers.
@Suite struct PipelineTests {
  struct StageCost: LayerCost {
    var layers = 1
    var hostSeconds = 0.0
    var kvBlocks: Int { 100_000 }
    var blockSize: Int { 16 }
    var slidingWindow: Tokens? { nil }
    var idleWatts: Double { 100 }

    func add(
      _ load: DecodeLoad, prefill: ArraySlice<PrefillSegment>, layers: Range<Int>, to cost: inout StepCost
    ) {
      cost.decodeRowJoules += load.rows > 0 ? 5 * Double(layers.count) : 0
      cost.prefillRowJoules += prefill.isEmpty ? 0 : 7 * Double(layers.count)
    }

    func finish(_ load: borrowing StepLoad, cost: inout StepCost) {
      cost.kernelSeconds = Double(layers)
      cost.hostSeconds = hostSeconds
    }
  }

  static func instance(
    _ sizes: [Int], hostSeconds: Double = 0, stepsInFlight: Int = 1,
    link: PipelineCostModel.Link = .immediate, seesArrivals: Bool = false,
    _ scheduler: any Scheduler = ChunkedPrefill(budget: 16)
  ) -> InstanceConfiguration {
    var begin = 0
    let stages = sizes.map { size in
      defer { begin += size }
      return PipelineCostModel.Stage(
        costModel: StageCost(layers: size, hostSeconds: hostSeconds).model, layers: begin..<begin + size)
    }
    var rules = EngineRules()
    rules.stepsInFlight = stepsInFlight
    rules.seesArrivalsInFlight = seesArrivals
    return InstanceConfiguration(
      scheduler: scheduler, costModel: PipelineCostModel(stages: stages, link: link),
      memory: StageCost().memory, rules: rules)
  }

  static func run(
    _ instances: [InstanceConfiguration], _ requests: [(Seconds, Tokens, Tokens)],
    stopAt: Seconds = .infinity,
    disaggregation: Disaggregation? = nil
  ) throws -> (history: History, use: PipelineUse, idleJoules: Joules) {
    let requests = requests.enumerated().map {
      Request(
        id: $0.offset, arrival: $0.element.0, promptTokens: $0.element.1, outputTokens: $0.element.2)
    }
    var simulation = Simulation(
      instances: instances, requests: requests.makeIterator(), stopAt: stopAt, disaggregation: disaggregation)
    var history = History()
    try simulation.run(recorder: &history)
    let use = try #require(simulation.pipelineUses[0])
    return (history, use, simulation.idleJoules)
  }

  /// m micro-batches of equal time on p stages are done after m + p - 1 of these times, of which each stage works m.
  @Test(arguments: [2, 3, 4, 8], [1, 2, 5, 40])
  func bubblesOfEqualStages(stages p: Int, microBatches m: Int) throws {
    let (history, use, _) = try Self.run(
      [Self.instance(Array(repeating: 1, count: p))], Array(repeating: (0, 16, 1), count: m))
    #expect(history.iterations.count == m)
    #expect(history.iterations.last?.end == Double(m + p - 1))
    #expect(isClose(use.bubble, Double(p - 1) / Double(m + p - 1)))
    #expect(isClose(use.busySeconds, Double(m * p)))
  }

  /// A lone sequence decodes in steps that follow each other: its tokens are one span, and not one for each step.
  @Test func stepsThatFollowEachOtherAreOneSpan() throws {
    let (history, _, _) = try Self.run([Self.instance([1, 1], stepsInFlight: 2)], [(0, 16, 12)])
    #expect(history.iterations.count == 12)
    #expect(history.spans.count { $0.phase == .decode } == 1)
  }

  /// Poisson arrivals of prompts that fill a step each, on two stages of D/2, wait D + R D^2 / (4 (2 - R D)).
  ///
  /// A stage is a queue of its own, and the second never waits. An engine that waits for the oldest step to end, as vLLM does,
  /// takes longer.
  @Test(arguments: [0.5, 1.4, 1.7]) func waitingForTwoStagesIsThatOfMD1(load: Double) throws {
    var random = SplitMix64(seed: 6, purpose: "arrivals")
    let (whole, count) = (2.0, 200_000)
    var now = 0.0
    let requests = (0..<count).map { _ in
      now -= log(1 - random.uniform()) * whole / load
      return (now, 16, 1)
    }
    let (history, _, _) = try Self.run([Self.instance([1, 1], seesArrivals: true)], requests)
    let mean = history.requests.reduce(0) { $0 + $1.timeToFirstToken } / Double(count)
    let formula = whole + load * whole / (4 * (2 - load))
    #expect(abs(mean / formula - 1) < 0.02, "\(mean) \(formula)")
    let (waiting, _, _) = try Self.run([Self.instance([1, 1])], requests)
    #expect(
      waiting.requests.reduce(0) { $0 + $1.timeToFirstToken }
        > history.requests.reduce(0) { $0 + $1.timeToFirstToken })
  }

  /// A request alone takes the sum of the stages and of the ways between them, for its prompt and for each token.
  @Test func aRequestAloneTakesTheSumOfTheStages() throws {
    let link = PipelineCostModel.Link(bytesPerSecond: 64, latency: 0.5, bytesPerRow: 2)
    let (history, use, _) = try Self.run(
      [Self.instance([2, 3, 3, 2], link: link, ChunkedPrefill(budget: 512))], [(0, 32, 3)])
    let record = try #require(history[request: 0])
    let (promptWay, tokenWay) = (link.seconds(rows: 32), link.seconds(rows: 1))
    #expect(promptWay == 1.5 && tokenWay == 0.53125)
    #expect(record.firstTokenAt == 10 + 3 * promptWay)
    #expect(isClose(record.timePerOutputToken, 10 + 3 * tokenWay))
    #expect(isClose(use.bubble, 1 - 30 / (4 * record.completedAt)))
  }

  /// In saturation a step ends as often as the slowest stage allows.
  @Test(arguments: [[2, 3, 3, 2], [1, 1, 5], [4, 1], [1, 1]])
  func theSlowestStageIsTheRate(sizes: [Int]) throws {
    let (history, _, _) = try Self.run([Self.instance(sizes)], Array(repeating: (0, 16, 1), count: 50))
    let ends = history.iterations.map(\.end)
    #expect(ends.count == 50)
    #expect(ends[49] - ends[0] == Double(49 * (sizes.max() ?? 0)))
  }

  /// As many micro-batches as stages decode at once, each token in the time of a pass; fewer leave stages idle.
  @Test func decodingFillsThePipelineWithMicroBatches() throws {
    for (requests, bubble) in [(1, 0.75), (2, 0.5), (4, 0.0)] {
      let (history, use, _) = try Self.run(
        [Self.instance([1, 1, 1, 1])], Array(repeating: (0, 16, 1001), count: requests))
      for record in history.completed { #expect(isClose(record.timePerOutputToken, 4)) }
      #expect(history.completed.count == requests)
      #expect(abs(use.bubble - bubble) < 0.01)
    }
  }

  /// Chunks of one prompt follow one another through the stages.
  @Test func chunksOfAPromptFollowOneAnother() throws {
    let (history, _, _) = try Self.run([Self.instance([1, 1, 1, 1])], [(0, 160, 1)])
    #expect(history[request: 0]?.firstTokenAt == 13)
  }

  /// Groups of layers follow one another as chunks do, whatever stages they lie on.
  @Test func groupsOfLayersFollowOneAnother() throws {
    let (history, _, _) = try Self.run(
      [Self.instance([4, 4, 4, 4], LayeredPrefill(cohort: 8192, stages: 16))], [(0, 8192, 1)])
    // Each step passes all stages, here for four seconds each: sixteen groups and the way of the last one.
    #expect(history.iterations.count == 16)
    #expect(history[request: 0]?.firstTokenAt == 76)
  }

  /// A host that is called as the last step ends holds the next one up; one that is ahead does not.
  @Test func theHostIsHiddenIfItIsAhead() throws {
    for (steps, gap) in [(1, 2.25), (2, 2.0)] {
      let (history, _, _) = try Self.run(
        [Self.instance([1, 1], hostSeconds: 0.25, stepsInFlight: steps)], [(3, 16, 101)])
      let record = try #require(history[request: 0])
      #expect(isClose(record.timePerOutputToken, gap))
      #expect(record.firstTokenAt == 5.25)
    }
  }

  /// The GPUs of all stages draw idle power all the while, however steps overlap.
  @Test func idlePowerFlowsOnce() throws {
    let (history, _, idle) = try Self.run(
      [Self.instance([1, 2, 1])], [(0, 16, 5), (0, 40, 9), (1, 8, 3), (500, 33, 7)])
    let end = try #require(history.iterations.last?.end)
    let decodes = history.iterations.count { $0.decodeTokens > 0 }
    let prefills = history.iterations.count { $0.prefillTokens > 0 }
    let joules = history.iterations.reduce(0) { $0 + $1.joules }
    let shares = history.requests.reduce(0) { $0 + $1.joules }
    let drawn = 20 * Double(decodes) + 28 * Double(prefills) + 300 * end
    #expect(isClose(joules + idle, drawn))
    #expect(isClose(shares, joules))
  }

  /// A stage whose GPUs are at their limit of power is slowed down, and the others are not.
  @Test func eachStageHasItsOwnLimitOfPower() throws {
    var stages = [0, 1].map {
      PipelineCostModel.Stage(costModel: StageCost(layers: 1).model, layers: $0..<$0 + 1)
    }
    // A step takes 7 J of a stage; at 3.5 W above idle it lasts for two seconds.
    stages[1].power = PowerLimit(headroomWatts: 3.5, window: 1e-6, clockExponent: 2)
    let instance = InstanceConfiguration(
      scheduler: ChunkedPrefill(budget: 16), costModel: PipelineCostModel(stages: stages, link: .immediate),
      memory: StageCost().memory)
    let (history, _, _) = try Self.run([instance], Array(repeating: (0, 16, 1), count: 30))
    let ends = history.iterations.map(\.end)
    #expect(abs(ends[29] - ends[9] - 40) < 1e-3)
    #expect(history.iterations[0].start == 0 && history.iterations[1].start == 1)
  }

  /// A run that is cut comes to its end, and forgets nobody.
  @Test(arguments: [0.5, 3, 7, 20, 41.5]) func runsAreCut(at time: Seconds) throws {
    var sent: [(Seconds, Tokens, Tokens)] = []
    for i in 0..<20 { sent.append((Double(i), 10 + 3 * i, 1 + i)) }
    let (history, _, _) = try Self.run([Self.instance([1, 2, 1])], sent, stopAt: time)
    let ids = history.requests.map { $0.request.id }.sorted()
    #expect(ids == Array(0..<sent.count { $0.0 < time }))
    let shares = history.requests.reduce(0) { $0 + $1.joules }
    #expect(isClose(shares, history.iterations.reduce(0) { $0 + $1.joules }))
    for record in history.completed {
      #expect(history.tokenTimes[record.request.id]?.count == record.request.outputTokens)
    }
  }

  /// Prompts go from one pipeline to another.
  @Test func pipelinesHandPromptsOver() throws {
    var rules = Disaggregation(
      prefillInstances: 2, bytesPerTokenAndLayer: 1, mode: .chunk,
      network: KVNetwork(bytesPerSecond: [1e3, 1e3, 2e3], latency: 0.1, sharing: .fair))
    rules.firstToken = .decode
    var sent: [(Seconds, Tokens, Tokens)] = []
    for i in 0..<30 { sent.append((Double(i), 10 + 5 * i, 1 + i % 7)) }
    let instances = [Self.instance([1, 1]), Self.instance([1, 1]), Self.instance([1, 2, 1])]
    let (history, _, _) = try Self.run(instances, sent, disaggregation: rules)
    let ids = history.completed.map { $0.request.id }.sorted()
    #expect(ids == Array(0..<30))
    for record in history.completed where record.request.outputTokens > 1 {
      #expect(record.instance == 2)
    }
  }
}
