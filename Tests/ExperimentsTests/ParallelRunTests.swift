import CostModels
import Policies
import Serving
import Statistics
import Testing
import Workloads

@testable import Experiments

/// Instances on several threads.
@Suite struct ParallelRunTests {
  /// All that a recorder is told, in order.
  struct Told: Recorder, Equatable {
    var iterations: [IterationRecord] = []
    var gaps: [Double] = []
    var spans: [SpanRecord] = []
    /// In words, since times that there never were equal nothing.
    var requests: [String] = []

    mutating func record(_ iteration: IterationRecord) { iterations.append(iteration) }
    mutating func record(gap: Seconds, tokens: Int) { gaps += [gap, Double(tokens)] }
    mutating func record(_ span: SpanRecord) { spans.append(span) }
    mutating func record(_ request: RequestRecord) { requests.append("\(request)") }
  }

  /// Five instances under policies, engines and routers of several kinds; one run is cut, and one rejects requests.
  static let experiments: [Experiment] = [
    experiment("sharegpt", 20, "vllm", "vllm") { _ in },
    experiment("sharegpt", 20, "chunked", "nano-vllm") {
      $0.cluster.router = "random"
    },
    experiment("arxiv", 10, "layered", "nano-vllm") { $0.limits.maxDuration = 4 },
    experiment("sharegpt", 20, "sglang", "sglang") { $0.cluster.pool.system.maxModelLength = 2000 },
    experiment("mooncake", 6, "vllm", "vllm") { $0.system.engineSettings["cache.prefixes"] = true },
  ]

  static func experiment(
    _ trace: String, _ rate: Double, _ policy: String, _ engine: String, _ change: (inout Experiment) -> Void
  ) -> Experiment {
    var experiment = Experiment(trace: trace, requestRate: rate, policy: PolicySpecification(policy))
    experiment.workload.numPrompts = 80
    experiment.system.engine = engine
    experiment.cluster.pool.instances = 5
    change(&experiment)
    return experiment
  }

  /// A recorder is told the same, in the same order, by one simulation and by simulations of shares on threads.
  @Test(arguments: experiments.indices) func aRecorderIsToldTheSame(_ place: Int) throws {
    let loaded = try Project.library.load(Self.experiments[place])
    #expect(loaded.runsApart)
    var plain = Told()
    let totals = try loaded.run(recorder: &plain)
    #expect(plain.requests.count > 20 && Set(plain.iterations.map(\.instance)).count == 5)
    for threads in [1, 2, 5, 8] {
      var told = Told()
      let others = try ParallelRun(
        instances: 5, threads: threads, makeSimulation: loaded.makeSimulation(share:)
      ).run(recorder: &told)
      let areEqual = (
        requests: told.requests == plain.requests, spans: told.spans == plain.spans,
        gaps: told.gaps == plain.gaps,
        iterations: told.iterations == plain.iterations
      )
      #expect(areEqual == (true, true, true, true), "\(threads) threads")
      #expect(others.kernels == totals.kernels)
      #expect(others.idleJoules == totals.idleJoules && others.layerUses == totals.layerUses)
      #expect(others.meanInSystem == totals.meanInSystem && others.peakInSystem == totals.peakInSystem)
    }
  }

  /// All figures of a run are the same for any number of threads, of all routers: those that look at what instances do
  /// run on one.
  @Test(arguments: RouterCatalog.entries.map(\.name).filter { $0 != "offload" })
  func figuresAreTheSame(_ router: String) throws {
    var experiment = Self.experiments[0]
    experiment.cluster.router = PolicySpecification(router)
    let loaded = try Project.library.load(experiment)
    #expect(loaded.runsApart == ["round-robin", "random"].contains(router))
    let plain = try loaded.run()
    for threads in [2, 5] {
      let parallel = try loaded.run(threads: threads)
      #expect(parallel.instances == plain.instances)
      #expect(parallel.summary.values.map(\.0) == plain.summary.values.map(\.0))
      for ((name, a), (_, b)) in zip(parallel.summary.values, plain.summary.values) where name != "wall_s" {
        #expect(a == b, "\(name)")
      }
    }
  }

  /// Requests that are turned away in a burst are named by their numbers, whatever thread tells of them first.
  @Test func theFirstThatAreTurnedAwayAreTheSame() throws {
    var experiment = Self.experiments[0]
    experiment.workload.requestRate = .infinity
    experiment.cluster.pool.system.maxModelLength = 2000
    let loaded = try Project.library.load(experiment)
    let plain = try loaded.run().rejected.map(\.id)
    #expect(plain.count == 5 && plain == plain.sorted())
    for threads in [2, 3, 5] { #expect(try loaded.run(threads: threads).rejected.map(\.id) == plain) }
  }

  /// Instances that know of each other do not run apart.
  @Test func whoIsKnownDoesNotRunApart() throws {
    func runsApart(_ change: (inout Experiment) -> Void) throws -> Bool {
      var experiment = Self.experiments[0]
      change(&experiment)
      return try Project.library.load(experiment).runsApart
    }
    #expect(try runsApart { _ in })
    #expect(try !runsApart { $0.cluster.pool.instances = 1 })
    #expect(try !runsApart { $0.limits.maxConcurrency = 3 })
    #expect(try !runsApart { $0.cluster.pool.system.drawsRouting = true })
  }

  /// The earliest failure of a policy is the one that is reported, and the threads of the others end.
  @Test func theFirstFailureIsReported() throws {
    let requests = (0..<8).map { Request(id: $0, arrival: Double($0), promptTokens: 10, outputTokens: 3) }
    for threads in [1, 2, 4] {
      let run = ParallelRun(instances: 4, threads: threads) { share in
        Simulation(
          instances: (0..<4).map { _ in
            InstanceConfiguration(
              scheduler: Idler(), costModel: UnitCostModel(layers: 1),
              memory: KVMemory(blocks: 10, blockSize: 16),
              maxSequences: 4)
          }, requests: requests.makeIterator(), share: share)
      }
      var told = Told()
      #expect(throws: SimulationError.stalled(at: 0, unfinished: 1)) { try run.run(recorder: &told) }
    }
  }
}

/// A policy that plans nothing.
private struct Idler: Scheduler {
  mutating func plan(_ view: borrowing InstanceView, into plan: inout StepPlan) {}
}
