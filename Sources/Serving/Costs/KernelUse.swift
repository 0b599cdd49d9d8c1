/// What one kind of kernel used over a run or an iteration, all GPUs together but for the time, which is one's.
public struct KernelUse: Sendable, Hashable {
  /// The name of the time that the GPUs of a rank wait for those of others which share its experts.
  public static let waitForRanks = "wait_for_ranks"

  /// The kernel's name, such as `qkv_gemm` or `expert_mlp`.
  public var kernel: String
  /// Launches on one GPU.
  public var calls: Int
  /// Launches whose arguments lay outside what was measured.
  public var extrapolatedCalls: Int
  /// Time on one GPU.
  public var seconds: Seconds
  /// Energy above idle.
  public var joules: Joules
  /// Floating-point operations.
  public var flops: Double
  /// Bytes moved.
  public var bytes: Double

  /// Creates the record of a kernel.
  public init(
    kernel: String, calls: Int = 0, extrapolatedCalls: Int = 0, seconds: Seconds = 0, joules: Joules = 0,
    flops: Double = 0, bytes: Double = 0
  ) {
    self.kernel = kernel
    self.calls = calls
    self.extrapolatedCalls = extrapolatedCalls
    self.seconds = seconds
    self.joules = joules
    self.flops = flops
    self.bytes = bytes
  }

  /// Adds another kernel's use to this one's; the name stays.
  public static func += (a: inout KernelUse, b: KernelUse) {
    a.calls += b.calls
    a.extrapolatedCalls += b.extrapolatedCalls
    a.seconds += b.seconds
    a.joules += b.joules
    a.flops += b.flops
    a.bytes += b.bytes
  }
}
