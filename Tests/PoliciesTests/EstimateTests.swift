import Policies
import Serving
import Synchronization
import Testing

/// A scheduler that asks what plans would take, and makes those of another one.
private struct Curious: Scheduler {
  /// What the plans that were made would take; shared by copies.
  final class Estimates: Sendable {
    private let list = Mutex<[StepCost]>([])
    func append(_ cost: StepCost) { list.withLock { $0.append(cost) } }
    var all: [StepCost] { list.withLock { $0 } }
  }

  let estimates = Estimates()
  var inner: any Scheduler

  init(_ inner: any Scheduler) { self.inner = inner }

  var longestSequence: Tokens { inner.longestSequence }
  func repeats(_ view: InstanceView) -> Repeats { .no }

  mutating func plan(_ view: InstanceView, into plan: inout StepPlan) {
    for limit in 1...9 {
      var other = StepPlan(view)
      other.decode(view, atMost: limit)
      if limit > 5, let prompt = other.promptOrNext(0, view) {
        other.prefill(prompt, tokens: prompt.done..<prompt.tokens, layers: 0..<view.layers)
      }
      if !other.isEmpty { _ = view.estimate(other) }
    }
    inner.plan(view, into: &plan)
    if !plan.isEmpty { estimates.append(view.estimate(plan)) }
  }
}

/// What a plan would take can be asked, is what it takes, and asking changes nothing.
@Suite struct EstimateTests {
  static let policies: [any Scheduler] = [
    ChunkedPrefill(budget: 64), LayeredPrefill(cohort: 512, stages: 12), HybridPrefill(chunk: 50, groups: 3),
    OrcaBatching(budget: 4096), StaticBatching(batch: 4, budget: 100),
  ]

  @Test(arguments: 0..<60, [false, true]) func estimatesComeTrueToTheBit(seed: Int, evicts: Bool) throws {
    var random = RandomCase(seed: seed)
    if evicts { random.retention = .random(using: &random) }
    for policy in Self.policies { try expectTrueEstimates(policy, random) }
  }

  /// Where sequences are served one after another, as in vLLM, those that find no memory sit a step out.
  @Test(arguments: 0..<60) func estimatesOfThoseThatAreServedInTurnComeTrue(seed: Int) throws {
    var random = RandomCase(seed: seed)
    random.rules.order = .byAdmission
    try expectTrueEstimates(VLLMScheduling(budget: random.budget), random)
  }

  private func expectTrueEstimates(_ policy: any Scheduler, _ random: RandomCase) throws {
    let curious = Curious(policy)
    let asked = try random.run(curious)
    let plain = try random.run(policy)
    let isSame =
      asked.iterations == plain.iterations && "\(asked.requests)" == "\(plain.requests)"  // nan is not nan
    #expect(isSame, "\(policy)")
    let costs = curious.estimates.all
    #expect(costs.count == asked.iterations.count)
    let wrong = zip(asked.iterations, costs).first {
      $0.start + $1.seconds != $0.end || $0.kvBytes != $1.kvBytes
    }
    #expect(wrong == nil)
  }
}

/// The chunk is as large as the limit on the gap allows, and no larger.
@Suite struct DeadlinePrefillTests {
  let cost = LoadedCost(kvBlocks: 10_000)
  let limit = 2000 * LoadedCost.tick

  func run(_ policy: any Scheduler) throws -> History {
    try PoliciesTests.run(policy, [(0, 10, 400), (0.001, 3000, 3), (0.002, 500, 20)], cost: cost)
  }

  @Test func gapsStayUnderTheLimitAndChunksReachIt() throws {
    let history = try run(DeadlinePrefill(longestGap: limit, budget: 8192))
    let mixed = history.iterations.filter { $0.decodeTokens > 0 && $0.prefillTokens > 0 }
    #expect(mixed.count > 3)
    for iteration in mixed { #expect(iteration.seconds <= limit) }
    // A chunk ends with its prompt or at the limit, which another token would exceed: it attends to up to 3,000 others.
    let full = mixed.filter { $0.outputTokens == $0.decodeTokens }
    #expect(!full.isEmpty)
    for iteration in full { #expect(iteration.seconds > 0.75 * limit) }
    #expect(history.completed.count == 3)
    for request in history.completed { #expect(request.longestGap <= limit) }
  }

  @Test func aTighterLimitMeansSmallerChunks() throws {
    let wide = try run(DeadlinePrefill(longestGap: limit, budget: 8192)).iterations.map(\.prefillTokens).max()
    let tight = try run(DeadlinePrefill(longestGap: limit / 2, budget: 8192))
    let largest = tight.iterations.filter { $0.decodeTokens > 0 }.map(\.prefillTokens).max() ?? 0
    #expect(largest > 0)
    #expect(largest < wide ?? 0)
  }

  /// With nothing to decode no one waits, and the prompt goes through at once.
  @Test func aPromptAloneIsNotCut() throws {
    let history = try PoliciesTests.run(
      DeadlinePrefill(longestGap: limit, budget: 8192), [(0, 5000, 2)], cost: LoadedCost(kvBlocks: 10_000))
    #expect(history.iterations.map(\.prefillTokens) == [5000, 0])
  }
}
