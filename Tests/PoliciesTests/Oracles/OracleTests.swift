import Policies
import Serving
import Testing

/// The engine, which visits no sequence, against ``NaiveEngine``, which visits all of them.
@Suite struct OracleTests {
  static let seeds = 0..<300

  @Test(arguments: seeds) func chunked(seed: Int) throws {
    var random = RandomCase(seed: seed)
    let decodesCount = random.pick(true, true, false)
    try compare(
      random, ChunkedPrefill(budget: random.budget, decodesCount: decodesCount),
      .chunked(budget: random.budget, decodesCount: decodesCount))
  }

  @Test(arguments: seeds) func layered(seed: Int) throws {
    var random = RandomCase(seed: seed)
    let stages = random.pick(16, 12, 24, 4)
    let cohort = random.pick(random.budget, 8192)
    try compare(
      random, LayeredPrefill(cohort: cohort, stages: stages), .layered(cohort: cohort, stages: stages))
  }

  @Test(arguments: seeds) func orca(seed: Int) throws {
    var random = RandomCase(seed: seed)
    let budget = random.pick(random.budget, 4 * random.budget, 1 << 20)
    try compare(random, OrcaBatching(budget: budget), .orca(budget: budget))
  }

  /// The cases are worth something only if memory runs short, the cap is reached, and so on.
  @Test func theCasesGoToTheCorners() throws {
    var counts = [0, 0, 0, 0, 0]
    for seed in Self.seeds {
      let random = RandomCase(seed: seed)
      let history = try random.run(LayeredPrefill(cohort: 8192, stages: 16))
      let decoding = history.iterations.map(\.decodeTokens).max() ?? 0
      if history.requests.contains(where: { $0.preemptions > 0 }) { counts[0] += 1 }
      if history.requests.contains(where: { $0.preemptions > 2 }) { counts[1] += 1 }
      if history.requests.contains(where: { $0.status == .rejected }) { counts[2] += 1 }
      if decoding == random.maxSequences { counts[3] += 1 }
      if decoding > 8 { counts[4] += 1 }
    }
    let least = counts.min() ?? 0
    #expect(least >= 20, "preempted, often preempted, rejected, at the cap, large batches: \(counts)")
  }

  @Test(arguments: 0..<150) func withSpeculation(seed: Int) throws {
    var random = RandomCase(seed: seed)
    random.speculation = .random(using: &random)
    let stages = random.pick(16, 12, 24, 4)
    switch seed % 3 {
    case 0:
      let budget = random.budget + (random.speculation?.drafts ?? 0)
      try compare(
        random, ChunkedPrefill(budget: budget), .chunked(budget: budget, decodesCount: true))
    case 1:
      try compare(
        random, LayeredPrefill(cohort: 8192, stages: stages), .layered(cohort: 8192, stages: stages))
    default:
      try compare(random, OrcaBatching(budget: 1 << 20), .orca(budget: 1 << 20))
    }
  }

  @Test(arguments: 0..<210) func withProfiles(seed: Int) throws {
    var random = RandomCase(seed: seed)
    let profile = TokenProfile.random(using: &random, layers: random.cost.layers)
    random.profile = profile
    random.cost.keys = profile.keys
    let stages = random.pick(16, 12, 24, 4)
    switch seed % 3 {
    case 0:
      try compare(
        random, ChunkedPrefill(budget: random.budget), .chunked(budget: random.budget, decodesCount: true))
    case 1:
      try compare(
        random, LayeredPrefill(cohort: 8192, stages: stages), .layered(cohort: 8192, stages: stages))
    default:
      try compare(random, OrcaBatching(budget: 1 << 20), .orca(budget: 1 << 20))
    }
  }

  @Test(arguments: 0..<150) func withEviction(seed: Int) throws {
    var random = RandomCase(seed: seed)
    random.retention = .random(using: &random)
    let stages = random.pick(16, 12, 24, 4)
    switch seed % 3 {
    case 0:
      try compare(
        random, ChunkedPrefill(budget: random.budget), .chunked(budget: random.budget, decodesCount: true))
    case 1:
      try compare(
        random, LayeredPrefill(cohort: 8192, stages: stages), .layered(cohort: 8192, stages: stages))
    default:
      try compare(random, OrcaBatching(budget: 1 << 20), .orca(budget: 1 << 20))
    }
  }

  @Test(arguments: 0..<300) func onPipelines(seed: Int) throws {
    var random = RandomCase(seed: seed)
    random.cutIntoStages()
    let stages = random.pick(16, 12, 24, 4)
    switch seed % 3 {
    case 0:
      try compare(
        random, ChunkedPrefill(budget: random.budget), .chunked(budget: random.budget, decodesCount: true))
    case 1:
      let cohort = random.pick(random.budget, 8192)
      try compare(
        random, LayeredPrefill(cohort: cohort, stages: stages), .layered(cohort: cohort, stages: stages))
    default:
      let budget = random.pick(4 * random.budget, 1 << 20)
      try compare(random, OrcaBatching(budget: budget), .orca(budget: budget))
    }
  }

