import Serving

/// The time and the bytes of some launches on one GPU, and what of their time and energy follows the clock.
struct Charge: Sendable {
  /// Seconds; bytes of weights, of KV entries, and of activations.
  private var values = SIMD4<Double>.zero
  private(set) var clocked = SIMD2<Double>.zero

  /// The charge for nothing.
  init() {}

  init(values: SIMD4<Double>, clocked: SIMD2<Double>) {
    self.values = values
    self.clocked = clocked
  }

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
  mutating func add(_ launch: Launch, times n: Double) {
    values += launch.charge.values * n
    clocked += launch.clocked * n
  }

  /// Adds a launch that happens `n` times and does not follow the clock.
  @inline(__always)
  mutating func add(unclocked launch: Launch, times n: Double) { values += launch.values.highHalf * n }
}
