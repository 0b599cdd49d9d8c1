/// What sets one step of a ``DecodeRun`` apart from the others: what depends on the contexts.
public struct DecodeStep: Sendable, Hashable {
  /// How long its kernels take.
  public var kernelSeconds: Seconds = 0
  /// KV entries read and written, in bytes.
  public var kvBytes: Double = 0
  /// Energy that the decode rows share equally.
  public var decodeRowJoules: Joules = 0
  /// Energy that the decode rows share in proportion to their contexts.
  public var decodeContextJoules: Joules = 0

  /// Creates the step that takes nothing.
  public init() {}

  /// Takes from a cost what may set it apart.
  @inline(__always)
  public init(_ cost: StepCost) {
    kernelSeconds = cost.kernelSeconds
    kvBytes = cost.kvBytes
    decodeRowJoules = cost.decodeRowJoules
    decodeContextJoules = cost.decodeContextJoules
  }

  /// Makes what steps have in common the cost of this one.
  @inline(__always)
  public func fill(_ cost: inout StepCost) {
    cost.kernelSeconds = kernelSeconds
    cost.kvBytes = kvBytes
    cost.decodeRowJoules = decodeRowJoules
    cost.decodeContextJoules = decodeContextJoules
  }

  /// Energy, without that drawn idle until a clock has added it: decode rows are all that it has.
  @inline(__always)
  var joules: Joules { decodeRowJoules + decodeContextJoules }
}
