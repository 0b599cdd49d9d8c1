import CostModels
import Serving
import Statistics
import Systems

/// The result of a run.
///
///     let result = try library.load(experiment).run()
///     print(result.summary[.meanTimeToFirstToken], result.metrics.interTokenLatency.percentile(99))
public struct RunResult: Sendable {
  /// The figures that are reported and stored.
  public let summary: RunSummary
  /// The first few requests that were turned away.
  public let rejected: [Request]
  /// What each instance did.
  public let instances: [InstanceShare]
  /// KV entries that went from one instance to another.
  public let transfers: TransferTotals
  /// The first iterations, if they were drawn.
  package let drawing: ScheduleDrawing?

  /// The distributions and counts behind the figures.
  public var metrics: RunMetrics { summary.metrics }
  /// What kernels and idle time used.
  public var totals: SystemTotals { summary.totals }

  init(
    _ experiment: LoadedExperiment, recorder: RunRecorder, totals: SystemTotals, wall: Duration,
    percentiles: [Double]
  ) {
    summary = RunSummary(
      metrics: recorder.metrics, totals: totals, energyQuality: experiment.loaded.energyQuality,
      cachesPrefixes: experiment.loaded.system.engine.scheduling.cachesPrefixes,
      kvBlocks: experiment.kvBlocks, wall: wall.seconds, percentiles: percentiles)
    instances = recorder.shares ?? [InstanceShare(recorder.metrics)]
    transfers = recorder.transfers
    rejected = recorder.rejected
    drawing = recorder.drawing
  }
}
