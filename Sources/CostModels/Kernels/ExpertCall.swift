/// The experts of some layers that compute a prefill beside some decode rows.
struct ExpertCall: Sendable {
  /// Decode rows; -1 before anything is known.
  var decodes = -1
  /// Number of layers.
  var layers = 0
  /// Distinct experts that they read, summed over the layers.
  var touched = 0.0
  /// The call in each of them.
  var launch = Launch()
}
