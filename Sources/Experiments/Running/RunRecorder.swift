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
  /// Where to write what each request does in each iteration.
  package var steps: StepsFile?
  /// The first few requests that were turned away.
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

  package mutating func record(_ iteration: IterationRecord) {
    metrics.record(iteration)
    writer?.record(iteration)
    drawing?.record(iteration)
    shares?[Int(iteration.instance)].record(iteration)
  }

  package mutating func record(_ iterations: Span<IterationRecord>) {
    metrics.record(iterations)
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

  package mutating func record(gap: Seconds, tokens: Int) { metrics.record(gap: gap, tokens: tokens) }

  package mutating func record(gaps: Span<Seconds>, tokens: Int) {
    metrics.record(gaps: gaps, tokens: tokens)
  }

  package mutating func record(_ span: SpanRecord) { writer?.record(span) }

  package mutating func record(_ request: RequestRecord) {
    metrics.record(request)
    writer?.record(request)
    shares?[Int(request.instance)].record(request)
    if request.status == .rejected, rejected.count < 5 { rejected.append(request.request) }
    progress?.advance(by: 1)
  }
}
