import Serving
import Synchronization

/// Runs of variants of an experiment on the same requests; each configuration runs once.
///
/// Several threads may ask at once.
package final class VariantRuns: Sendable {
  private let library: Library
  private let progress: (any RunProgress)?
  private let known = Mutex<[String: RequestMeans]>([:])

  /// Creates a collection without runs.
  ///
  /// - Parameters:
  ///   - library: where variants find their profiles.
  ///   - progress: advanced by each run.
  package init(library: Library, progress: (any RunProgress)? = nil) {
    self.library = library
    self.progress = progress
  }

  /// The experiment with something changed, on the same requests.
  ///
  /// - Throws: what ``Library/load(_:)`` throws where the change is not possible.
  package func variant(
    of experiment: LoadedExperiment, _ change: (inout Experiment) -> Void
  ) throws -> LoadedExperiment {
    var specification = experiment.specification
    change(&specification)
    var variant = try library.load(specification, workload: experiment.workload)
    variant.exactSteps = experiment.exactSteps
    variant.interruption = experiment.interruption
    return variant
  }

  /// The means of an experiment's run, which is made if it has not been yet.
  ///
  /// - Complexity: that of a run, the first time.
  package func means(of experiment: LoadedExperiment) throws(SimulationError) -> RequestMeans {
    let hash = experiment.configurationHash
    if let means = known.withLock({ $0[hash] }) { return means }
    var means = RequestMeans(objective: experiment.objective)
    _ = try experiment.run(recorder: &means)
    let result = means
    known.withLock { $0[hash] = result }
    progress?.advance(by: 1)
    return result
  }

  /// The number of runs that were made.
  package var count: Int { known.withLock { $0.count } }
}
