import Policies
import TestSupport
import Testing

@testable import Serving

/// API servers in front of instances.
@Suite struct FrontEndTests {
  private func request(_ id: Int, _ tokens: Tokens, at time: Seconds) -> Request {
    Request(id: id, arrival: time, promptTokens: tokens, outputTokens: 1)
  }

  @Test func tokenisesOnePromptAfterAnother() {
    var server = FrontEnd(seconds: 0.5, secondsPerToken: 0.001)
    #expect(server.earliest(arrival: 2, promptTokens: 1000) == 3.5)
    #expect(server.pass(request(0, 1000, at: 2), to: 0) == 3.5)
    // The second waits for the first, but not for what else that one spends outside; the third finds an idle server.
    #expect(server.pass(request(1, 250, at: 2.5), to: 0) == 3.75)
    #expect(server.pass(request(2, 250, at: 9), to: 0) == 9.75)
    #expect(server.pass(request(3, 250, at: 2.5), to: 1) == 3.25, "another instance has a server of its own")
    #expect(FrontEnd().isImmediate && !server.isImmediate)
  }

  /// A long prompt on its way to one instance does not hold up a short one to another, and none is lost.
  ///
  /// The third request is there at 4.1 s, while the long prompt runs for a second.
  @Test func shortPromptsOvertakeOnOtherServers() throws {
    let requests = [
      request(0, 4000, at: 0), request(1, 100, at: 1), request(2, 100, at: 1), request(3, 100, at: 2),
    ]
    let instance = InstanceConfiguration(
      scheduler: ChunkedPrefill(budget: 8192), costModel: UnitCostModel(layers: 2),
      memory: KVMemory(blocks: 1024, blockSize: 16))
    var simulation = Simulation(
      instances: [instance, instance], requests: requests.makeIterator(),
      frontEnd: FrontEnd(seconds: 0, secondsPerToken: 0.001))
    var recorder = RequestCollector()
    try simulation.run(recorder: &recorder)
    let records = recorder.records.sorted { $0.request.id < $1.request.id }
    #expect(records.map(\.instance) == [0, 1, 0, 1])
    #expect(records.map { ($0.scheduledAt * 1000).rounded() } == [4000, 1100, 5000, 2100])
  }

  /// However times are rounded, no first token comes after the last: that of an answer in one lot comes with it.
  @Test func noFirstTokenComesAfterTheLast() {
    for tokens in 1...200 {
      for firstChunk in [2, 3, 7, 20, 199, 200, 1 << 20] {
        var record = RequestRecord(
          request: Request(id: 0, arrival: 0, promptTokens: 16, outputTokens: tokens))
        record.firstTokenAt = 0.1 + 1 / 3.0 / Double(tokens)
        let end = record.firstTokenAt + Double(tokens - 1) * 0.0043210123
        record.complete(at: end, firstChunk: firstChunk)
        #expect(record.firstTokenAt <= end)
        #expect((record.firstTokenAt == end) == (tokens <= firstChunk))
        if tokens > 1 { #expect(record.timePerOutputToken >= 0) }
      }
    }
  }

  /// A step takes a second, and the fourth token is out after four of them; an answer of two tokens ends before.
  @Test func firstTokensReachTheClientWithOthers() throws {
    func records(firstChunk: Int) throws -> [RequestRecord] {
      var rules = EngineRules()
      rules.firstChunkTokens = firstChunk
      let requests = [1, 2, 10].enumerated().map { id, tokens in
        Request(id: id, arrival: 0, promptTokens: 16, outputTokens: tokens)
      }
      var simulation = Simulation(
        instances: [
          InstanceConfiguration(
            scheduler: ChunkedPrefill(budget: 8192), costModel: UnitCostModel(layers: 2),
            memory: KVMemory(blocks: 1024, blockSize: 16), rules: rules)
        ], requests: requests.makeIterator())
      var recorder = RequestCollector()
      try simulation.run(recorder: &recorder)
      return recorder.records.sorted { $0.request.id < $1.request.id }
    }
    #expect(try records(firstChunk: 1).map(\.timeToFirstToken) == [1, 1, 1])
    let waiting = try records(firstChunk: 4)
    #expect(waiting.map(\.timeToFirstToken) == [1, 2, 4])
    #expect(waiting.map(\.endToEnd) == [1, 2, 10])
    #expect(abs(waiting[2].timePerOutputToken - 6.0 / 9) < 1e-12)
  }
}

private struct RequestCollector: Recorder {
  var records: [RequestRecord] = []
  mutating func record(_ iteration: IterationRecord) {}
  mutating func record(_ span: SpanRecord) {}
  mutating func record(_ request: RequestRecord) { records.append(request) }
}
