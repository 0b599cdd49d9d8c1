import Foundation
import Policies
import Serving
import Statistics
import Testing

/// Prompts on some instances, decoding on others.
@Suite struct DisaggregationTests {
  /// Keeps transfers beside everything else.
  struct Log: Recorder {
    var history = History()
    var transfers: [TransferRecord] = []
    mutating func record(_ iteration: IterationRecord) { history.record(iteration) }
    mutating func record(_ span: SpanRecord) { history.record(span) }
    mutating func record(_ request: RequestRecord) { history.record(request) }
    mutating func record(gap: Seconds, tokens: Int) { history.record(gap: gap, tokens: tokens) }
    mutating func record(_ transfer: TransferRecord) { transfers.append(transfer) }
  }

  static let bytes = 3.0

  func run(
    _ requests: [Request], prefill: [InstanceConfiguration], decode: [InstanceConfiguration],
    mode: Disaggregation.Mode = .whole, bandwidth: Double = 1e9, latency: Seconds = 0,
    sharing: KVNetwork.Sharing = .fair, router: String = "least-loaded", maxConcurrency: Int = .max,
    stopAt: Seconds = .infinity, fastForwards: Bool = true
  ) throws -> Log {
    let count = prefill.count + decode.count
    var simulation = Simulation(
      instances: prefill + decode,
      router: try RouterChoice(router).makeRouter(
        RouterCatalog.Facts(
          instances: prefill.count, contents: PromptContents(), blockSize: prefill[0].memory.blockSize,
          seed: 1)),
      requests: requests.makeIterator(), maxConcurrency: maxConcurrency, stopAt: stopAt,
      fastForwards: fastForwards,
      disaggregation: Disaggregation(
        prefillInstances: prefill.count, bytesPerTokenAndLayer: Self.bytes, mode: mode,
        network: KVNetwork(
          bytesPerSecond: Array(repeating: bandwidth, count: count), latency: latency, sharing: sharing)))
    var log = Log()
    try simulation.run(recorder: &log)
    return log
  }

  func toy(
    _ scheduler: any Scheduler = ChunkedPrefill(budget: 512), blocks: Int = 10_000, steps: Int = 1,
    seconds: Seconds = 0.01, watermark: Double = 0
  ) -> InstanceConfiguration {
    var rules = EngineRules()
    rules.stepsInFlight = steps
    rules.watermark = watermark
    let cost = ToyCost(kvBlocks: blocks, seconds: seconds)
    return InstanceConfiguration(
      scheduler: scheduler, costModel: cost.model, memory: cost.memory, rules: rules)
  }

  /// A prompt of 100 tokens in 8 layers of 3 bytes: 2,400 bytes, 24 ms at 100 kB/s and 1 ms of latency.
  ///
  /// Steps take 10 ms.
  @Test func aPromptIsComputedSentAndDecoded() throws {
    let request = Request(id: 0, arrival: 0, promptTokens: 100, outputTokens: 4)
    let log = try run([request], prefill: [toy()], decode: [toy()], bandwidth: 1e5, latency: 0.001)
    let record = try #require(log.history[request: 0])
    let transfer = try #require(log.transfers.first)
    #expect(transfer.bytes == 2400 && transfer.source == 0 && transfer.sink == 1)
    #expect(abs(record.firstTokenAt - 0.010) < 1e-12 && abs(transfer.readyAt - 0.010) < 1e-12)
    #expect(abs(transfer.endedAt - 0.035) < 1e-9)
    #expect(abs(record.completedAt - 0.065) < 1e-9 && abs(record.longestGap - 0.035) < 1e-9)
    #expect(record.instance == 1 && record.status == .completed)
    #expect(log.history.spans.map(\.instance) == [0, 1])
    let times = log.history.tokenTimes[0, default: []]
    #expect(times.count == 4)
  }

  /// Four groups of a layered pass leave while later ones are computed: with 6 ms for each, all is there 6 ms after the prompt;
  /// as a whole it takes 24.
  @Test(arguments: [(Disaggregation.Mode.whole, 0.024), (.chunk, 0.024), (.group, 0.006)])
  func groupsOfLayersStream(mode: Disaggregation.Mode, delay: Seconds) throws {
    let request = Request(id: 0, arrival: 0, promptTokens: 2048, outputTokens: 4)
    let log = try run(
      [request], prefill: [toy(LayeredPrefill(cohort: 8192, stages: 4, grouping: .paper))], decode: [toy()],
      mode: mode,
      bandwidth: 2.048e6)
    let record = try #require(log.history[request: 0])
    let transfer = try #require(log.transfers.first)
    #expect(abs(record.firstTokenAt - 0.04) < 1e-12)
    #expect(abs(transfer.endedAt - record.firstTokenAt - delay) < 1e-9)
    #expect(transfer.bytes == 49_152)
  }

