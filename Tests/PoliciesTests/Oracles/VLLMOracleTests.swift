import Policies
import Serving
import Statistics
import Testing

/// The `vllm` policy on vLLM's rules against ``NaiveVLLM``, step by step, on many small cases where everything is short.
@Suite struct VLLMOracleTests {
  static let seeds = 0..<400

  /// Holds exact steps against the naive engine, and fast-forwarded ones against both.
  private func check(_ random: RandomVLLMCase) throws {
    guard let naive = random.runNaive() else { return }
    let exact = try random.run(fastForwards: false)
    let steps = firstDifference(exact.steps, naive.steps)
    #expect(steps == nil)
    let outcomes = firstDifference(exact.outcomes, naive.outcomes)
    #expect(outcomes == nil)
    let fast = try random.run(fastForwards: true)
    let faster = firstDifference(fast.outcomes, naive.outcomes)
    #expect(faster == nil)
    let records = firstDifference(fast.records, exact.records)
    #expect(records == nil)
  }

  @Test(arguments: seeds) func theScheduleIsTheSame(seed: Int) throws {
    try check(RandomVLLMCase(seed: seed))
  }

  @Test(arguments: 0..<150) func theScheduleIsTheSameWithSpeculation(seed: Int) throws {
    var random = RandomVLLMCase(seed: seed)
    var numbers = RandomCase(seed: seed)
    random.rules.speculation = .random(using: &numbers)
    random.rules.budget += random.rules.drafts
    // No window is so small that it passes a burst before its blocks are entered.
    if random.rules.window > 0 { random.rules.window += random.rules.drafts }
    try check(random)
  }

  /// The cases are worth something only if memory and the budget run short in all of their ways.
  @Test func theCasesGoToTheCorners() throws {
    var counts = [0, 0, 0, 0]
    for seed in Self.seeds where RandomVLLMCase(seed: seed).runNaive() != nil {
      let run = try RandomVLLMCase(seed: seed).run(fastForwards: false)
      if run.history.requests.contains(where: { $0.preemptions > 0 }) { counts[0] += 1 }
      if run.history.requests.contains(where: { $0.preemptions > 2 }) { counts[1] += 1 }
      if run.history.requests.contains(where: { $0.cachedTokens > 0 && $0.preemptions > 0 }) {
        counts[3] += 1
      }
      if run.history.spans.contains(where: { !$0.completed }) { counts[2] += 1 }
    }
    let least = counts.min() ?? 0
    #expect(
      least >= 20, "preempted, often preempted, preempted with half a prompt, with cached tokens: \(counts)")
  }
}

/// A small workload on little memory, and vLLM's settings at random.
struct RandomVLLMCase {
  struct Run {
    var history = History()
    var steps: [String] = []

    var outcomes: [String] {
      history.requests.sorted { $0.request.id < $1.request.id }.map {
        "\($0.request.id): \($0.cachedTokens) cached, \($0.preemptions) preempted, \(Int($0.scheduledAt)) "
          + "\(Int($0.firstTokenAt)) \(Int($0.completedAt))"
      }
    }
    /// Everything that was recorded but for the rows.
    var records: [String] {
      history.iterations.map { "\($0)" } + history.requests.map { "\($0)" }
    }
  }

  struct StepRecorder: Recorder {
    var run = Run()
    let wantsRows: Bool

    mutating func record(_ iteration: IterationRecord) { run.history.record(iteration) }
    mutating func record(_ span: SpanRecord) { run.history.record(span) }
    mutating func record(_ request: RequestRecord) { run.history.record(request) }
    mutating func record(gap: Seconds, tokens: Int) { run.history.record(gap: gap, tokens: tokens) }
    mutating func record(rows: [StepRow], instance: Int32, iteration: Int64) {
      let rows = rows.sorted { $0.request < $1.request }.map { "\($0.request):\($0.tokens)@\($0.before)" }
      run.steps.append("\(run.steps.count): \(rows.joined(separator: " "))")
    }
  }

  var rules = NaiveVLLM.Rules()
  var requests: [Request] = []
  private(set) var streamOf: [Int] = []
  private(set) var sharing: [Int: (stream: Int, tokens: Int)] = [:]
  private var random: SplitMix64

  private mutating func pick(_ range: ClosedRange<Int>) -> Int {
    range.lowerBound + Int(random.uniform() * Double(range.count))
  }
  private mutating func pick<T>(_ values: T...) -> T { values[pick(0...values.count - 1)] }