  /// Steps overlap in many cases, several micro-batches decode, and memory runs short.
  @Test func thePipelinesAreFull() throws {
    var counts = [0, 0, 0]
    for seed in Self.seeds {
      var random = RandomCase(seed: seed)
      random.cutIntoStages()
      let history = try random.run(ChunkedPrefill(budget: random.budget))
      let pairs = zip(history.iterations, history.iterations.dropFirst())
      if pairs.contains(where: { $1.start < $0.end }) { counts[0] += 1 }
      if pairs.contains(where: { $1.start < $0.end && $0.decodeTokens > 0 && $1.decodeTokens > 0 }) {
        counts[1] += 1
      }
      if history.requests.contains(where: { $0.preemptions > 0 }) { counts[2] += 1 }
    }
    #expect(counts.min() ?? 0 >= 40, "overlapping, decoding in several, preempted: \(counts)")
  }

  private func compare(
    _ random: RandomCase, _ scheduler: any Scheduler, _ mode: NaiveEngine.Mode
  ) throws {
    let history = try random.run(scheduler)
    let naive = NaiveEngine(
      mode, cost: random.cost, maxSequences: random.maxSequences, speculation: random.speculation,
      profile: random.profile, retention: random.retention)
    let sequences =
      random.pipeline.map {
        naive.run(
          random.requests, on: $0, maxModelLength: random.maxModelLength,
          maxConcurrency: random.maxConcurrency)
      }
      ?? naive.run(
        random.requests, maxModelLength: random.maxModelLength, maxConcurrency: random.maxConcurrency)

    let iterations = firstDifference(
      history.iterations.map(Self.line), naive.iterations.map(Self.line))
    #expect(iterations == nil)
    let requests = firstDifference(
      history.requests.sorted { $0.request.id < $1.request.id }.map(Self.line), sequences.map(Self.line))
    #expect(requests == nil)
    let byRequest = history.tokenTimes
    let times = firstDifference(
      sequences.flatMap { s in byRequest[s.id, default: []].map { "request \(s.id): token at \($0)" } },
      sequences.flatMap { s in s.tokenTimes.map { "request \(s.id): token at \($0)" } })
    #expect(times == nil)
    let gaps = firstDifference(
      history.gaps.flatMap { Array(repeating: $0.seconds, count: $0.tokens) }.sorted().map(\.description),
      sequences.flatMap(\.gaps).sorted().map(\.description))
    #expect(gaps == nil)

    for (a, b) in zip(history.iterations, naive.iterations) {
      guard isClose(a.joules, b.joules), isClose(a.expertBytes, b.expertBytes) else {
        Issue.record(
          "iteration \(a.index): \(a.joules) J, \(a.expertBytes) B; not \(b.joules), \(b.expertBytes)")
        break
      }
    }
    for (a, b) in zip(history.requests.sorted { $0.request.id < $1.request.id }, sequences) {
      guard isClose(a.joules, b.joules), isClose(a.expertBytes, b.expertBytes) else {
        Issue.record("request \(b.id): \(a.joules) J, \(a.expertBytes) B; not \(b.joules), \(b.expertBytes)")
        break
      }
    }
  }

  private static func line(_ i: IterationRecord) -> String {
    "\(i.start)-\(i.end): D\(i.decodeTokens) out \(i.outputTokens) P\(i.prefillTokens) of \(i.prefillSequences), "
      + "layers \(i.layerBegin)..<\(i.layerEnd), queue \(i.queueLength), \(i.kvBlocksUsed) blocks"
  }

  private static func line(_ i: NaiveEngine.Iteration) -> String {
    "\(i.start)-\(i.end): D\(i.decodes) out \(i.outputs) P\(i.rows) of \(i.prompts), "
      + "layers \(i.layers), queue \(i.queue), \(i.blocks) blocks"
  }

  private static func line(_ r: RequestRecord) -> String {
    "\(r.request.id) \(r.status) \(r.request.arrival) \(r.scheduledAt) \(r.firstTokenAt) \(r.completedAt) "
      + "gap \(r.longestGap), preempted \(r.preemptions)"
  }

  private static func line(_ s: NaiveEngine.Sequence) -> String {
    "\(s.id) \(s.isRejected ? "rejected" : "completed") \(s.arrival) \(s.scheduledAt) "
      + "\(s.tokenTimes.first ?? .nan) \(s.tokenTimes.last ?? .nan) "
      + "gap \(s.gaps.max() ?? 0), preempted \(s.preemptions)"
  }
}

/// The first position at which two lists differ, with both entries; nil if they are equal.
func firstDifference(_ actual: [String], _ expected: [String]) -> String? {
  for i in 0..<max(actual.count, expected.count) {
    let a = i < actual.count ? actual[i] : "nothing"
    let b = i < expected.count ? expected[i] : "nothing"
    if a != b { return "entry \(i) is\n  \(a)\nbut should be\n  \(b)" }
  }
  return nil
}

/// Whether two numbers agree to 1e-9 of their size.
func isClose(_ a: Double, _ b: Double) -> Bool { abs(a - b) <= 1e-9 * max(abs(a), abs(b)) }
