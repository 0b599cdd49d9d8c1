import Policies
import Serving
import Statistics
import Workloads

/// The same requests under several routers, held against the best that is known.
package struct PriceOfAnarchy {
  /// What one way of routing came to.
  package struct Outcome: Sendable {
    /// The router, or how its assignment was found.
    package var name: String
    /// Mean time from arrival to last token, and to the first one.
    package var meanLatency: Seconds
    package var meanTimeToFirstToken: Seconds
    package var percentile99: Seconds
    /// Share of prompt tokens that caches had.
    package var hitRate: Double
    /// The frozen-latency estimates of its windows; empty where it was not asked for.
    package var estimates: [Double] = []
    /// Real time that the run took.
    package var wall: Seconds
    /// The instance of each request.
    package var instances: [Int]
  }

  /// Most assignments that are tried one by one.
  package static let mostAssignments = 200_000

  private let experiment: LoadedExperiment

  /// Creates a comparison.
  ///
  /// - Parameter experiment: the requests and the cluster.
  package init(_ experiment: LoadedExperiment) { self.experiment = experiment }

  /// Runs the requests under a router.
  ///
  /// - Parameters:
  ///   - choice: the router.
  ///   - name: what the outcome calls it; `nil` for the router's own text.
  ///   - window: decisions of a window of the estimate.
  /// - Returns: what came out.
  /// - Throws: if the policy breaks the engine's rules.
  /// - Complexity: that of a run.
  package func run(_ choice: RouterChoice, name: String? = nil, window: Int) throws -> Outcome {
    let log = RoutingLog()
    var outcome = try run(name: name ?? choice.description, reportDelay: choice.delay) { facts in
      MeteredRouter(choice.makeRouter(facts), facts: facts, log: log)
    }
    for decision in log.decisions where decision.request < outcome.instances.count {
      outcome.instances[decision.request] = decision.chosen
    }
    outcome.estimates = AnarchyEstimate.ratios(of: log.decisions, window: window)
    return outcome
  }

  /// How many assignments there are that differ by more than the names of equal instances; `nil` if too many.
  package var assignments: Int? {
    let (requests, instances) = (experiment.workload.count, experiment.specification.cluster.pool.instances)
    // Ways to put so many requests into at most so many sets.
    var counts = [1] + Array(repeating: 0, count: instances)
    for _ in 0..<requests {
      var next = Array(repeating: 0, count: instances + 1)
      for used in 0...instances where counts[used] > 0 {
        next[used] += counts[used] * used
        if used < instances { next[used + 1] += counts[used] }
      }
      counts = next
      if counts.reduce(0, +) > Self.mostAssignments { return nil }
    }
    return counts.reduce(0, +)
  }

  /// The best of all assignments, each simulated.
  ///
  /// - Parameter progress: advanced by each run.
  /// - Returns: what came out of the best.
  /// - Throws: if the policy breaks the engine's rules.
  /// - Complexity: that of ``assignments`` runs.
  package func optimum(progress: (any RunProgress)? = nil) throws -> Outcome? {
    let (requests, instances) = (experiment.workload.count, experiment.specification.cluster.pool.instances)
    var assignment = Array(repeating: 0, count: requests)
    var best: Outcome?
    func tryAll(from place: Int, used: Int) throws {
      guard place < requests else {
        let outcome = try run(assignment, name: "optimum")
        progress?.advance(by: 1)
        if outcome.meanLatency < best?.meanLatency ?? .infinity { best = outcome }
        return
      }
      for instance in 0..<min(used + 1, instances) {
        assignment[place] = instance
        try tryAll(from: place + 1, used: max(used, instance + 1))
      }
    }
    try tryAll(from: 0, used: 0)
    return best
  }

  /// Moves single requests to other instances as long as that helps.
  ///
  /// - Parameters:
  ///   - start: where it begins.
  ///   - runs: most simulations.
  ///   - progress: advanced by each run.
  /// - Returns: what came out of the best, `start` itself if nothing was better.
  /// - Throws: if the policy breaks the engine's rules.
  /// - Complexity: that of `runs` runs.
  package func improved(_ start: Outcome, runs: Int, progress: (any RunProgress)? = nil) throws -> Outcome {
    let (requests, instances) = (start.instances.count, experiment.specification.cluster.pool.instances)
    var best = start
    best.name = "improved"
    var (made, sinceBetter, place) = (0, 0, 0)
    while made < runs, sinceBetter < requests * (instances - 1) {
      let request = (place / max(instances - 1, 1)) % requests
      var trial = best.instances
      trial[request] = (best.instances[request] + 1 + place % max(instances - 1, 1)) % instances
      place += 1
      let outcome = try run(trial, name: "improved")
      made += 1
      progress?.advance(by: 1)
      sinceBetter += 1
      if outcome.meanLatency < best.meanLatency { (best, sinceBetter) = (outcome, 0) }
    }
    return best
  }

  private func run(_ assignment: [Int], name: String) throws -> Outcome {
    var outcome = try run(name: name) { _ in AssignedRouter(assignment) }
    outcome.instances = assignment
    return outcome
  }

  private func run(
    name: String, reportDelay: Seconds = 0, _ routing: @escaping (RouterCatalog.Facts) -> any Router
  ) throws -> Outcome {
    let started = ContinuousClock.now
    var metrics = RunMetrics(objective: experiment.objective)
    var staging = LoadedExperiment.Staging(routing: routing)
    staging.reportDelay = reportDelay
    _ = try experiment.run(recorder: &metrics, staging: staging)
    return Outcome(
      name: name, meanLatency: metrics.endToEnd.mean, meanTimeToFirstToken: metrics.timeToFirstToken.mean,
      percentile99: metrics.timeToFirstToken.percentile(99),
      hitRate: Double(metrics.cachedTokens) / Double(max(metrics.inputTokens, 1)),
      wall: (ContinuousClock.now - started).seconds,
      instances: Array(repeating: 0, count: experiment.workload.count))
  }
}
