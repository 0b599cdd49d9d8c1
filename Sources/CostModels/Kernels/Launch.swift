import Serving

/// What one launch of a kernel takes on one GPU, or several launches together.
///
/// The figures lie in one vector, so that adding launches up is one instruction or two.
struct Launch: Sendable {
  private(set) var values = SIMD8<Double>.zero
  /// The part of time and energy that follows the clock: what is bound by arithmetic.
  var clocked = SIMD2<Double>.zero

  /// Creates what nothing takes, but for a number of launches.
  init(calls: Double = 0) { values[0] = calls }

  /// Creates what a ledger has added up.
  init(_ values: SIMD8<Double>) { self.values = values }

  /// How many launches.
  var calls: Double { values[0] }
  /// How many of them lay outside what was measured.
  var extrapolated: Double {
    get { values[1] }
    set { values[1] = newValue }
  }
  /// Energy above idle.
  var joules: Joules {
    get { values[2] }
    set { values[2] = newValue }
  }
  /// Floating-point operations.
  var flops: Double {
    get { values[3] }
    set { values[3] = newValue }
  }
  /// Time.
  var seconds: Seconds {
    get { values[4] }
    set { values[4] = newValue }
  }
  /// Weights read, in bytes.
  var weightBytes: Double {
    get { values[5] }
    set { values[5] = newValue }
  }
  /// KV entries read and written, in bytes.
  var kvBytes: Double {
    get { values[6] }
    set { values[6] = newValue }
  }
  /// Activations read and written, and bytes exchanged, in bytes.
  var activationBytes: Double {
    get { values[7] }
    set { values[7] = newValue }
  }

  /// Time and bytes, which is what an iteration's cost is made of.
  var charge: Charge { Charge(values: values.highHalf, clocked: clocked) }

  /// All bytes moved.
  var bytes: Double { weightBytes + kvBytes + activationBytes }

  @inline(__always)
  static func += (a: inout Launch, b: Launch) {
    a.values += b.values
    a.clocked += b.clocked
  }

  static func + (a: Launch, b: Launch) -> Launch {
    var sum = a
    sum += b
    return sum
  }

  /// Adds a launch that happens `n` times.
  @inline(__always)
  mutating func add(_ other: Launch, times n: Double) {
    values += other.values * n
    clocked += other.clocked * n
  }
}
