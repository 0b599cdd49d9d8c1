import Serving

/// The figures of a run that a search for capacity goes by.
package struct RunFigures: Sendable, Hashable {
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
    let metrics = summary.metrics
    let tokens = Double(metrics.inputTokens + metrics.outputTokens)
    attainment = metrics.attainment
    watts = summary.joules / max(metrics.duration, .leastNonzeroMagnitude)
    millijoulesPerToken = tokens > 0 ? summary.joules / tokens * 1000 : .infinity
    unfinished = metrics.unfinished
  }
}