  /// Chunks of 50 tokens: the first leaves while the second is computed.
  @Test func chunksStream() throws {
    let request = Request(id: 0, arrival: 0, promptTokens: 100, outputTokens: 4)
    let log = try run(
      [request], prefill: [toy(ChunkedPrefill(budget: 50))], decode: [toy()], mode: .chunk, bandwidth: 2e5)
    let transfer = try #require(log.transfers.first)
    #expect(abs(transfer.readyAt - 0.01) < 1e-12 && abs(transfer.endedAt - 0.026) < 1e-9)
  }

  /// Memory for one prompt of 96 tokens and what it writes: the second waits where it was computed until the first has ended.
  @Test func aFullDecoderHoldsPromptsBack() throws {
    let requests = (0..<3).map { Request(id: $0, arrival: 0, promptTokens: 96, outputTokens: 10) }
    let log = try run(requests, prefill: [toy(blocks: 20)], decode: [toy(blocks: 7)], bandwidth: 1e9)
    let ends = (0..<3).compactMap { log.history[request: $0]?.completedAt }
    let transfers = log.transfers.sorted { $0.request < $1.request }
    #expect(transfers.count == 3 && transfers[0].startedAt == transfers[0].readyAt)
    #expect(transfers[1].startedAt == ends[0] && transfers[2].startedAt == ends[1])
  }

