import Policies
import Serving
import Testing

/// SGLang's and TensorRT-LLM's scheduling, worked out by hand.
///
/// A step takes one second.
@Suite struct OtherEnginesTests {
  private func run(
    _ scheduler: any Scheduler, _ requests: [(Seconds, Tokens, Tokens)], blocks: Int = 1000,
    blockSize: Int = 16,
    rules: EngineRules = EngineRules(), cached: Bool = false
  ) throws -> History {
    let memory = KVMemory(blocks: blocks, blockSize: blockSize)
    var contents = PromptContents()
    let content = contents.append([.init(begin: 0, source: 1)], length: nil)
    let workload = requests.enumerated().map {
      var request = Request(
        id: $0.offset, arrival: $0.element.0, promptTokens: $0.element.1, outputTokens: $0.element.2)
      if cached { request.content = content }
      return request
    }
    return try PoliciesTests.run(
      [
        InstanceConfiguration(
          scheduler: scheduler, costModel: UnitCostModel(), memory: memory, rules: rules,
          cache: cached ? PrefixCache(memory: memory, contents: contents) : nil)
      ], workload)
  }

  private func steps(_ history: History) -> [String] {
    history.iterations.map { "P\($0.prefillTokens) of \($0.prefillSequences) D\($0.decodeTokens)" }
  }

  private var retracting: EngineRules {
    var rules = EngineRules()
    rules.order = .byAdmission
    rules.victim = .fewestOutputs
    return rules
  }

