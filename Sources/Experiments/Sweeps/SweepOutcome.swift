import Serving

/// The outcome of a point.
package enum SweepOutcome: Sendable {
  /// It ran.
  case finished(CapacityFigures)
  /// Its policy broke down; nothing of it was kept.
  case failed(SimulationError)
}
