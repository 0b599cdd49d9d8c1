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
  /// How each class of requests fared; empty where all are alike.
  public let classes: [ClassShare]
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
    var totals = totals
    if let windowed = recorder.windowed {
      totals.idleJoules = windowed.idleJoules(
        of: totals.idleJoules, whole: recorder.metrics,
        instances: experiment.specification.cluster.instanceCount, overlaps: totals.pipeline != nil)
    }
    summary = RunSummary(
      metrics: recorder.windowed?.metrics ?? recorder.metrics, whole: recorder.metrics,
      totals: totals, energyQuality: experiment.loaded.energyQuality,
      cachesPrefixes: experiment.loaded.system.engine.scheduling.cachesPrefixes,
      kvBlocks: experiment.kvBlocks, wall: wall.seconds, percentiles: percentiles)
    var instances = recorder.shares ?? [InstanceShare(recorder.metrics)]
    for (i, use) in zip(instances.indices, totals.pipelines) {
      if let use { instances[i].busySeconds = use.activeSeconds }
    }
    self.instances = instances
    classes = recorder.classes ?? []
    transfers = recorder.transfers
    rejected = recorder.rejected
    drawing = recorder.drawing
  }
}
