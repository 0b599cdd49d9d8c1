import ResultStore
import Serving

/// The outcome of a point.
package enum SweepOutcome: Sendable {
  /// It ran; what a search needs of it, and its figures by their names.
  case finished(CapacityFigures, values: [String: RunValue])
  /// Its policy broke down; nothing of it was kept.
  case failed(SimulationError)
}
