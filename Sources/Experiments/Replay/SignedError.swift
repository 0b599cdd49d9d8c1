import Statistics

/// How far a simulated figure is from the measured one, and how sure that is.
package struct SignedError: Sendable, Hashable {
  /// What was compared: `ttft`.
  package var metric: String
  /// Which figure of it: `mean`.
  package var statistic: String
  package var unit: String
  package var measured: Double
  package var simulated: Double
  /// Bounds of the error that hold 95 % of the bootstrap's draws.
  package var interval: Interval

  /// Simulated over measured, less one: positive where the simulator is too high.
  package var error: Double { simulated / measured - 1 }
}
