import CostModels
import Foundation
import Policies
import Serving
import Statistics
import Synchronization
import Testing
import Workloads

@testable import Experiments

/// Instances on several threads under routers that learn late of what happens.
@Suite(.timeLimit(.minutes(5))) struct LateReportTests {
  typealias Told = ParallelRunTests.Told

  static let delays: [Seconds] = [1e-3, 0.05, 2]
  /// Numbers of threads, with tapes that are never full, that are full every few events, or between two meetings.
  static let shapes = [(1, 20_000), (2, 20_000), (5, 20_000), (1, 4), (2, 1), (2, 30), (5, 4), (5, 100)]

  /// Five instances under engines and policies of several kinds; one run is cut, one rejects requests, one has prefix caches.
  private static func loaded(_ place: Int, router: String, seed: UInt64 = 0) throws -> LoadedExperiment {
    var experiment = ParallelRunTests.experiments[place]
    experiment.cluster.router = PolicySpecification(parsing: router)
    experiment.seed = seed
    return try Project.library.load(experiment)
  }

  /// A recorder is told the same, in the same order, for any number of threads.
  @Test(arguments: ["least-loaded", "power-of-two", "prefix", "kv", "adaptive"], delays)
  func aRecorderIsToldTheSame(router: String, delay: Seconds) throws {
    for place in ParallelRunTests.experiments.indices {
      let loaded = try Self.loaded(place, router: "\(router)[delay=\(delay)]", seed: UInt64(place))
      #expect(loaded.runsApart)
      var plain = Told()
      let totals = try loaded.run(recorder: &plain)
      #expect(plain.requests.count > 20)
      for (threads, tapeLength) in Self.shapes {
        var told = Told()
        let others = try ParallelRun(
          instances: 5, threads: threads, tapeLength: tapeLength,
          makeSimulation: loaded.makeSimulation(share:)
        ).run(recorder: &told)
        #expect(told == plain, "experiment \(place), \(threads) threads")
        #expect(others.kernels == totals.kernels && others.idleJoules == totals.idleJoules)
        #expect(others.meanInSystem == totals.meanInSystem && others.peakInSystem == totals.peakInSystem)
      }
    }
  }

  /// All figures of a run are the same; without a delay such routers run on one thread.
  @Test(arguments: ["least-loaded", "power-of-two", "prefix", "kv", "adaptive"])
  func figuresAreTheSame(_ router: String) throws {
    #expect(try !Self.loaded(4, router: router).runsApart)
    let loaded = try Self.loaded(4, router: "\(router)[delay=5]")
    #expect(loaded.threads(atMost: 5) == 5)
    let plain = try loaded.run()
    for threads in [2, 5] {
      let parallel = try loaded.run(threads: threads)
      #expect(parallel.instances == plain.instances)
      for ((name, a), (_, b)) in zip(parallel.summary.values, plain.summary.values) where name != "wall_s" {
        #expect(a == b, "\(name)")
      }
    }
  }

  /// Threads are as many as have some requests each from one meeting to the next.
  ///
  /// Of 20 a second that is all for windows of 5 s, two for 0.5 s, and one for 1 ms. Routers that look at nothing take all that
  /// there are.
  @Test func threadsHaveWork() throws {
    #expect(try Self.loaded(0, router: "kv[delay=5]").threads(atMost: 8) == 8)
    #expect(try Self.loaded(0, router: "kv[delay=0.5]").threads(atMost: 8) == 2)
    #expect(try Self.loaded(0, router: "kv[delay=0.001]").threads(atMost: 8) == 1)
    #expect(try Self.loaded(0, router: "kv").threads(atMost: 8) == 1)
    #expect(try Self.loaded(0, router: "random").threads(atMost: 8) == 8)
    #expect(try Self.loaded(0, router: "random").threads(atMost: 1) == 1)
  }

  /// Made-up requests to five instances whose steps all take a second: arrivals, ends of steps and the times at which
  /// reports get there fall together.
  private func simulation(
    seed: Int, router: String, delay: Seconds, exactly: Bool = false, share: Range<Int>?
  ) throws -> Simulation {
    var random = SplitMix64(seed: UInt64(seed), purpose: "late reports")
    var contents = PromptContents()
    var now = 0.0
    let requests = (0..<150).map { id in
      now += Double(random.index(below: 3)) / 2
      var request = Request(
        id: id, arrival: now, promptTokens: 1 + random.index(below: 200),
        outputTokens: 1 + random.index(below: 9))
      request.content = contents.append(
        [.init(begin: 0, source: random.index(below: 6))], length: request.promptTokens)
      return request
    }
    let memory = KVMemory(blocks: 60, blockSize: 16)
    let facts = RouterCatalog.Facts(instances: 5, contents: contents, blockSize: 16, seed: UInt64(seed))
    return Simulation(
      instances: (0..<5).map { _ in
        InstanceConfiguration(
          scheduler: ChunkedPrefill(budget: 128), costModel: UnitCostModel(layers: 1), memory: memory,
          maxSequences: 4, cache: PrefixCache(memory: memory, contents: contents))
      }, router: try RouterChoice(router).makeRouter(facts), requests: requests.makeIterator(),
      maxModelLength: 190, stopAt: seed % 3 == 0 ? 50 : .infinity,
      frontEnd: seed % 2 == 0 ? FrontEnd() : FrontEnd(seconds: 0.5, secondsPerToken: 1.0 / 128),
      fastForwards: !exactly, reportDelay: delay, share: share)
  }

  /// Random requests, for any number of threads; among the delays are some at which reports get there as a request is sent.
  ///
  /// What several instances tell of as requests come in together is told in any order.
  @Test(arguments: ["least-loaded", "power-of-two", "prefix", "kv"], [1e-20, 0.001, 0.5, 1, 2, 1000])
  func momentsThatFallTogetherAreOrderedAlike(router: String, delay: Seconds) throws {
    for seed in 0..<6 {
      var plain = Told()
      var whole = try simulation(seed: seed, router: router, delay: delay, share: nil)
      try whole.run(recorder: &plain)
      var exact = Told()
      var asked = try simulation(seed: seed, router: router, delay: delay, exactly: true, share: nil)
      try asked.run(recorder: &exact)
      #expect(exact.requests.sorted() == plain.requests.sorted())
      for (threads, tapeLength) in Self.shapes {
        let run = ParallelRun(instances: 5, threads: threads, tapeLength: tapeLength) { share in
          do {
            return try simulation(seed: seed, router: router, delay: delay, share: share)
          } catch {
            preconditionFailure("\(error)")
          }
        }
        var told = Told()
        _ = try run.run(recorder: &told)
        #expect(told.byInstance == plain.byInstance, "seed \(seed), \(threads) threads")
      }
    }
  }

  /// A failure on one thread is the failure of the run, the one that a single thread finds; all threads end.
  @Test(arguments: 0..<5, [0.01, 3]) func aFailureEndsAllThreads(failing: Int, delay: Seconds) throws {
    let requests = (0..<200).map {
      Request(id: $0, arrival: Double($0) / 8, promptTokens: 10, outputTokens: 3)
    }
    let alive = Alive()
    @Sendable func simulation(_ share: Range<Int>?) -> Simulation {
      Simulation(
        instances: (0..<5).map { place in
          InstanceConfiguration(
            scheduler: Tiring(
              inner: ChunkedPrefill(budget: 64), patience: place == failing ? 7 : .max,
              presence: Presence(alive)),
            costModel: UnitCostModel(layers: 1), memory: KVMemory(blocks: 100, blockSize: 16), maxSequences: 4
          )
        }, router: LeastLoadedRouter(), requests: requests.makeIterator(), fastForwards: false,
        reportDelay: delay, share: share)
    }
    func failure(_ run: () throws -> Void) throws -> SimulationError {
      try #require(throws: SimulationError.self) { try run() }
    }
    var plain = Told()
    let expected = try failure {
      var whole = simulation(nil)
      try whole.run(recorder: &plain)
    }
    for (threads, tapeLength) in Self.shapes {
      var told = Told()
      let found = try failure {
        _ = try ParallelRun(
          instances: 5, threads: threads, tapeLength: tapeLength, makeSimulation: simulation(_:)
        ).run(
          recorder: &told)
      }
      #expect(found == expected)
      // What was told within the event that failed is not on tape.
      #expect(plain.iterations.starts(with: told.iterations) && plain.requests.starts(with: told.requests))
      #expect(plain.iterations.count - told.iterations.count <= 1 && !told.requests.isEmpty)
    }
    for _ in 0..<2000 where alive.count.load(ordering: .relaxed) > 0 { usleep(5000) }
    #expect(alive.count.load(ordering: .relaxed) == 0, "threads go on")
  }

  /// A run that somebody stops ends, whichever thread sees the wish first.
  @Test(arguments: delays) func aWishEndsTheRun(delay: Seconds) throws {
    for (threads, tapeLength) in Self.shapes {
      var loaded = try Self.loaded(0, router: "least-loaded[delay=\(delay)]")
      let interruption = Interruption()
      loaded.interruption = interruption
      var impatient = Impatient(interruption: interruption, patience: 5)
      _ = try ParallelRun(
        instances: 5, threads: threads, tapeLength: tapeLength, makeSimulation: loaded.makeSimulation(share:)
      )
      .run(recorder: &impatient)
      #expect(impatient.requests >= 5 && interruption.isRequested)
    }
  }
}

