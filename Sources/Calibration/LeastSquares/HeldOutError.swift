/// How far a prediction is off a measurement that the fit has not seen.
struct HeldOutError: Sendable, Hashable {
  /// Predicted over measured, minus one.
  var relative: Double
  /// The measured time.
  var seconds: Double

  /// What is left of the error, relative and without its sign, where the measurement may be off by as much as a tolerance.
  func beyond(_ tolerance: Double) -> Double {
    max(0, relative.magnitude * seconds - tolerance) / seconds
  }
}
