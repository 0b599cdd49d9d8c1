import Policies
import Serving
import Testing

/// What holds for every policy in the catalog and any workload; `Tests/INVARIANTS.md` says why.
@Suite struct InvariantTests {
  /// A policy with random parameters, and a random workload: one for each entry of the catalog and each seed.
  struct Case: CustomTestStringConvertible {
    let seed: Int
    let policy: Policy
    var random: RandomCase

    init(_ entry: PolicyCatalog.Entry, seed: Int) throws {
      var random = RandomCase(seed: seed)
      var policy = try Policy(entry.name)
      for parameter in entry.parameters {
        let isBudget = parameter.name == entry.batchedTokens
        let value =
          switch parameter.kind {
          case .count: "\(isBudget ? random.pick(random.budget, 8192) : random.pick(1...16))"
          case .countOrNone: "\(random.pick(0, random.pick(1...100)))"
          case .milliseconds: "\(Double(random.pick(1...400)) / 100)"
          case .word(let words): words[random.pick(0...words.count - 1)]
          }
        try policy.set(parameter.name, to: value)
      }
      if seed % 3 > 0 { random.rules.order = .byAdmission }
      random.rules.stepsInFlight = seed % 3 == 2 ? 2 : 1
      self.seed = seed
      self.policy = try policy.resolved(layers: random.cost.layers, maxModelLength: random.maxModelLength)
      self.random = random
    }

    var testDescription: String { "\(policy), seed \(seed)" }
  }

  static let cases = PolicyCatalog.entries.flatMap { entry in
    (0..<60).compactMap { try? Case(entry, seed: $0) }
  }

  @Test func everyPolicyOfTheCatalogHasItsCases() {
    let count = Self.cases.count
    #expect(count == 60 * PolicyCatalog.entries.count)
  }

  @Test(arguments: cases) func everyTokenPassesEveryLayerOnceInOrder(_ it: Case) throws {
    let witness = Witness(it.policy.makeScheduler())
    let history = try it.random.run(witness)
    let faults = witness.testimony.faults
    #expect(faults == [])
    let computed = history.requests.reduce(0) { $0 + Int($1.preemptions) } + history.completed.count
    let prompts = witness.testimony.prompts
    // A prompt that is preempted on its way is not computed twice as a whole, and one whose last token is on its way not again.
    let whole = computed - witness.testimony.restarts
    #expect(it.random.rules.stepsInFlight > 1 ? prompts <= whole : prompts == whole)
    let positions = witness.testimony.positions
    let prefilled = history.completed.reduce(0) { $0 + $1.request.promptTokens }
    #expect(prompts > history.completed.count ? positions > prefilled : positions == prefilled)
  }

  @Test(arguments: cases) func everyOutputTokenComesOnce(_ it: Case) throws {
    let history = try it.run()
    let times = history.tokenTimes
    for record in history.completed {
      let own = times[record.request.id, default: []]
      let ascends = zip(own, own.dropFirst()).allSatisfy { $0 < $1 }
      #expect(own.count == record.request.outputTokens && ascends, "request \(record.request.id): \(own)")
      #expect(own.first == record.firstTokenAt && own.last == record.completedAt)
      let longest = zip(own, own.dropFirst()).map { $1 - $0 }.max() ?? 0
      #expect(record.longestGap == longest)
    }
    let out = history.iterations.reduce(0) { $0 + Int($1.outputTokens) }
    let wanted = history.completed.reduce(0) { $0 + $1.request.outputTokens }
    #expect(out == wanted)
  }

  @Test(arguments: cases) func memoryIsNeverOverdrawn(_ it: Case) throws {
    let history = try it.run()
    let used = history.iterations.map { Int($0.kvBlocksUsed) }
    let most = used.max() ?? 0
    let least = used.min() ?? 1
    #expect(least >= 1)
    #expect(most <= it.random.cost.kvBlocks)
  }

  @Test(arguments: cases) func everyRequestEndsOnce(_ it: Case) throws {
    let history = try it.run()
    let ids = history.requests.map(\.request.id).sorted()
    #expect(ids == it.random.requests.map(\.id))
    for record in history.requests {
      let sent = it.random.requests[record.request.id]
      #expect(record.request.promptTokens == sent.promptTokens)
      #expect(record.request.outputTokens == sent.outputTokens)
      #expect(record.request.arrival >= sent.arrival)
    }
  }

  @Test(arguments: cases) func timeGoesForward(_ it: Case) throws {
    let history = try it.run()
    let lasts = history.iterations.allSatisfy { $0.start < $0.end }
    #expect(lasts)
    let follows = zip(history.iterations, history.iterations.dropFirst()).allSatisfy { $0.end <= $1.start }
    #expect(follows)
    let indices = history.iterations.map(\.index)
    #expect(indices == (0..<Int64(indices.count)).map { $0 })
  }

  @Test(arguments: cases) func effectsFollowCauses(_ it: Case) throws {
    for r in try it.run().completed {
      let times = [r.request.arrival, r.scheduledAt, r.firstTokenAt, r.completedAt]
      let isOrdered = times[0] <= times[1] && times[1] < times[2] && times[2] <= times[3]
      #expect(isOrdered, "request \(r.request.id): \(times)")
    }
  }

  /// Even while a policy admits prompts long before it works on them.
  @Test(arguments: cases) func aRequestIsScheduledWhenItsFirstTileRuns(_ it: Case) throws {
    let witness = Witness(it.policy.makeScheduler())
    let history = try it.random.run(witness)
    let prefills = history.spans.filter { $0.phase == .prefill }
    let recorded = prefills.map { history.iterations[Int($0.firstIteration)].start }.sorted()
    let seen = witness.testimony.starts.sorted()
    let difference = firstDifference(recorded.map(\.description), seen.map(\.description))
    #expect(difference == nil)
    let strays = history.completed.filter { !seen.contains($0.scheduledAt) }.map(\.request.id)
    #expect(strays == [])
  }

  @Test(arguments: cases) func sharesAddUp(_ it: Case) throws {
    let history = try it.run()
    let joules = (
      history.requests.reduce(0) { $0 + $1.joules }, history.iterations.reduce(0) { $0 + $1.joules }
    )
    #expect(isClose(joules.0, joules.1), "\(joules)")
    let bytes = (
      history.requests.reduce(0) { $0 + $1.expertBytes }, history.iterations.reduce(0) { $0 + $1.expertBytes }
    )
    #expect(isClose(bytes.0, bytes.1), "\(bytes)")
  }

  @Test(arguments: cases) func everyGapIsReportedOnce(_ it: Case) throws {
    let history = try it.run()
    let reported = history.gaps.flatMap { Array(repeating: $0.seconds, count: $0.tokens) }.sorted()
    let gaps = history.tokenTimes.values.flatMap { times in zip(times, times.dropFirst()).map { $1 - $0 } }
    let difference = firstDifference(reported.map(\.description), gaps.sorted().map(\.description))
    #expect(difference == nil)
    let wanted = history.completed.reduce(0) { $0 + $1.request.outputTokens - 1 }
    #expect(reported.count == wanted)
  }

  @Test(arguments: cases) func theSameInputsGiveTheSameRecords(_ it: Case) throws {
    let (first, second) = (try it.run(), try it.run())
    #expect(first.iterations == second.iterations)
    #expect(first.spans == second.spans)
    let records = firstDifference(
      first.requests.map { "\($0)" }, second.requests.map { "\($0)" })
    #expect(records == nil)
  }
}

extension InvariantTests.Case {
  func run() throws -> History { try random.run(policy.makeScheduler()) }
}
