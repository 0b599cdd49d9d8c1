import Serving
import Testing

/// Admits the shortest waiting prompt first, and prefills it whole.
private struct ShortestFirst: Scheduler {
  mutating func plan(_ view: InstanceView, into plan: inout StepPlan) {
    plan.decode(view)
    while true {
      var shortest: Prompt?
      var next = view.waiting(after: nil)
      while let prompt = next {
        let isTaken = plan.admitted.contains { $0.slot == prompt.slot }
        if !isTaken, prompt.tokens < shortest?.tokens ?? .max { shortest = prompt }
        next = view.waiting(after: prompt)
      }
      guard let shortest, let prompt = plan.admit(shortest, view) else { return }
      plan.prefill(prompt, tokens: 0..<prompt.tokens, layers: 0..<view.layers)
    }
  }
}

/// Policies can look at every request that waits, and admit any of them.
@Suite struct QueueTests {
  /// A step takes 10 ms; memory holds 10 blocks of 16 tokens.
  @Test func anyWaitingRequestCanBeAdmitted() throws {
    let history = try run(
      ShortestFirst(), [(0, 90, 1), (0, 70, 1), (0, 30, 1), (0, 50, 1)], cost: ToyCost(kvBlocks: 10))
    // 30, 50 and 2 + 4 of 10 blocks are taken first; 70 needs 5 and must wait, as must 90.
    #expect(history.iterations.map(\.prefillTokens) == [80, 70, 90])
    #expect(history.iterations.map(\.queueLength) == [2, 1, 0])
  }

  /// Requests leave the queue from its middle, its end and its head, and come back to it.
  @Test func theQueueSurvivesAnyOrder() throws {
    let requests: [(Seconds, Tokens, Tokens)] = (0..<60).map { id in
      let (prompt, output) = (1 + (id * 37) % 100, 1 + (id * 13) % 30)
      return (0.003 * Double(id), prompt, output)
    }
    let history = try run(ShortestFirst(), requests, cost: ToyCost(kvBlocks: 40, blockSize: 4))
    #expect(history.completed.count == 60)
    let preemptions = history.requests.reduce(0) { $0 + $1.preemptions }
    #expect(preemptions > 0)
    let ids = Set(history.requests.map { $0.request.id })
    #expect(ids.count == 60)
  }

  /// The plan of a step sees what its own actions have left.
  @Test func aPlanFollowsItsOwnActions() throws {
    struct Looking: Scheduler {
      mutating func plan(_ view: InstanceView, into plan: inout StepPlan) {
        plan.decode(view)
        var heads: [Tokens] = []
        while let head = plan.nextWaiting(view) {
          heads.append(head.tokens)
          guard let prompt = plan.admitNext(view) else { break }
          plan.prefill(prompt, tokens: 0..<prompt.tokens, layers: 0..<view.layers)
        }
        if view.now == 0 {
          #expect(heads == [20, 30, 100])
          #expect(plan.freeBlocks == 10 - 2 - 2)
          #expect(view.memory.freeBlocks == 10)
          #expect(plan.promptCount(view) == 2)
          #expect(plan.prompt(1, view).tokens == 30)
        }
      }
    }
    let history = try run(Looking(), [(0, 20, 2), (0, 30, 2), (0, 100, 2)], cost: ToyCost(kvBlocks: 10))
    #expect(history.completed.count == 3)
  }
}
