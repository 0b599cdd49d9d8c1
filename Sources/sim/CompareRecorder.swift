import Serving

/// Keeps of a run what a comparison needs, beside what every run keeps.
struct CompareRecorder: Recorder {
  var run: RunRecorder
  /// Layers of the model.
  let layers: Int
  private(set) var requests: [RequestRecord] = []
  private(set) var iterations: [CompareIterations.Kind: CompareIterations] = [:]

  init(run: RunRecorder, layers: Int) {
    self.run = run
    self.layers = layers
  }

  var wantsKernels: Bool { run.wantsKernels }

  mutating func record(_ iteration: IterationRecord) {
    run.record(iteration)
    iterations[.init(iteration, layers: layers), default: CompareIterations()].add(iteration)
  }

  mutating func record(kernels: [KernelUse], instance: Int32, iteration: Int64) {
    run.record(kernels: kernels, instance: instance, iteration: iteration)
  }

  mutating func record(gap: Seconds, tokens: Int) { run.record(gap: gap, tokens: tokens) }

  mutating func record(gaps: Span<Seconds>, tokens: Int) { run.record(gaps: gaps, tokens: tokens) }

  mutating func record(_ span: SpanRecord) { run.record(span) }

  mutating func record(_ request: RequestRecord) {
    run.record(request)
    requests.append(request)
  }
}
