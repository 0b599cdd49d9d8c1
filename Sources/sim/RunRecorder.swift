import ResultStore
import Serving
import Statistics

/// Passes what a run reports on to everybody who wants it.
struct RunRecorder: Recorder {
  var metrics: RunMetrics
  var writer: RunWriter?
  var drawing: ScheduleDrawing?
  var progress: Progress?
  /// The first few requests that were turned away.
  private(set) var rejected: [Request] = []

  var wantsKernels: Bool { writer?.wantsKernels ?? false }

  init(
    metrics: RunMetrics, writer: RunWriter? = nil, drawing: ScheduleDrawing? = nil, progress: Progress? = nil
  ) {
    self.metrics = metrics
    self.writer = writer
    self.drawing = drawing
    self.progress = progress
  }

  mutating func record(_ iteration: IterationRecord) {
    metrics.record(iteration)
    writer?.record(iteration)
    drawing?.record(iteration)
  }

  mutating func record(_ iterations: Span<IterationRecord>) {
    metrics.record(iterations)
    writer?.record(iterations)
    drawing?.record(iterations)
  }

  mutating func record(kernels: [KernelUse], instance: Int32, iteration: Int64) {
    writer?.record(kernels: kernels, instance: instance, iteration: iteration)
  }

  mutating func record(gap: Seconds, tokens: Int) { metrics.record(gap: gap, tokens: tokens) }

  mutating func record(gaps: Span<Seconds>, tokens: Int) { metrics.record(gaps: gaps, tokens: tokens) }

  mutating func record(_ span: SpanRecord) { writer?.record(span) }

  mutating func record(_ request: RequestRecord) {
    metrics.record(request)
    writer?.record(request)
    if request.status == .rejected, rejected.count < 5 { rejected.append(request.request) }
    progress?.advance()
  }
}
