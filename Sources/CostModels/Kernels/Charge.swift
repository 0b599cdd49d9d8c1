import Serving

/// The time and the bytes of some launches on one GPU.
struct Charge: Sendable {
  /// Seconds; bytes of weights, of KV entries, and of activations.
  private var values = SIMD4<Double>.zero

  /// The charge for nothing.
  init() {}

  init(values: SIMD4<Double>) { self.values = values }

  /// Time.
  var seconds: Seconds { values[0] }
  /// Weights read, in bytes.
  var weightBytes: Double { values[1] }
  /// KV entries read and written, in bytes.
  var kvBytes: Double { values[2] }
  /// Activations read and written, and bytes exchanged, in bytes.
  var activationBytes: Double { values[3] }

  /// Adds a launch that happens `n` times.
  @inline(__always)
  mutating func add(_ launch: Launch, times n: Double) { values += launch.charge.values * n }
}
