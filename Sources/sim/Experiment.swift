import CostModels
import Policies
import Serving
import Workloads

/// One run, ready to go: everything is read and checked, nothing is shared that could change.
struct Experiment: Sendable {
  var loaded: LoadedSystem
  let policy: Policy
  let workload: Workload
  let objective: ServiceObjective
  let kvBlocks: Int
  let maxSequences: Int
  let maxModelLength: Tokens
  let maxConcurrency: Int
  /// When the run is cut, in simulated seconds.
  let maxDuration: Seconds
  /// Whether the trace's rows are in random order.
  let isShuffled: Bool
  let drawRouting: Bool
  /// Whether the policy is asked before every iteration; the results are the same.
  var exactSteps = false

  /// The longest sequence that is not rejected.
  var longestSequence: Tokens {
    min(
      maxModelLength, kvBlocks * loaded.system.engine.keyValueBlockSize,
      policy.makeScheduler().longestSequence)
  }

  /// Runs it; what is to be kept of it is the recorder's to keep.
  ///
  /// `wrap` may put a cost model around the experiment's, to watch it.
  ///
  /// - Complexity: O(iterations + requests).
  func run<Kept: Recorder>(
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
struct SystemTotals: Sendable {
  /// What each kernel used.
  let kernels: [KernelUse]
  /// Energy drawn while nothing ran, in joules.
  let idleJoules: Joules
  /// Mean requests in the system as each arrives.
  let meanInSystem: Double
  /// Most requests in the system.
  let peakInSystem: Int

  /// Launches on one GPU.
  var kernelCalls: Int { kernels.reduce(0) { $0 + $1.calls } }
  /// Launches outside what was measured.
  var extrapolatedCalls: Int { kernels.reduce(0) { $0 + $1.extrapolatedCalls } }
}
