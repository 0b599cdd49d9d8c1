import Serving

/// The figures of a run that a search for capacity uses.
package struct CapacityFigures: Sendable, Hashable {
  /// Share of requests that met the objective.
  package var attainment: Double
  /// Mean power of all GPUs.
  package var watts: Double
  /// Energy per token, input and output, in millijoules.
  package var millijoulesPerToken: Double
  /// Requests that were not done when the run was cut.
  package var unfinished: Int

  package init(attainment: Double, watts: Double, millijoulesPerToken: Double, unfinished: Int) {
    self.attainment = attainment
    self.watts = watts
    self.millijoulesPerToken = millijoulesPerToken
    self.unfinished = unfinished
  }

  package init(_ summary: RunSummary) {
    attainment = summary[.attainment]
    watts = summary[.energy] / max(summary[.duration], .leastNonzeroMagnitude)
    let perToken = summary[.energyPerToken]
    millijoulesPerToken = perToken.isNaN ? .infinity : perToken
    unfinished = summary.metrics.unfinished
  }
}
