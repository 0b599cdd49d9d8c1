import Policies
import Serving
import Testing

/// A run that is cut before its queue is empty.
@Suite struct CutRunTests {
  func run(stopAt: Seconds, maxConcurrency: Int = .max) throws -> History {
    // Iterations of 10 ms; a request every 4 ms, each with a token an iteration.
    let requests = (0..<20).map {
      Request(id: $0, arrival: 0.004 * Double($0), promptTokens: 16, outputTokens: 3)
    }
    let instance = InstanceConfiguration(
      scheduler: ChunkedPrefill(budget: 512), costModel: ToyCost().model, memory: ToyCost().memory)
    var simulation = Simulation(
      instances: [instance], requests: requests.makeIterator(), maxConcurrency: maxConcurrency,
      stopAt: stopAt)
    var recorder: any Recorder = History()
    try simulation.run(recorder: &recorder)
    return try #require(recorder as? History)
  }

  @Test func everyRequestSentIsReportedOnce() throws {
    let history = try run(stopAt: 0.035)
    // Those that arrive at 0, 4, ... 32 ms.
    #expect(history.requests.map(\.request.id).sorted() == Array(0..<9))
    // The iteration that is under way at the cut ends at 40 ms, and completes two more.
    #expect(history.completed.map(\.request.id).sorted() == [0, 1, 2])
    #expect(history.requests.filter { $0.status == .unfinished }.count == 6)
  }

  @Test func noIterationBeginsAfterTheCut() throws {
    let history = try run(stopAt: 0.035)
    #expect(history.iterations.allSatisfy { $0.start < 0.035 })
    // The one under way comes to its end.
    #expect((history.iterations.last?.end ?? 0) > 0.035)
  }

  /// Energy is shared among requests, those that were not completed included.
  @Test func joulesStillAddUp() throws {
    let history = try run(stopAt: 0.035)
    let shares = history.requests.reduce(0) { $0 + $1.joules }
    let total = history.iterations.reduce(0) { $0 + $1.joules }
    #expect(abs(shares - total) < 1e-9 * total)
  }

  /// Token times follow from spans for unfinished requests as well.
  @Test func spansTellTheTokensWritten() throws {
    let history = try run(stopAt: 0.035)
    let tokens = history.tokenTimes.values.reduce(0) { $0 + $1.count }
    #expect(tokens == history.iterations.reduce(0) { $0 + Int($1.outputTokens) })
  }

  @Test func requestsWithoutAClientAreUnfinished() throws {
    let history = try run(stopAt: 0.035, maxConcurrency: 1)
    #expect(history.requests.map(\.request.id).sorted() == Array(0..<9))
    #expect(history.completed.map(\.request.id) == [0])
  }

  @Test func aLateCutChangesNothing() throws {
    let cut = try run(stopAt: 100)
    let whole = try run(stopAt: .infinity)
    #expect(cut.requests == whole.requests)
    #expect(cut.iterations == whole.iterations)
  }
}
