import Policies
import Serving
import Testing
import Workloads

@testable import Experiments

/// The price of anarchy and its estimate.
@Suite struct AnarchyTests {
  /// Pigou's network: one server whose latency is the share of requests that it gets, one of latency 1.
  ///
  /// The selfish all take the first, at 1 each; the best is half and half, 3/4 each.
  @Test(arguments: [2, 10, 40]) func pigouCostsFourThirds(requests: Int) {
    let best = AnarchyEstimate.optimum(requests: requests, instances: 2) { instance, count in
      instance == 0 ? Double(count * count) / Double(requests) : Double(count)
    }
    #expect(abs(Double(requests) / best - 4 / 3) < 1e-9)
  }

  /// Two requests that were sent crosswise cost 6 where 2 would do.
  @Test func theEstimateGivesTheSamePlacesToOthers() {
    let crosswise = [
      RoutingLog.Decision(request: 0, latencies: [1, 3], chosen: 1),
      RoutingLog.Decision(request: 1, latencies: [3, 1], chosen: 0),
    ]
    #expect(AnarchyEstimate.ratios(of: crosswise, window: 2) == [3])
    // Alone in its window, a request cannot change places with anybody.
    #expect(AnarchyEstimate.ratios(of: crosswise, window: 1) == [1, 1])
    #expect(AnarchyEstimate.ratios(of: crosswise, window: 64) == [3])
    #expect(AnarchyEstimate.ratios(of: [], window: 4).isEmpty)
  }

  func study(_ replicas: Int, requests: Int, rate: Double, seed: UInt64 = 0) throws -> PriceOfAnarchy {
    let workload = WorkloadSpecification(
      trace: "sharegpt", requestRate: rate, numPrompts: requests, seed: seed)
    let cluster = ClusterSpecification(ClusterSpecification.Pool(instances: replicas))
    return PriceOfAnarchy(
      try Project.library.load(Experiment(workload: workload, cluster: cluster)))
  }

  @Test func oneInstanceHasNoAnarchy() throws {
    let study = try study(1, requests: 20, rate: 10)
    #expect(study.assignments == 1)
    let best = try #require(try study.optimum())
    #expect(try study.run(RouterChoice("selfish"), window: 8).meanLatency == best.meanLatency)
  }

  /// Three equal instances and six requests: sets of at most three, 1 + 31 + 90.
  @Test func equalInstancesAreTriedOnce() throws {
    #expect(try study(3, requests: 6, rate: 1).assignments == 122)
    #expect(try study(8, requests: 40, rate: 1).assignments == nil)
  }

  /// No router beats the best of all assignments; at low load the selfish reach it within a hundredth.
  @Test(arguments: [0.02, 40], [UInt64(0), 1]) func thePriceIsOneAtLeast(rate: Double, seed: UInt64) throws {
    let study = try study(2, requests: 8, rate: rate, seed: seed)
    let best = try #require(try study.optimum())
    for entry in RouterCatalog.entries {
      let outcome = try study.run(RouterChoice(entry.name), window: 8)
      #expect(outcome.meanLatency >= best.meanLatency)
      #expect(outcome.estimates.allSatisfy { $0 >= 1 })
    }
    let selfish = try study.run(RouterChoice("selfish"), window: 8)
    if rate < 1 { #expect(selfish.meanLatency < 1.01 * best.meanLatency) }
    let improved = try study.improved(selfish, runs: 60)
    #expect((best.meanLatency...selfish.meanLatency).contains(improved.meanLatency))
  }

  /// Moving single requests stops where no single move helps, here after nine tenths of the way to the best of all assignments.
  @Test(arguments: [UInt64(1), 2, 7]) func movingRequestsComesNearTheBest(seed: UInt64) throws {
    let study = try study(3, requests: 6, rate: 40, seed: seed)
    let best = try #require(try study.optimum())
    let starts = try ["round-robin", "selfish"].map { try study.run(RouterChoice($0), window: 8) }
    let start = try #require(starts.min { $0.meanLatency < $1.meanLatency })
    let gap = start.meanLatency - best.meanLatency
    #expect(gap > 0)
    let improved = try study.improved(start, runs: 200)
    #expect((0...0.1 * gap).contains(improved.meanLatency - best.meanLatency))
  }
}