  /// A decoder with room for three prompts of 6 blocks, but with half of its 20 blocks to be left free: one at a time.
  @Test(arguments: [(0.0, false), (0.5, true)]) func aWatermarkIsLeftFree(watermark: Double, waits: Bool)
    throws
  {
    let requests = (0..<3).map { Request(id: $0, arrival: 0, promptTokens: 96, outputTokens: 10) }
    let log = try run(
      requests, prefill: [toy(blocks: 20)], decode: [toy(blocks: 20, watermark: watermark)], bandwidth: 1e9)
    let ends = (0..<3).compactMap { log.history[request: $0]?.completedAt }
    let transfers = log.transfers.sorted { $0.request < $1.request }
    #expect(transfers.count == 3)
    for i in 1..<3 { #expect(transfers[i].startedAt == (waits ? ends[i - 1] : transfers[i].readyAt)) }
  }

  /// Two places to decode: the third prompt is sent when one of the first has ended.
  @Test func aDecoderTakesNoMoreThanItsPlaces() throws {
    let requests = (0..<3).map { Request(id: $0, arrival: 0, promptTokens: 96, outputTokens: 10) }
    var decoder = toy()
    decoder.maxSequences = 2
    let log = try run(requests, prefill: [toy()], decode: [decoder])
    let ends = (0..<3).compactMap { log.history[request: $0]?.completedAt }
    let transfers = log.transfers.sorted { $0.request < $1.request }
    #expect(transfers[0].startedAt == transfers[0].readyAt && transfers[1].startedAt == transfers[1].readyAt)
    #expect(transfers[2].startedAt == ends[0])
  }

  /// Under a policy that never takes memory away, a prompt is taken in if it could write up to its limit: 96 + 80 tokens are 11
  /// blocks, of which two requests would need 22.
  @Test func aDecoderKeepsRoomForOutputs() throws {
    let requests = (0..<2).map { Request(id: $0, arrival: 0, promptTokens: 96, outputTokens: 80) }
    let decoder = toy(TRTLLMScheduling(budget: 512), blocks: 20)
    let log = try run(requests, prefill: [toy()], decode: [decoder])
    #expect(log.history.completed.count == 2)
    #expect(log.history.completed.allSatisfy { $0.preemptions == 0 })
    #expect(log.transfers.map(\.startedAt).max() == log.history[request: 0]?.completedAt)
  }

  /// Steps take 10 ms, a transfer 24 and 1 of latency: the client hears of the first token as the prompt gets to its decoder.
  @Test func theFirstTokenMayComeByWayOfTheDecoder() throws {
    let request = Request(id: 0, arrival: 0, promptTokens: 100, outputTokens: 4)
    var rules = Disaggregation(
      prefillInstances: 1, bytesPerTokenAndLayer: Self.bytes, mode: .whole,
      network: KVNetwork(bytesPerSecond: [1e5, 1e5], latency: 0.001))
    rules.firstToken = .decode
    var simulation = Simulation(
      instances: [toy(), toy()], requests: [request].makeIterator(), disaggregation: rules)
    var log = Log()
    try simulation.run(recorder: &log)
    let record = try #require(log.history[request: 0])
    #expect(record.firstTokenAt == log.transfers.first?.endedAt)
    #expect(abs(record.firstTokenAt - 0.035) < 1e-9 && abs(record.completedAt - 0.065) < 1e-9)
    #expect(abs(record.longestGap - 0.01) < 1e-9)
  }

  @Test func decodersMayBeTakenInTurn() throws {
    // The first two go to the first and the second decoder; the second ends at once, and yet the third goes to the first again.
    let requests = [(0, 50), (0, 2), (0.3, 5)].enumerated().map {
      Request(id: $0.offset, arrival: $0.element.0, promptTokens: 20, outputTokens: $0.element.1)
    }
    func sinks(_ choice: Disaggregation.Choice) throws -> [Int32] {
      var rules = Disaggregation(
        prefillInstances: 1, bytesPerTokenAndLayer: Self.bytes, mode: .whole,
        network: KVNetwork(bytesPerSecond: Array(repeating: 1e9, count: 3), latency: 0))
      rules.choice = choice
      var simulation = Simulation(
        instances: [toy(), toy(), toy()], requests: requests.makeIterator(), disaggregation: rules)
      var log = Log()
      try simulation.run(recorder: &log)
      return log.transfers.sorted { $0.request < $1.request }.map(\.sink)
    }
    #expect(try sinks(.inTurn) == [1, 2, 1])
    #expect(try sinks(.fewest) == [1, 2, 2])
  }

  @Test func whatFitsNowhereIsRejected() throws {
    let requests = [(100, 4), (100, 200), (400, 4), (16, 1)].enumerated().map {
      Request(id: $0.offset, arrival: 0, promptTokens: $0.element.0, outputTokens: $0.element.1)
    }
    let log = try run(requests, prefill: [toy(blocks: 20)], decode: [toy(blocks: 16)])
    let status = (0..<4).map { log.history[request: $0]?.status }
    #expect(status == [.completed, .rejected, .rejected, .completed])
    #expect(log.transfers.map(\.request) == [0])
  }

  /// Random clusters: every request ends once, each transfer has all of its prompt's bytes, nothing happens before its cause, and
  /// what is repeated without asking is what asking would have given.
  @Test(arguments: 0..<60) func nothingIsLostAndNothingComesEarly(seed: Int) throws {
    var random = RandomCase(seed: seed)
    let mode = random.pick(Disaggregation.Mode.whole, .chunk, .group)
    let sharing = random.pick(KVNetwork.Sharing.fair, .fifo)
    let bandwidth = random.pick(1e3, 1e5, 1e9)
    let (senders, receivers) = (random.pick(1...3), random.pick(1...3))
    let clients = random.pick(Int.max, Int.max, 4)
    let stopAt = random.pick(Seconds.infinity, Seconds.infinity, 0.05)
    random.rules.stepsInFlight = random.pick(1, 2)
    let scheduler: any Scheduler = random.pick(
      ChunkedPrefill(budget: random.budget) as any Scheduler, LayeredPrefill(cohort: 8192, stages: 4),
      VLLMScheduling(budget: max(random.budget, 2), longPrompt: 0, isAdaptive: false))
    func run(fastForwards: Bool) throws -> Log {
      try self.run(
        random.requests, prefill: (0..<senders).map { _ in random.instance(scheduler) },
        decode: (0..<receivers).map { _ in random.instance(scheduler) }, mode: mode, bandwidth: bandwidth,
        latency: 0.0001, sharing: sharing, router: random.budget % 2 == 0 ? "kv" : "least-loaded",
        maxConcurrency: clients, stopAt: stopAt, fastForwards: fastForwards)
    }
    let log = try run(fastForwards: true)
    let ids = log.history.requests.map(\.request.id)
    #expect(Set(ids).count == ids.count)
    if stopAt == .infinity { #expect(ids.sorted() == random.requests.map(\.id)) }
    #expect(log.history.requests.allSatisfy { stopAt < .infinity || $0.status != .unfinished })
    let layers = random.cost.layers
    for transfer in log.transfers {
      let record = try #require(log.history[request: transfer.request])
      #expect(transfer.bytes == Double(record.request.promptTokens * layers) * Self.bytes)
      #expect(transfer.readyAt <= record.firstTokenAt && transfer.startedAt >= transfer.readyAt)
      #expect(transfer.endedAt >= record.firstTokenAt + 0.0001 - 1e-12)
      #expect(transfer.endedAt >= transfer.startedAt + transfer.bytes / bandwidth * (1 - 1e-9) - 1e-6)
      #expect(Int(transfer.source) < senders && Int(transfer.sink) >= senders)
      guard record.status == .completed else { continue }
      #expect(record.completedAt >= transfer.endedAt && record.instance == transfer.sink)
    }
    for record in log.history.completed {
      let moved = log.transfers.count { $0.request == record.request.id }
      #expect(moved == (record.request.outputTokens > 1 ? 1 : 0))
    }
    let asked = try run(fastForwards: false)
    let order = { (a: RequestRecord, b: RequestRecord) in a.request.id < b.request.id }
    #expect(
      asked.history.requests.sorted(by: order).map { "\($0)" }
        == log.history.requests.sorted(by: order).map { "\($0)" })
    #expect(asked.transfers == log.transfers)
  }

  /// Prompts that fill a step each, Poisson arrivals: M/D/1, D + R D^2 / (2 (1 - R D)).
  @Test(arguments: [0.3, 0.7]) func waitingIsThatOfMD1(load: Double) throws {
    var random = SplitMix64(seed: 5, purpose: "arrivals")
    let (service, count) = (0.01, 150_000)
    var now = 0.0
    let requests = (0..<count).map { id in
      now -= log(1 - random.uniform()) * service / load
      return Request(id: id, arrival: now, promptTokens: 64, outputTokens: 2)
    }
    let result = try run(
      requests, prefill: [toy(ChunkedPrefill(budget: 64), blocks: 1_000_000)],
      decode: [toy(blocks: 1_000_000)])
    let mean = result.history.requests.reduce(0) { $0 + $1.timeToFirstToken } / Double(count)
    let formula = service + load * service / (2 * (1 - load))
    #expect(abs(mean / formula - 1) < 0.02, "\(mean) \(formula)")
  }

  /// Two ways to use twice the GPUs (DistServe): tensor parallelism by which a prompt takes D / K, D / K + R D^2 / (2 K (K - R D)),
  /// and two instances that share the prompts at random, each with half of the rate.
  @Test(arguments: [0.5, 1.3]) func waitingOnTwiceTheGPUsIsThatOfMD1(load: Double) throws {
    var random = SplitMix64(seed: 7, purpose: "arrivals")
    let (service, count) = (0.01, 200_000)
    var now = 0.0
    let requests = (0..<count).map { id in
      now -= log(1 - random.uniform()) * service / load
      return Request(id: id, arrival: now, promptTokens: 64, outputTokens: 1)
    }
    func mean(_ instances: [InstanceConfiguration], _ router: any Router) throws -> Double {
      var simulation = Simulation(instances: instances, router: router, requests: requests.makeIterator())
      var metrics = RunMetrics()
      try simulation.run(recorder: &metrics)
      return metrics.timeToFirstToken.mean
    }
    let one = toy(ChunkedPrefill(budget: 64), blocks: 1_000_000)
    let replicas = try mean([one, one], RandomRouter(seed: 3))
    let halves = service + load / 2 * service / (2 * (1 - load / 2))
    #expect(abs(replicas / halves - 1) < 0.02, "\(replicas) \(halves)")
    // K = 1.8, as a model of 13 billion parameters gains.
    let faster = toy(ChunkedPrefill(budget: 64), blocks: 1_000_000, seconds: service / 1.8)
    let parallel = try mean([faster], RoundRobin())
    let formula = service / 1.8 + load * service / (2 * 1.8 * (1.8 - load))
    #expect(abs(parallel / formula - 1) < 0.02, "\(parallel) \(formula)")
  }

  /// With a network that takes no time, the time per token does not depend on prompts that come: steps take 10 ms.
  @Test func promptsDoNotDelayTokens() throws {
    let requests = (0..<200).map {
      Request(id: $0, arrival: Double($0) * 0.013, promptTokens: 700, outputTokens: 20)
    }
    let log = try run(requests, prefill: [toy(), toy()], decode: [toy()], bandwidth: 1e15)
    let gaps = log.history.completed.map { ($0.completedAt - $0.firstTokenAt) / 19 }
    // Beside its steps, a sequence waits for the one that runs as it comes.
    #expect(gaps.allSatisfy { $0 > 0.01 - 1e-9 && $0 < 0.01 + 0.01 / 19 + 1e-9 })
  }
}
