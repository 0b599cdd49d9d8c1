import Policies
import Serving
import Testing

@Suite struct OtherPoliciesTests {
  @Test func hybridTilesAreNeitherColumnsNorRows() throws {
    let drawn = try draw(HybridPrefill(chunk: 1024, groups: 2), [(0, 2048, 3)])
    #expect(
      drawn == """
        P.P.DD
        P.P.DD
        .P.PDD
        .P.PDD
        """)
  }

  /// Orca: the newcomer's whole prompt runs in the iteration that it joins.
  @Test func orcaPrefillsWholePrompts() throws {
    let drawn = try draw(OrcaBatching(budget: 8192), [(0, 100, 4), (0.015, 5000, 2)])
    #expect(
      drawn == """
        PDBD
        PDBD
        PDBD
        PDBD
        """)
  }

  @Test func orcaRejectsWhatWouldBlockForEver() throws {
    let history = try run(OrcaBatching(budget: 512), [(0, 600, 2), (0, 100, 2)])
    #expect(history[request: 0]?.status == .rejected)
    #expect(history[request: 1]?.status == .completed)
  }

  /// Two prompts whose decoders exceed the cap: prefill goes first, so the youngest decoders wait an iteration.
  @Test func orcaParksTheYoungest() throws {
    let history = try run(
      OrcaBatching(budget: 8192), [(0, 16, 4), (0, 16, 4), (0.015, 16, 4)], maxSequences: 2)
    #expect(history.iterations.map(\.decodeTokens) == [0, 2, 1, 2, 2, 1, 1])
    let gaps = history.requests.map { ($0.request.id, Int(($0.longestGap * 100).rounded())) }
    #expect(gaps.sorted { $0.0 < $1.0 }.map(\.1) == [1, 2, 2])
  }

  /// The third request waits until both of the first batch are done, the longer one too.
  @Test func staticBatchesRunToCompletion() throws {
    let drawn = try draw(
      StaticBatching(batch: 2, budget: 150), [(0, 100, 2), (0, 100, 4), (0.005, 100, 2)], rows: 1)
    #expect(
      drawn == """
        PPDDDPD
        """)
  }

  /// A tenant that comes late begins with what the tenant that was served least has had, not with nothing and not with the
  /// most: two steps for the first tenant's prompt, one for the second's, one for the second's next, then the newcomer's.
  @Test func fairShareHasNoCreditForPauses() throws {
    let prompts: [(tenant: Int16, arrival: Seconds, tokens: Tokens)] = [
      (0, 0, 200), (1, 0, 100), (0, 0, 200), (1, 0, 100), (2, 0.025, 100), (2, 0.025, 100), (0, 0.026, 200),
      (1, 0.026, 100),
    ]
    let requests = prompts.enumerated().map { id, prompt in
      var request = Request(
        id: id, arrival: prompt.arrival, promptTokens: prompt.tokens, outputTokens: 1)
      request.tenant = prompt.tenant
      return request
    }
    let cost = ToyCost()
    var simulation = Simulation(
      instances: [
        InstanceConfiguration(
          scheduler: FairPrefill(budget: 100), costModel: cost.model, memory: cost.memory)
      ], requests: requests.makeIterator())
    var history = History()
    try simulation.run(recorder: &history)
    let order = history.requests.sorted { $0.firstTokenAt < $1.firstTokenAt }.map(\.request.id)
    // Served so far: 200 and 100, and 100 for the newcomer; then each tenant has 200.
    #expect(Array(order.prefix(4)) == [0, 1, 3, 4])
    #expect(try #require(history[request: 4]).firstTokenAt < 0.051)
    // With no credit for its pause it does not take two in a row either: the first tenant's turn comes before.
    #expect(try #require(history[request: 2]).firstTokenAt < #require(history[request: 5]).firstTokenAt)
  }

  /// Twenty blocks of 4 entries, half of which may be used for another prompt to begin, and prompts of one block each: states
  /// take two blocks of a sequence more, and fewer prompts begin.
  @Test(arguments: [(0, 10), (2, 4)]) func memoryCentricBatchesCountStates(blocks: Int, prompts: Int) throws {
    let instance = InstanceConfiguration(
      scheduler: MemoryCentricBatching(budget: 8192, percent: 50), costModel: ToyCost().model,
      memory: KVMemory(blocks: 20, blockSize: 4, blocksPerSequence: blocks))
    let requests = (0..<12).map { Request(id: $0, arrival: 0, promptTokens: 4, outputTokens: 1) }
    var simulation = Simulation(instances: [instance], requests: requests.makeIterator())
    var history = History()
    try simulation.run(recorder: &history)
    #expect(history.iterations.first?.prefillTokens == Int32(4 * prompts))
    #expect(history.completed.count == 12)
  }
}
