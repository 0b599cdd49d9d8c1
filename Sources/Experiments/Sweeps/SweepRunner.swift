import Foundation
import ResultStore
import Serving
import Statistics
import Synchronization
import Workloads

/// Runs points on several threads, and appends each to a database as it finishes.
///
/// Threads share nothing while they simulate but the number of the next point; they write one at a time. A point is
/// in the database as a whole or not at all.
package struct SweepRunner {
  /// The database; `nil` keeps nothing.
  package let database: String?
  package let logLevel: LogLevel
  package let jobs: Int
  /// Limits whose figures the outcomes are to have.
  package let statistics: [LatencyLimit]

  package init(database: String?, logLevel: LogLevel, jobs: Int, statistics: [LatencyLimit] = []) {
    self.database = database
    self.logLevel = logLevel
    self.jobs = jobs
    self.statistics = statistics
  }

  /// What threads share.
  private final class Shared: Sendable {
    let outcomes = Mutex([Int: SweepOutcome]())
    let writing = Mutex(())
  }

  /// Runs the points.
  ///
  /// - Parameters:
  ///   - points: what to run.
  ///   - progress: advanced by each request.
  ///   - finished: called after each point, on its thread, with the number of points done.
  /// - Returns: what became of each, in their order.
  /// - Throws: if the database cannot be written; the points that are in it stay.
  package func run(
    _ points: [SweepPoint], progress: (any RunProgress)? = nil, finished: (@Sendable (Int) -> Void)? = nil
  ) throws -> [SweepOutcome] {
    let shared = Shared()
    try WorkerThreads(jobs).run(points.count) { next in
      let writer = try shared.writing.withLock { _ in
        try database.map { try RunWriter(path: $0, logLevel: logLevel) }
      }
      while let index = next() {
        let outcome = try run(points[index], writer: writer, writing: shared.writing, progress: progress)
        let done = shared.outcomes.withLock { outcomes in
          outcomes[index] = outcome
          return outcomes.count
        }
        finished?(done)
      }
    }
    return shared.outcomes.withLock { outcomes in points.indices.compactMap { outcomes[$0] } }
  }

  private func run(
    _ point: SweepPoint, writer: RunWriter?, writing: borrowing Mutex<Void>, progress: (any RunProgress)?
  ) throws -> SweepOutcome {
    let experiment = point.experiment
    let recorder = RunRecorder(
      metrics: RunMetrics(objective: experiment.objective), writer: writer, progress: progress)
    let result: RunResult
    do {
      result = try experiment.run(recorder, percentiles: percentiles)
    } catch {
      writer?.abandon()
      return .failed(error)
    }
    // Requests that a cut kept from being sent are done with as well.
    progress?.advance(by: max(0, experiment.workload.count - result.metrics.requests))
    let row = experiment.row(result, argv: point.commandLine)
    if let writer { _ = try writing.withLock { _ in try writer.finish(row, kernels: result.totals.kernels) } }
    return .finished(
      CapacityFigures(result.summary, statistics: statistics),
      values: Dictionary(row.summary) { first, _ in first })
  }

  /// The percentiles that runs store: the usual one, and those that are limited.
  private var percentiles: [Double] {
    [99] + Set(statistics.compactMap(\.percentile)).subtracting([50, 99]).sorted()
  }
}
