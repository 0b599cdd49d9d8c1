/// Receives what a simulation logs, as it happens.
///
/// The engine keeps no history of its own: what is to be kept is a recorder's business, so that memory stays
/// bounded however long the trace.
public protocol Recorder {
  /// Takes note of an iteration that has ended. Called once an iteration, in order of ends.
  mutating func record(_ iteration: IterationRecord)
  /// Takes note of successive iterations of one instance that have ended; by default one by one.
  mutating func record(_ iterations: Span<IterationRecord>)
  /// Takes note of what each kernel used in the iteration recorded last; only called if ``wantsKernels``.
  mutating func record(kernels: [KernelUse], instance: Int32, iteration: Int64)
  /// Takes note of what each sequence did in the iteration recorded last; only called if ``wantsRows``.
  mutating func record(rows: [StepRow], instance: Int32, iteration: Int64)
  /// Takes note that some sequences wrote two successive tokens with this time between them.
  mutating func record(gap: Seconds, tokens: Int)
  /// Takes note of successive gaps of some sequences that decode together; by default one by one.
  mutating func record(gaps: Span<Seconds>, tokens: Int)
  /// Takes note of a stretch of iterations of a request.
  mutating func record(_ span: SpanRecord)
  /// Takes note of a request that has ended: completed, rejected, or unfinished when the run
  /// was cut.
  mutating func record(_ request: RequestRecord)
  /// Takes note that the KV entries of a prompt have moved to another instance.
  mutating func record(_ transfer: TransferRecord)
  /// Whether kernels are to be recorded for each iteration.
  var wantsKernels: Bool { get }
  /// Whether what each sequence does is to be recorded for each iteration.
  var wantsRows: Bool { get }
}

extension Recorder {
  /// Takes note of the iterations one by one.
  public mutating func record(_ iterations: Span<IterationRecord>) {
    for i in iterations.indices { record(iterations[i]) }
  }
  /// Takes note of the gaps one by one.
  public mutating func record(gaps: Span<Seconds>, tokens: Int) {
    for i in gaps.indices { record(gap: gaps[i], tokens: tokens) }
  }
  /// Does nothing.
  public mutating func record(kernels: [KernelUse], instance: Int32, iteration: Int64) {}
  /// Does nothing.
  public mutating func record(rows: [StepRow], instance: Int32, iteration: Int64) {}
  /// Does nothing.
  public mutating func record(gap: Seconds, tokens: Int) {}
  /// Does nothing.
  public mutating func record(_ transfer: TransferRecord) {}
  /// False.
  public var wantsKernels: Bool { false }
  /// False.
  public var wantsRows: Bool { false }
}
