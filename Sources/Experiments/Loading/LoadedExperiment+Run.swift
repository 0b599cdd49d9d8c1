import Policies
import Serving
import Systems
import Workloads

extension LoadedExperiment {
  /// Runs it.
  ///
  /// - Parameters:
  ///   - percentiles: of the latencies in the summary, beside the median: numbers from 0 to 100.
  ///   - threads: most threads that instances run on, where none knows of another, or so late that it is of use; the
  ///     results are the same.
  /// - Returns: what came out.
  /// - Throws: if the policy breaks the engine's rules.
  /// - Complexity: O(iterations + requests).
  public func run(percentiles: [Double] = [99], threads: Int = 1) throws(SimulationError) -> RunResult {
    try run(
      RunRecorder(metrics: RunMetrics(objective: objective)), percentiles: percentiles, threads: threads)
  }

  /// Runs it with a recorder that may log, draw and show progress.
  ///
  /// Its parameters are those of ``run(percentiles:threads:)``.
  package func run(
    _ recorder: consuming RunRecorder, percentiles: [Double] = [99], threads: Int = 1
  ) throws(SimulationError) -> RunResult {
    let started = ContinuousClock.now
    var recorder = recorder
    let count = specification.cluster.instanceCount
    if !workload.classes.isEmpty { recorder.classes = workload.classes.map { ClassShare(name: $0.name) } }
    recorder.measure(specification.limits.window)
    if count > 1 { recorder.shares = Array(repeating: InstanceShare(), count: count) }
    let used = self.threads(atMost: threads)
    let totals =
      used > 1 && !recorder.wantsKernels && !recorder.wantsRows
      ? try ParallelRun(instances: count, threads: used, makeSimulation: makeSimulation(share:))
        .run(recorder: &recorder)
      : try run(recorder: &recorder)
    return RunResult(
      self, recorder: recorder, totals: totals, wall: ContinuousClock.now - started, percentiles: percentiles)
  }

  /// Runs it with a recorder of any kind.
  ///
  /// - Parameters:
  ///   - recorder: is told of everything.
  ///   - keepsLayerUses: whether to keep what layers use by what they carry.
  ///   - staging: what is otherwise than the experiment says.
  /// - Returns: what the recorder is not told.
  /// - Throws: if the policy breaks the engine's rules.
  /// - Complexity: O(steps + requests).
  package func run<Kept: Recorder>(
    recorder: inout Kept, keepsLayerUses: Bool = false, staging: Staging = Staging()
  ) throws(SimulationError) -> SystemTotals {
    var simulation = makeSimulation(staging)
    if keepsLayerUses { simulation.keepLayerUses() }
    try simulation.run(recorder: &recorder)
    return totals(of: simulation)
  }

  /// Runs it until a recorder has seen enough.
  ///
  /// - Parameters:
  ///   - recorder: is told of everything until then but kernels and rows of steps, which it must not want.
  ///   - hasSeenEnough: asked after each event; what has begun then is left where it is.
  /// - Returns: what the recorder is not told, of the part that was run.
  /// - Throws: if the policy breaks the engine's rules.
  /// - Complexity: O(steps + requests).
  package func run<Kept: Recorder>(
    recorder: inout Kept, until hasSeenEnough: (borrowing Kept) -> Bool
  ) throws(SimulationError) -> SystemTotals {
    var simulation = makeSimulation()
    while try simulation.step(recorder: &recorder), !hasSeenEnough(recorder) {}
    return totals(of: simulation)
  }

  private func totals(of simulation: borrowing Simulation) -> SystemTotals {
    SystemTotals(
      simulation.outcomes, further: simulation.limitUses, population: simulation.population)
  }

  /// What a simulation of an experiment does otherwise.
  package struct Staging {
    /// Makes a router from what is known; `nil` for the experiment's own.
    package var routing: ((RouterCatalog.Facts) -> any Router)?
    /// Seconds until that router learns of first tokens and ends.
    package var reportDelay: Seconds = 0
    /// The requests, in order of arrival; `nil` for the experiment's own.
    package var requests: [Request]?

    package init(routing: ((RouterCatalog.Facts) -> any Router)? = nil, requests: [Request]? = nil) {
      self.routing = routing
      self.requests = requests
    }
  }
}