  init(seed: Int) {
    random = SplitMix64(seed: UInt64(seed), purpose: "vllm cases")
    rules.blockSize = pick(1, 4, 16)
    rules.inFlight = pick(1, 2)
    rules.priority = pick(false, false, true)
    rules.budget = pick(pick(2...20), pick(20...200), 4096)
    rules.maxSequences = pick(1, pick(2...8), 64)
    rules.threshold = pick(0, 0, pick(1...40))
    rules.adaptive = pick(false, true)
    rules.watermark = pick(0, 0, 0.05)
    rules.reservesWhole = pick(true, true, false)
    rules.caching = pick(false, true, true)
    rules.window = pick(0, 0, pick(1...40))
    // With two groups, two requests may take each other's memory for ever unless whole prompts are reserved.
    if rules.window > 0 { rules.reservesWhole = true }
    let longest = pick(10, 60, 150)
    rules.blocks =
      (longest * 2 + rules.blockSize - 1) / rules.blockSize * (rules.window > 0 ? 2 : 1) + 2
      + pick(0...pick(2, 20, 200))
    let pace = pick(0, 1, 8)
    var now = 0
    for id in 0..<pick(1...30) {
      if pick(0...2) > 0 { now += pick(0...pace) }
      if pick(0...20) == 0 { now += 200 }
      var request = Request(
        id: id, arrival: Double(now), promptTokens: pick(1...longest),
        outputTokens: pick(1, pick(1...longest)))
      request.priority = pick(0...2)
      // A new stream, one that shares its beginning with an earlier one, or an earlier one itself.
      let earlier = id > 0 ? pick(0...id - 1) : 0
      let stream = id > 0 && pick(0...2) == 0 ? streamOf[earlier] : id
      if stream == id, id > 0, pick(0...1) == 0 { sharing[id] = (streamOf[earlier], pick(0...longest)) }
      streamOf.append(stream)
      requests.append(request)
    }
  }

  func run(fastForwards: Bool) throws -> Run {
    var engine = EngineRules()
    engine.order = .byAdmission
    engine.queue = rules.priority ? .priority : .firstComeFirstServed
    engine.stepsInFlight = rules.inFlight
    engine.watermark = rules.watermark
    engine.reservesWholePrompt = rules.reservesWhole
    engine.nullBlocks = 1
    engine.slidingWindow = rules.window
    engine.tokensInFlight = rules.inFlight * rules.budget
    let memory = KVMemory(blocks: rules.blocks - 1, blockSize: rules.blockSize)
    var requests = requests
    let cache = rules.caching ? makeCache(memory, &requests) : nil
    let configuration = InstanceConfiguration(
      scheduler: VLLMScheduling(
        budget: rules.budget, longPrompt: rules.threshold, isAdaptive: rules.adaptive),
      costModel: UnitCostModel(), memory: memory, maxSequences: rules.maxSequences, rules: engine,
      cache: cache, speculation: rules.speculation)
    var simulation = Simulation(
      instances: [configuration], requests: requests.makeIterator(), fastForwards: fastForwards)
    var recorder = StepRecorder(wantsRows: !fastForwards)
    try simulation.run(recorder: &recorder)
    return recorder.run
  }

  /// The streams as pieces, each of one source.
  private func makeCache(_ memory: KVMemory, _ requests: inout [Request]) -> PrefixCache {
    var contents = PromptContents()
    func pieces(_ stream: Int) -> [PromptContents.Piece] {
      guard let (other, tokens) = sharing[stream] else { return [.init(begin: 0, source: stream)] }
      return pieces(other).filter { $0.begin < tokens } + [.init(begin: tokens, source: stream)]
    }
    for i in requests.indices { requests[i].content = contents.append(pieces(streamOf[i]), length: nil) }
    return PrefixCache(memory: memory, contents: contents, window: rules.window > 0 ? rules.window : nil)
  }

  /// `nil` if it never ends.
  func runNaive() -> (steps: [String], outcomes: [String])? {
    let naive = NaiveVLLM(rules)
    naive.sharing = sharing.mapValues { ($0.stream, $0.tokens) }
    let sequences = requests.map {
      NaiveVLLM.Sequence(
        $0.id, $0.arrival, $0.promptTokens, $0.outputTokens, $0.priority, streamOf[$0.id])
    }
    naive.run(sequences)
    guard !naive.isEndless else { return nil }
    let steps = naive.steps.enumerated().map { number, step in
      let rows = step.1.sorted { $0.0 < $1.0 }.map { "\($0.0):\($0.1)@\($0.2)" }
      return "\(number): \(rows.joined(separator: " "))"
    }
    return (
      steps,
      sequences.map {
        "\($0.id): \(max(0, $0.cached)) cached, \($0.preemptions) preempted, \(Int($0.scheduledAt)) \(Int($0.first)) "
          + "\(Int($0.finished))"
      }
    )
  }
}
