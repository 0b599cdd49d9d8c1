import SimCore

/// What one launch of a kernel takes on one GPU, or several launches together.
struct Launch: Sendable {
  /// How many launches.
  var calls = 0.0
  /// How many of them lay outside what was measured.
  var extrapolated = 0.0
  /// Time.
  var seconds: Seconds = 0
  /// Energy above idle.
  var joules: Joules = 0
  /// Floating-point operations.
  var flops = 0.0
  /// Weights read, in bytes.
  var weightBytes = 0.0
  /// KV entries read and written, in bytes.
  var kvBytes = 0.0
  /// Activations read and written, and bytes exchanged, in bytes.
  var activationBytes = 0.0

  /// All bytes moved.
  var bytes: Double { weightBytes + kvBytes + activationBytes }

  static func += (a: inout Launch, b: Launch) { a.add(b, times: 1) }

  /// Adds a launch that happens `n` times.
  mutating func add(_ other: Launch, times n: Double) {
    calls += other.calls * n
    extrapolated += other.extrapolated * n
    seconds += other.seconds * n
    joules += other.joules * n
    flops += other.flops * n
    weightBytes += other.weightBytes * n
    kvBytes += other.kvBytes * n
    activationBytes += other.activationBytes * n
  }
}
