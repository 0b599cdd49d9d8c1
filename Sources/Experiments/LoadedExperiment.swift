import CostModels
import Policies
import Serving
import Systems
import Workloads

/// One run, ready to go: everything is read and checked, nothing is shared that could change.
package struct LoadedExperiment: Sendable {
  package var loaded: LoadedSystem
  package let policy: Policy
  package let workload: Workload
  package let objective: ServiceObjective
  package let kvBlocks: Int
  package let maxSequences: Int
  package let maxModelLength: Tokens
  package let maxConcurrency: Int
  /// When the run is cut, in simulated seconds.
  package let maxDuration: Seconds
  /// Whether the trace's rows are in random order.
  package let isShuffled: Bool
  package let drawRouting: Bool
  /// Whether the policy is asked before every iteration; the results are the same.
  package var exactSteps: Bool

  package init(
    loaded: LoadedSystem, policy: Policy, workload: Workload, objective: ServiceObjective, kvBlocks: Int,
    maxSequences: Int, maxModelLength: Tokens, maxConcurrency: Int = .max, maxDuration: Seconds = .infinity,
    isShuffled: Bool = false, drawRouting: Bool = false, exactSteps: Bool = false
  ) {
    self.loaded = loaded
    self.policy = policy
    self.workload = workload
    self.objective = objective
    self.kvBlocks = kvBlocks
    self.maxSequences = maxSequences
    self.maxModelLength = maxModelLength
    self.maxConcurrency = maxConcurrency
    self.maxDuration = maxDuration
    self.isShuffled = isShuffled
    self.drawRouting = drawRouting
    self.exactSteps = exactSteps
  }

  /// The longest sequence that is not rejected.
  package var longestSequence: Tokens {
    min(
      maxModelLength, kvBlocks * loaded.system.engine.keyValueBlockSize,
      policy.makeScheduler().longestSequence)
  }

  /// Runs it; what is to be kept of it is the recorder's to keep.
  ///
  /// `wrap` may put a cost model around the experiment's, to watch it.
  ///
  /// - Complexity: O(iterations + requests).
  package func run<Kept: Recorder>(
    recorder: inout Kept, wrap: (KernelCostModel) -> any CostModel = { $0 }
  ) throws(SimulationError) -> SystemTotals {
    let costModel = KernelCostModel(
      system: loaded.system, calibration: loaded.calibration, routing: loaded.routing,
      drawSeed: drawRouting ? workload.seed : nil, kvBlocks: kvBlocks)
    let instance = InstanceConfiguration(
      scheduler: policy.makeScheduler(), costModel: wrap(costModel), maxSequences: maxSequences)
    var simulation = Simulation(
      instances: [instance], requests: workload.makeIterator(), maxModelLength: maxModelLength,
      maxConcurrency: maxConcurrency, stopAt: maxDuration, exactSteps: exactSteps)
    try simulation.run(recorder: &recorder)
    return SystemTotals(
      kernels: simulation.kernels, idleJoules: simulation.idleJoules, meanInSystem: simulation.meanInSystem,
      peakInSystem: simulation.peakInSystem)
  }
}

/// What a run leaves behind beside what its recorder was told.
package struct SystemTotals: Sendable {
  /// What each kernel used.
  package let kernels: [KernelUse]
  /// Energy drawn while nothing ran, in joules.
  package let idleJoules: Joules
  /// Mean requests in the system as each arrives.
  package let meanInSystem: Double
  /// Most requests in the system.
  package let peakInSystem: Int

  /// Launches on one GPU.
  package var kernelCalls: Int { kernels.reduce(0) { $0 + $1.calls } }
  /// Launches outside what was measured.
  package var extrapolatedCalls: Int { kernels.reduce(0) { $0 + $1.extrapolatedCalls } }
}
