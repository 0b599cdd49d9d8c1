/// One iteration as it ran: when, on what, and what it cost.
///
/// Bytes and joules are of all GPUs of the instance.
public struct IterationRecord: Sendable, Hashable {
  /// The instance that ran it.
  public var instance: Int32 = 0
  /// Its rank among the iterations of its instance, from 0.
  public var index: Int64 = 0
  /// When it began.
  public var start: Seconds = 0
  /// When it ended.
  public var end: Seconds = 0
  /// Sequences that took a decode step.
  public var decodeTokens: Int32 = 0
  /// Tokens that came out at its end: decode steps, and first tokens.
  public var outputTokens: Int32 = 0
  /// Prefill rows in the layers that carry prefill.
  public var prefillTokens: Int32 = 0
  /// Prompts that the prefill rows belong to.
  public var prefillSequences: Int32 = 0
  /// First layer that carries prefill; equal to `layerEnd` if none does.
  public var layerBegin: Int32 = 0
  /// One past the last layer that carries prefill.
  public var layerEnd: Int32 = 0
  /// Requests that wait for admission, as the iteration begins.
  public var queueLength: Int32 = 0
  /// KV blocks in use while it runs.
  public var kvBlocksUsed: Int32 = 0
  /// Distinct experts read, summed over the layers' MoE calls.
  public var experts: Double = 0
  /// Expert weights read.
  public var expertBytes: Double = 0
  /// Other weights read.
  public var weightBytes: Double = 0
  /// KV entries read and written.
  public var kvBytes: Double = 0
  /// Activations read and written, and bytes exchanged between GPUs.
  public var activationBytes: Double = 0
  /// Energy.
  public var joules: Joules = 0
  /// Time that the GPU's kernels take.
  public var kernelSeconds: Seconds = 0

  /// Creates an empty record.
  public init() {}

  /// Fills in what depends on its cost.
  @inline(__always)
  mutating func fill(from cost: StepCost, start: Seconds, end: Seconds) {
    self.start = start
    self.end = end
    experts = cost.experts
    expertBytes = cost.expertBytes
    weightBytes = cost.weightBytes
    kvBytes = cost.kvBytes
    activationBytes = cost.activationBytes
    joules = cost.joules
    kernelSeconds = cost.kernelSeconds
  }

  /// How long it took.
  public var seconds: Seconds { end - start }
}
