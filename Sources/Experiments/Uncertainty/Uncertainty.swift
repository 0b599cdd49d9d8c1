import Dispatch
import Foundation
import ResultStore
import Serving
import Statistics
import Synchronization
import Workloads

/// How far each figure of a run may be off, because the cost model is unsure: 90 % intervals over draws of it.
///
/// Every draw sees the same traffic. What is drawn, and how widely, says ``LoadedSystem/perturbed(seed:draw:)``.
package struct Uncertainty: Sendable {
  /// A figure, as the run has it, and what 5 % and 95 % of the draws stay below.
  package struct Interval: Sendable {
    package let name: String
    package let central: Double
    package let low: Double
    package let high: Double
  }

  /// How many draws.
  package let draws: Int
  /// The figures that differ between draws, in the order of the summary.
  package let intervals: [Interval]

  /// Runs an experiment under draws of its system, on all cores.
  ///
  /// - Parameters:
  ///   - experiment: The experiment, whose workload's seed is the draws' too.
  ///   - summary: What it came to.
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
      for (name, value) in try outcome?.get() ?? [] { columns[name, default: []] += Self.number(value) }
    }
    self.draws = draws
    intervals = summary.values.compactMap { name, value in
      guard !Self.left.contains(name), !name.hasPrefix("std_"), let central = Self.number(value).first,
        let values = columns[name]?.sorted(), values.count == draws, values[0] < values[draws - 1]
      else { return nil }
      return Interval(
        name: name, central: central, low: Self.quantile(values, 0.05), high: Self.quantile(values, 0.95))
    }
  }

  /// Keys and values for the database.
  package var values: [(String, RunValue)] {
    [("uncertainty_draws", RunValue(draws))]
      + intervals.flatMap { [("\($0.name)_p5", RunValue($0.low)), ("\($0.name)_p95", RunValue($0.high))] }
  }

  /// Figures that tell nothing of the system that is served.
  private static let left: Set = ["wall_s", "kv_blocks", "kernel_calls", "extrapolated_kernel_calls"]

  private static func figures(
    of experiment: LoadedExperiment, like summary: RunSummary, draw: Int
  ) throws -> [(String, RunValue)] {
    var drawn = experiment
    drawn.loaded = try experiment.loaded.perturbed(seed: experiment.workload.seed, draw: draw)
    return try drawn.run(percentiles: summary.percentiles).summary.values
  }

  private static func number(_ value: RunValue) -> [Double] {
    switch value {
    case .integer(let number): [Double(number)]
    case .real(let number): [number]
    case .text, .null: []
    }
  }

  private static func quantile(_ sorted: [Double], _ share: Double) -> Double {
    let position = share * Double(sorted.count - 1)
    let below = Int(position)
    let above = min(below + 1, sorted.count - 1)
    return sorted[below] + (position - Double(below)) * (sorted[above] - sorted[below])
  }
}
