import CostModels
import Policies
import ResultStore
import Serving
import Statistics
import Systems

/// One policy's run in a comparison.
package struct CompareRun {
  package let policy: String
  package let result: RunResult
  package let requests: [RequestRecord]
  package let iterations: [CompareIterations.Kind: CompareIterations]

  /// Runs an experiment; what `writer` keeps of it is still to be finished.
  package init(_ experiment: LoadedExperiment, writer: RunWriter?, progress: (any RunProgress)?) throws {
    let started = ContinuousClock.now
    var recorder = CompareRecorder(
      run: RunRecorder(
        metrics: RunMetrics(objective: experiment.objective), writer: writer, progress: progress),
      layers: experiment.loaded.system.shard.model.layers)
    recorder.run.measure(experiment.specification.limits.window)
    let totals = try experiment.run(recorder: &recorder, keepsLayerUses: true)
    policy = experiment.policy.description
    result = RunResult(
      experiment, recorder: recorder.run, totals: totals, wall: ContinuousClock.now - started,
      percentiles: [99])
    requests = recorder.requests
    iterations = recorder.iterations
  }

  /// The figures of the run.
  package var summary: RunSummary { result.summary }
  /// Time in kernels, on one GPU.
  package var kernelSeconds: Seconds { summary.totals.kernels.reduce(0) { $0 + $1.seconds } }
  /// Time of iterations beyond their kernels.
  package var hostSeconds: Seconds { summary.busySeconds - kernelSeconds }
  /// Energy above idle.
  package var kernelJoules: Joules { summary.totals.kernels.reduce(0) { $0 + $1.joules } }
  /// Energy that flows whatever runs, from the first arrival to the end.
  package var idleJoules: Joules { summary.joules - kernelJoules }

  /// What a kernel used.
  package func kernel(_ name: String) -> KernelUse {
    summary.totals.kernels.first { $0.kernel == name } ?? KernelUse(kernel: name)
  }
}