  /// The second request comes while the first one decodes; its prompt has a step to itself.
  @Test func promptsGoBeforeDecodeSteps() throws {
    let history = try run(SGLangScheduling(chunk: 512), [(0, 20, 4), (1.5, 30, 2)])
    #expect(
      steps(history) == ["P20 of 1 D0", "P0 of 0 D1", "P30 of 1 D0", "P0 of 0 D2", "P0 of 0 D1"])
  }

  /// Requests are looked for every fourth decode step, and at once after prompts.
  ///
  /// One that comes in the second decode step waits for two more, and another one that came later goes with it.
  @Test func requestsAreLookedForNowAndThen() throws {
    let requests: [(Seconds, Tokens, Tokens)] = [(0, 20, 30), (2.5, 30, 20), (4.5, 10, 20), (5.5, 8, 20)]
    let history = try run(SGLangScheduling(chunk: 512, receiveInterval: 4), requests)
    let decode = Array(repeating: "P0 of 0 D1", count: 4)
    #expect(Array(steps(history).prefix(7)) == ["P20 of 1 D0"] + decode + ["P40 of 2 D0", "P8 of 1 D0"])
    #expect(history.requests.allSatisfy { $0.status == .completed })
    // A server on which nothing runs looks all the time.
    let idle = try run(SGLangScheduling(chunk: 512, receiveInterval: 1000), [(0, 20, 3), (9.5, 30, 2)])
    #expect(idle[request: 1]?.scheduledAt == 9.5)
  }

  /// Steps that are skipped end where the next look is: every tenth decode step, and not when the first request has ended.
  @Test(arguments: [true, false]) func looksEndWhatIsSkipped(fastForwards: Bool) throws {
    let instance = InstanceConfiguration(
      scheduler: SGLangScheduling(chunk: 512, receiveInterval: 10), costModel: ToyCost().model,
      memory: ToyCost().memory)
    let requests = [(0.0, 400), (0.255, 5), (1.003, 5)].enumerated().map {
      Request(id: $0.offset, arrival: $0.element.0, promptTokens: 20, outputTokens: $0.element.1)
    }
    var simulation = Simulation(
      instances: [instance], requests: requests.makeIterator(), fastForwards: fastForwards)
    var history = History()
    try simulation.run(recorder: &history)
    // A step takes 10 ms, the first is the prompt's, and looks are at 0.11, 0.21 and 0.31 s. The prompt that is found there
    // has a step, and looks go on from it.
    #expect(abs((history[request: 1]?.scheduledAt ?? 0) - 0.31) < 1e-9)
    #expect(abs((history[request: 2]?.scheduledAt ?? 0) - 1.02) < 1e-9)
  }

  /// The prompt that is cut goes on first, and shares its last step with the next one, which is cut in turn.
  @Test func onePromptIsUnfinished() throws {
    let history = try run(SGLangScheduling(chunk: 64), [(0, 100, 1), (0, 50, 1)])
    #expect(steps(history) == ["P64 of 1 D0", "P64 of 2 D0", "P22 of 1 D0"])
  }

  /// Four blocks: both have written two tokens when the second one needs its third block; its prompt is the longer one.
  @Test func theOneThatHasWrittenLeastIsRetracted() throws {
    let history = try run(
      SGLangScheduling(chunk: 512, share: 0.01, isFixed: true), [(0, 16, 40), (0, 31, 20)], blocks: 4,
      rules: retracting)
    #expect(history.completed.count == 2)
    #expect(history[request: 0]?.preemptions == 0)
    #expect(history[request: 1]?.preemptions == 1)
    #expect(steps(history).prefix(3) == ["P47 of 2 D0", "P0 of 0 D2", "P0 of 0 D1"])
  }

  /// Three quarters of eight blocks are not enough for two requests that may write 64 tokens each.
  @Test func theEstimateOfOutputsKeepsARequestWaiting() throws {
    let history = try run(
      SGLangScheduling(chunk: 512, share: 1, isFixed: true), [(0, 16, 64), (0, 16, 64)], blocks: 8,
      rules: retracting)
    #expect(history[request: 1]?.scheduledAt == history[request: 0]?.completedAt)
    #expect(history.requests.allSatisfy { $0.preemptions == 0 })
  }

  /// Retraction takes the longest prompt.
  ///
  /// Of nine blocks of 16 two are free after the prompts; the third request needs its third block in the third decode step,
  /// when each has written three tokens, and the longest prompt is retracted. The two that are left have written 6 of 64, and
  /// 20 each are counted as written: a share of 46/64. It would let the prompt of 67 and its 60 more in beside the first one
  /// only when that has ended; the share of all three, 49/124, would do so many steps earlier.
  @Test func aRetractionEstimatesOutputsByThoseThatAreLeft() throws {
    let history = try run(
      SGLangScheduling(chunk: 512, share: 0.01), [(0, 16, 60), (0, 64, 60), (0, 30, 4)], blocks: 9,
      rules: retracting)
    #expect((0..<3).map { history[request: $0]?.preemptions } == [0, 1, 0])
    let again = try #require(history.iterations.dropFirst().first { $0.prefillSequences > 0 })
    #expect(again.prefillTokens == 67)
    #expect(again.start == history[request: 0]?.completedAt)
  }

  /// Of 40 tokens two blocks of 16 are found, and the rest is computed.
  @Test func thePrefixOfAnEarlierPromptIsFound() throws {
    let history = try run(SGLangScheduling(chunk: 512), [(0, 40, 1), (5, 40, 1)], cached: true)
    #expect(history[request: 1]?.cachedTokens == 32)
    #expect(steps(history) == ["P40 of 1 D0", "P8 of 1 D0"])
  }

  /// Each may come to hold four of six blocks of 32: the second one starts when the first one has ended.
  @Test func aRequestStartsIfNobodyCanEverLoseMemory() throws {
    let requests = [(0.0, 64, 64), (0.0, 64, 64)]
    let careful = try run(TRTLLMScheduling(budget: 8192), requests, blocks: 6, blockSize: 32)
    #expect(careful[request: 1]?.scheduledAt == careful[request: 0]?.completedAt)
    #expect(careful.requests.allSatisfy { $0.preemptions == 0 })
    let bold = try run(TRTLLMScheduling(budget: 8192, evicts: true), requests, blocks: 6, blockSize: 32)
    #expect(bold[request: 1]?.scheduledAt == 0)
    #expect(bold[request: 1]?.preemptions == 1)
  }

  /// A prompt of 30 does not fit beside one of 80 in a budget of 100, and is not cut.
  @Test func promptsAreWhole() throws {
    let history = try run(TRTLLMScheduling(budget: 100), [(0, 80, 2), (0, 30, 1), (0, 101, 1)])
    #expect(steps(history) == ["P80 of 1 D0", "P30 of 1 D1"])
    #expect(history[request: 2]?.status == .rejected)
    let chunked = try run(TRTLLMScheduling(budget: 100, isChunked: true), [(0, 80, 2), (0, 30, 1)])
    #expect(steps(chunked) == ["P100 of 2 D0", "P10 of 1 D1"])
  }

  /// A request that may lose its memory comes back with all that it has written, as one prompt: where that could exceed the
  /// budget it is refused at once, and holds nobody up.
  @Test func aRequestThatCouldNotComeBackIsRefused() throws {
    let requests = [(0.0, 80, 40), (0.0, 80, 20)]
    let bold = try run(TRTLLMScheduling(budget: 100, evicts: true), requests)
    #expect((0..<2).map { bold[request: $0]?.status } == [.rejected, .completed])
    for scheduler in [
      TRTLLMScheduling(budget: 100), TRTLLMScheduling(budget: 100, isChunked: true, evicts: true),
    ] {
      #expect(try run(scheduler, requests).completed.count == 2)
    }
  }

  /// With a step planned ahead, a request that comes during the first step begins after the second one.
  @Test func overlapDelaysANewcomerByAStep() throws {
    var rules = EngineRules()
    let requests = [(0.0, 16, 5), (0.5, 16, 1)]
    #expect(try run(TRTLLMScheduling(budget: 512), requests, rules: rules)[request: 1]?.scheduledAt == 1)
    rules.stepsInFlight = 2
    #expect(try run(TRTLLMScheduling(budget: 512), requests, rules: rules)[request: 1]?.scheduledAt == 2)
  }
}
