import Dispatch
import Foundation
import ResultStore
import Serving
import Statistics
import Synchronization
import Workloads

/// How far each figure of a run may be off because the cost model is unsure: 90 % intervals over draws of it.
///
/// Every draw sees the same traffic. What is drawn, and how widely, is said by ``LoadedSystem/perturbed(seed:draw:)``.
package struct Uncertainty: Sendable {
  /// A figure, as the run has it, and what 5 % and 95 % of the draws stay below.
  package struct Figure: Sendable {
    package let name: String
    package let central: Double
    package let interval: Interval
  }

  /// The number of draws.
  package let draws: Int
  /// The figures that differ between draws, in the order of the summary.
  package let figures: [Figure]

  /// Runs an experiment under draws of its system, on all cores.
  ///
  /// - Parameters:
  ///   - experiment: The experiment, whose workload's seed is the draws' too.
  ///   - summary: Its own figures.
  ///   - draws: How many draws.
  /// - Throws: What a run of it throws.
  /// - Complexity: that of `draws` runs.
  package init(of experiment: LoadedExperiment, summary: RunSummary, draws: Int) throws {
    let outcomes = Mutex([Result<[(String, RunValue)], any Error>?](repeating: nil, count: draws))
    DispatchQueue.concurrentPerform(iterations: draws) { draw in
      let outcome = Result { try Self.figures(of: experiment, like: summary, draw: draw) }
      outcomes.withLock { $0[draw] = outcome }
    }
    var columns: [String: [Double]] = [:]
    for outcome in outcomes.withLock({ $0 }) {
      for (name, value) in try outcome?.get() ?? [] {
        if let number = value.number { columns[name, default: []].append(number) }
      }
    }
    self.draws = draws
    figures = summary.values.compactMap { name, value in
      guard !Self.left.contains(name), !name.hasPrefix("std_"), let central = value.number,
        let values = columns[name]?.sorted(), values.count == draws, values[0] < values[draws - 1]
      else { return nil }
      let interval = Interval(ofDraws: values, tails: 0.05)
      // What is most likely is always among what is possible.
      return Figure(
        name: name, central: central,
        interval: Interval(low: min(interval.low, central), high: max(interval.high, central)))
    }
  }

  /// Keys and values for the database.
  package var values: [(String, RunValue)] {
    [("uncertainty_draws", RunValue(draws))]
      + figures.flatMap {
        [("\($0.name)_p5", RunValue($0.interval.low)), ("\($0.name)_p95", RunValue($0.interval.high))]
      }
  }

  /// Figures that tell nothing of the system that is served.
  private static let left = Set(
    [RunFigure.wall, .kvBlocks, .kernelCalls, .extrapolatedKernelCalls].map(\.name))

  private static func figures(
    of experiment: LoadedExperiment, like summary: RunSummary, draw: Int
  ) throws -> [(String, RunValue)] {
    var drawn = experiment
    drawn.loaded = try experiment.loaded.perturbed(seed: experiment.workload.seed, draw: draw)
    return try drawn.run(percentiles: summary.percentiles).summary.values
  }
}
