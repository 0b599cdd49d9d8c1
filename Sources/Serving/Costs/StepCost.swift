/// What a step costs on a system.
///
/// Bytes, operations and joules are of all GPUs together. A cost knows nothing of the steps before and after: the
/// instance's ``StepClock`` makes times of it, and adds the idle power that flows all the while.
public struct StepCost: Sendable, Hashable {
  /// How long its kernels take.
  public var kernelSeconds: Seconds = 0
  /// The part of ``kernelSeconds`` that grows as the clock falls: kernels that are bound by arithmetic.
  public var clockedSeconds: Seconds = 0
  /// The energy, without idle power, of that part.
  public var clockedJoules: Joules = 0
  /// How long the host takes to issue them; it does so while they run.
  public var launchSeconds: Seconds = 0
  /// How long the host prepares the step before the first kernel.
  public var hostSeconds: Seconds = 0
  /// How long the GPU waits for the host within the step, whatever is prepared ahead.
  public var exposedSeconds: Seconds = 0
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

  /// How long the step takes by itself: as long as its kernels, or as long as the host needs to issue them if that is
  /// longer, and the host's preparation before.
  @inline(__always)
  public var seconds: Seconds { max(kernelSeconds, launchSeconds) + hostSeconds + exposedSeconds }

  /// Energy, without that drawn idle until a clock has added it.
  public var joules: Joules {
    decodeRowJoules + decodeContextJoules + prefillRowJoules + prefillContextJoules
  }

  /// Takes off a share of the energy, from all rows alike.
  mutating func save(_ joules: Joules) {
    let left = 1 - joules / self.joules
    decodeRowJoules *= left
    decodeContextJoules *= left
    prefillRowJoules *= left
    prefillContextJoules *= left
  }

  /// Adds the power that flows whatever runs; all rows share it equally.
  @inline(__always)
  mutating func addIdle(_ joules: Joules, decodeShare: Double) {
    decodeRowJoules += joules * decodeShare
    prefillRowJoules += joules * (1 - decodeShare)
  }
}
