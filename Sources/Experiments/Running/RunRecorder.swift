import ResultStore
import Serving
import Statistics

/// Passes what a run reports on to all that keep something of it.
package struct RunRecorder: Recorder {
  package var metrics: RunMetrics
  package var writer: RunWriter?
  package var drawing: ScheduleDrawing?
  package var progress: (any RunProgress)?
  /// What each of several instances did; `nil` for one, of which ``metrics`` say as much.
  package var shares: [InstanceShare]?
  /// How each class of requests fared; `nil` where all are alike.
  package var classes: [ClassShare]?
  /// Where to write what each request does in each iteration.
  package var steps: StepsFile?
  /// Figures of a part of the run; `nil` where all of it counts.
  var windowed: WindowedMetrics?
  /// KV entries that went from one instance to another.
  package private(set) var transfers = TransferTotals()
  /// The first few requests that were turned away, by their numbers: those that come at the same time are told in any order.
  package private(set) var rejected: [Request] = []

  package var wantsRows: Bool { steps != nil }
  package var wantsKernels: Bool { writer?.wantsKernels ?? false }

  package init(
    metrics: RunMetrics, writer: RunWriter? = nil, drawing: ScheduleDrawing? = nil,
    progress: (any RunProgress)? = nil, steps: StepsFile? = nil
  ) {
    self.metrics = metrics
    self.writer = writer
    self.drawing = drawing
    self.progress = progress
    self.steps = steps
  }

  /// Lets a part of the run count.
  package mutating func measure(_ window: MeasuredWindow?) {
    windowed = window.map { WindowedMetrics($0, objective: metrics.objective) }
  }

  /// Whether a request counts.
  package func counts(_ request: RequestRecord) -> Bool {
    windowed?.window.contains(request.request.arrival) ?? true
  }

  package mutating func record(_ iteration: IterationRecord) {
    metrics.record(iteration)
    windowed?.record(iteration)
    writer?.record(iteration)
    drawing?.record(iteration)
    shares?[Int(iteration.instance)].record(iteration)
  }

  package mutating func record(_ iterations: Span<IterationRecord>) {
    metrics.record(iterations)
    windowed?.record(iterations)
    writer?.record(iterations)
    drawing?.record(iterations)
    guard shares != nil, let first = iterations.indices.first else { return }
    let instance = Int(iterations[first].instance)
    for i in iterations.indices { shares?[instance].record(iterations[i]) }
  }

  package mutating func record(kernels: [KernelUse], instance: Int32, iteration: Int64) {
    writer?.record(kernels: kernels, instance: instance, iteration: iteration)
  }

  package mutating func record(rows: [StepRow], instance: Int32, iteration: Int64) {
    steps?.write(rows, iteration: iteration)
  }

  package mutating func record(gap: Seconds, tokens: Int) {
    metrics.record(gap: gap, tokens: tokens)
    windowed?.record(gap: gap, tokens: tokens)
  }

  package mutating func record(gaps: Span<Seconds>, tokens: Int) {
    metrics.record(gaps: gaps, tokens: tokens)
    windowed?.record(gaps: gaps, tokens: tokens)
  }

  package mutating func record(_ span: SpanRecord) { writer?.record(span) }

  package mutating func record(_ request: RequestRecord) {
    metrics.record(request)
    windowed?.record(request)
    writer?.record(request)
    shares?[Int(request.instance)].record(request)
    if classes != nil, counts(request) {
      classes?[Int(request.request.tenant)].record(request, objective: metrics.objective)
    }
    if request.status == .rejected { note(rejected: request.request) }
    progress?.advance(by: 1)
  }

  private mutating func note(rejected request: Request) {
    guard rejected.count < 5 || request.id < rejected[4].id else { return }
    rejected.insert(request, at: rejected.firstIndex { request.id < $0.id } ?? rejected.count)
    if rejected.count > 5 { rejected.removeLast() }
  }

  package mutating func record(_ transfer: TransferRecord) {
    transfers.add(transfer)
    writer?.record(transfer)
  }
}

/// KV entries that went from one instance to another in a run.
public struct TransferTotals: Sendable, Hashable {
  /// Prompts whose entries were moved.
  public private(set) var count = 0
  /// Bytes moved.
  public private(set) var bytes = 0.0
  private var waiting: Seconds = 0
  private var moving: Seconds = 0
  private var longest: Seconds = 0

  init() {}

  /// Mean time from when the first entries were ready until there was memory for them.
  public var meanWait: Seconds { waiting / Double(max(count, 1)) }
  /// Mean time from then until the last were there.
  public var meanTransfer: Seconds { moving / Double(max(count, 1)) }
  /// The longest time from when the first entries were ready until the last were there.
  public var longestDelay: Seconds { longest }

  mutating func add(_ transfer: TransferRecord) {
    count += 1
    bytes += transfer.bytes
    waiting += transfer.startedAt - transfer.readyAt
    moving += transfer.endedAt - transfer.startedAt
    longest = max(longest, transfer.endedAt - transfer.readyAt)
  }
}
