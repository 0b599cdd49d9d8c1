/// What an iteration costs.
///
/// Bytes, operations and joules are of all GPUs together.
public struct Cost: Sendable, Hashable {
  /// How long the iteration takes, host time included.
  public var seconds: Seconds = 0
  /// How long its kernels take.
  public var kernelSeconds: Seconds = 0
  /// Distinct experts read, summed over the layers.
  public var experts: Double = 0
  /// Expert weights read.
  public var expertBytes: Double = 0
  /// Other weights read.
  public var weightBytes: Double = 0
  /// KV entries read and written.
  public var kvBytes: Double = 0
  /// Activations read and written, and bytes exchanged between GPUs.
  public var activationBytes: Double = 0
  /// Energy that the decode rows share equally.
  public var decodeRowJoules: Joules = 0
  /// Energy that the decode rows share in proportion to their contexts.
  public var decodeContextJoules: Joules = 0
  /// Energy that the prefill rows share equally.
  public var prefillRowJoules: Joules = 0
  /// Energy that the prefill rows share in proportion to what they attend to.
  public var prefillContextJoules: Joules = 0
  /// Part of ``expertBytes`` that the decode rows share equally; the prefill rows share the rest.
  public var decodeExpertBytes: Double = 0

  /// Creates the cost of nothing.
  public init() {}

  /// Energy.
  public var joules: Joules {
    decodeRowJoules + decodeContextJoules + prefillRowJoules + prefillContextJoules
  }
}
