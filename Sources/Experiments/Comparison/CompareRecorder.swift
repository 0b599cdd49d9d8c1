import Serving

/// Records what a comparison needs, beside what every run records.
package struct CompareRecorder: Recorder {
  package var run: RunRecorder
  /// Layers of the model.
  package let layers: Int
  package private(set) var requests: [RequestRecord] = []
  package private(set) var iterations: [CompareIterations.Kind: CompareIterations] = [:]

  package init(run: RunRecorder, layers: Int) {
    self.run = run
    self.layers = layers
  }

  package var wantsKernels: Bool { run.wantsKernels }

  package mutating func record(_ iteration: IterationRecord) {
    run.record(iteration)
    iterations[.init(iteration, layers: layers), default: CompareIterations()].add(iteration)
  }

  package mutating func record(_ iterations: Span<IterationRecord>) {
    // As many at once as gaps come at once, which are counted by the ends of these.
    run.record(iterations)
    for i in iterations.indices {
      self.iterations[.init(iterations[i], layers: layers), default: CompareIterations()].add(iterations[i])
    }
  }

  package mutating func record(kernels: [KernelUse], instance: Int32, iteration: Int64) {
    run.record(kernels: kernels, instance: instance, iteration: iteration)
  }

  package mutating func record(gap: Seconds, tokens: Int) { run.record(gap: gap, tokens: tokens) }

  package mutating func record(gaps: Span<Seconds>, tokens: Int) { run.record(gaps: gaps, tokens: tokens) }

  package mutating func record(_ span: SpanRecord) { run.record(span) }

  package mutating func record(_ request: RequestRecord) {
    run.record(request)
    if run.counts(request) { requests.append(request) }
  }
}