/// How many simulations there are.
private final class Alive: Sendable {
  let count = Atomic(0)
}

/// Counts as long as it is held.
private final class Presence: Sendable {
  private let alive: Alive

  init(_ alive: Alive) {
    self.alive = alive
    alive.count.add(1, ordering: .relaxed)
  }

  deinit { alive.count.subtract(1, ordering: .relaxed) }
}

/// A policy that plans nothing any more after some plans.
private struct Tiring: Scheduler {
  var inner: any Scheduler
  var patience: Int
  let presence: Presence

  mutating func plan(_ view: borrowing InstanceView, into plan: inout StepPlan) {
    patience -= 1
    if patience >= 0 { inner.plan(copy view, into: &plan) }
  }
}

extension ParallelRunTests.Told {
  /// What each instance tells, in its order, and gaps and requests in an order of their own.
  fileprivate var byInstance: Self {
    var other = self
    other.iterations = (0..<5).flatMap { i in iterations.filter { $0.instance == i } }
    other.spans = (0..<5).flatMap { i in spans.filter { $0.instance == i } }
    other.requests.sort()
    let pairs = stride(from: 0, to: gaps.count, by: 2).map { (gaps[$0], gaps[$0 + 1]) }
    other.gaps = pairs.sorted(by: <).flatMap { [$0.0, $0.1] }
    return other
  }
}
