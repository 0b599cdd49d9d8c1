import Policies
import Serving
import Testing

/// What holds of pipelines for every policy that runs on them, and any workload.
@Suite struct PipelineInvariantTests {
  static let cases = PolicyCatalog.entries.filter(\.runsInPipelines).flatMap { entry in
    (0..<40).compactMap { seed in
      (try? InvariantTests.Case(entry, seed: seed)).map { it in
        var it = it
        it.random.cutIntoStages()
        return it
      }
    }
  }

  /// Keeps what each sequence does as well.
  struct RowHistory: Recorder {
    var history = History()
    var rows: [[StepRow]] = []
    var wantsRows: Bool { true }

    mutating func record(_ iteration: IterationRecord) { history.record(iteration) }
    mutating func record(_ span: SpanRecord) { history.record(span) }
    mutating func record(_ request: RequestRecord) { history.record(request) }
    mutating func record(gap: Seconds, tokens: Int) { history.record(gap: gap, tokens: tokens) }
    mutating func record(rows: [StepRow], instance: Int32, iteration: Int64) { self.rows.append(rows) }
  }

  @Test func manyPoliciesRunOnPipelines() {
    #expect(Self.cases.count >= 40 * 8)
    #expect(
      PolicyCatalog.entries.filter { !$0.runsInPipelines }.map(\.name).sorted() == ["sglang", "trtllm"])
  }

  @Test(arguments: cases) func theInvariantsHold(_ it: InvariantTests.Case) throws {
    let history = try it.run()
    #expect(history.requests.map(\.request.id).sorted() == it.random.requests.map(\.id))
    let times = history.tokenTimes
    for record in history.completed {
      let own = times[record.request.id, default: []]
      let ascends = zip(own, own.dropFirst()).allSatisfy { $0 < $1 }
      #expect(own.count == record.request.outputTokens && ascends, "request \(record.request.id): \(own)")
      #expect(own.first == record.firstTokenAt && own.last == record.completedAt)
      #expect(record.longestGap == zip(own, own.dropFirst()).map { $1 - $0 }.max() ?? 0)
      #expect(record.request.arrival <= record.scheduledAt && record.scheduledAt < record.firstTokenAt)
    }
    let reported = history.gaps.flatMap { Array(repeating: $0.seconds, count: $0.tokens) }.sorted()
    let gaps = times.values.flatMap { times in zip(times, times.dropFirst()).map { $1 - $0 } }
    let difference = firstDifference(reported.map(\.description), gaps.sorted().map(\.description))
    #expect(difference == nil)
    let used = history.iterations.map { Int($0.kvBlocksUsed) }
    #expect((used.max() ?? 0) <= it.random.cost.kvBlocks)
    let joules = (
      history.requests.reduce(0) { $0 + $1.joules }, history.iterations.reduce(0) { $0 + $1.joules }
    )
    #expect(isClose(joules.0, joules.1), "\(joules)")
  }

  /// No more steps are in flight than there are stages, they end in order, and no sequence decodes before its last step ended.
  @Test(arguments: cases) func noSequenceIsInTwoSteps(_ it: InvariantTests.Case) throws {
    var simulation = Simulation(
      instances: [it.random.instance(it.policy.makeScheduler())], requests: it.random.requests.makeIterator(),
      maxModelLength: it.random.maxModelLength, maxConcurrency: it.random.maxConcurrency)
    var recorder = RowHistory()
    try simulation.run(recorder: &recorder)
    let iterations = recorder.history.iterations
    let stages = it.random.pipeline?.stages.count ?? 0
    #expect(iterations.map(\.index) == (0..<Int64(iterations.count)).map { $0 })
    #expect(zip(iterations, iterations.dropFirst()).allSatisfy { $0.end <= $1.end && $0.start <= $1.start })
    #expect(zip(iterations, iterations.dropFirst(stages)).allSatisfy { $0.end <= $1.start })
    var lastEnd: [Int: Seconds] = [:]
    var faults: [Int] = []
    for (iteration, rows) in zip(iterations, recorder.rows) {
      for (place, row) in rows.enumerated() {
        if place < Int(iteration.decodeTokens), lastEnd[row.request] ?? 0 > iteration.start {
          faults.append(row.request)
        }
      }
      for row in rows { lastEnd[row.request] = iteration.end }
    }
    #expect(faults == [])
    #expect(recorder.rows.count == iterations.count)
  }

  /// Where a model is cut changes times, and not what is computed.
  @Test(arguments: cases.filter { $0.seed < 10 }) func cutsChangeNoTokens(_ it: InvariantTests.Case) throws {
    var whole = it
    whole.random.pipeline = nil
    func tokens(_ history: History) -> [String] {
      history.requests.sorted { $0.request.id < $1.request.id }
        .map { "\($0.request.id) \($0.status) \($0.request.outputTokens)" }
    }
    #expect(try tokens(it.run()) == tokens(whole.run()))
  }
}
