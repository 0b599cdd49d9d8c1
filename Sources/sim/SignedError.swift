/// How far a simulated figure is from the measured one, and how sure that is.
struct SignedError: Sendable, Hashable {
  /// What was compared: `ttft`.
  var metric: String
  /// Which figure of it: `mean`.
  var statistic: String
  var unit: String
  var measured: Double
  var simulated: Double
  /// Bounds of the error that hold 95 % of the bootstrap's draws.
  var low: Double
  var high: Double

  /// Simulated over measured, less one: positive where the simulator is too high.
  var error: Double { simulated / measured - 1 }
}
