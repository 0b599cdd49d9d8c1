import Serving

/// A cost that a reader can follow in the head: 10 ms an iteration, and simple bytes.
struct ToyCost: LayerCost {
  var layers = 8
  var kvBlocks = 100_000
  var blockSize = 16
  var slidingWindow: Tokens?
  var seconds = 0.01
  var idleWatts: Double { 100 }

  func add(
    _ load: DecodeLoad, prefill: ArraySlice<PrefillSegment>, layers: Range<Int>, to cost: inout StepCost
  ) {
    let depth = Double(layers.count)
    var rows = 0.0
    for i in prefill.indices { rows += Double(prefill[i].tokens) }
    cost.expertBytes += 1000 * depth
    if load.sequences > 0 {
      let share = Double(load.sequences) / (Double(load.sequences) + rows)
      cost.decodeExpertBytes += 1000 * depth * share
      cost.decodeRowJoules += Double(load.sequences) * depth
      cost.decodeContextJoules += 0.001 * Double(load.context) * depth
    }
    cost.prefillRowJoules += rows * depth
    cost.prefillContextJoules += 0.5 * rows * depth
    cost.kvBytes += Double(load.context) * depth
  }

  func finish(_ load: borrowing StepLoad, cost: inout StepCost) {
    cost.kernelSeconds = seconds
  }
}

/// Keeps everything.
struct History: Recorder {
  var iterations: [IterationRecord] = []
  var spans: [SpanRecord] = []
  var requests: [RequestRecord] = []
  var gaps: [(seconds: Seconds, tokens: Int)] = []

  mutating func record(_ iteration: IterationRecord) { iterations.append(iteration) }
  mutating func record(_ span: SpanRecord) { spans.append(span) }
  mutating func record(_ request: RequestRecord) { requests.append(request) }
  mutating func record(gap: Seconds, tokens: Int) { gaps.append((gap, tokens)) }

  /// The record of a request.
  subscript(request id: Int) -> RequestRecord? { requests.first { $0.request.id == id } }

  /// The records of the requests that were served.
  var completed: [RequestRecord] { requests.filter { $0.status == .completed } }

  /// When each token of each request came, by the spans alone.
  var tokenTimes: [Int: [Seconds]] {
    var iterationsOf: [Int32: [IterationRecord]] = [:]
    for iteration in iterations { iterationsOf[iteration.instance, default: []].append(iteration) }
    var times: [Int: [Seconds]] = [:]
    for span in spans {
      let ran = iterationsOf[span.instance, default: []]
      for index in Int(span.firstIteration)...Int(span.lastIteration) {
        let emits =
          span.phase == .decode ? ran[index].decodeTokens > 0 : index == span.lastIteration && span.completed
        if emits { times[span.request, default: []].append(ran[index].end) }
      }
    }
    // Tokens of a burst are logged before the step that wrote them.
    return times.mapValues { $0.sorted() }
  }
}

/// Runs requests given as (arrival, prompt, output) under a policy.
func run(
  _ scheduler: any Scheduler, _ requests: [(Seconds, Tokens, Tokens)], cost: some LayerCost = ToyCost(),
  maxSequences: Int = 256, maxModelLength: Tokens = 1 << 20, maxConcurrency: Int = .max
) throws -> History {
  let workload = requests.enumerated().map {
    Request(id: $0.offset, arrival: $0.element.0, promptTokens: $0.element.1, outputTokens: $0.element.2)
  }
  return try run(
    [
      InstanceConfiguration(
        scheduler: scheduler, costModel: cost.model, memory: cost.memory, maxSequences: maxSequences)
    ], workload,
    maxModelLength: maxModelLength, maxConcurrency: maxConcurrency)
}

/// Runs requests on one or more instances.
func run(
  _ instances: [InstanceConfiguration], _ requests: [Request], maxModelLength: Tokens = 1 << 20,
  maxConcurrency: Int = .max, fastForwards: Bool = true
) throws -> History {
  var simulation = Simulation(
    instances: instances, requests: requests.makeIterator(), maxModelLength: maxModelLength,
    maxConcurrency: maxConcurrency, fastForwards: fastForwards)
  var recorder: any Recorder = History()
  try simulation.run(recorder: &recorder)
  guard let history = recorder as? History else { fatalError("the recorder changed its type") }
  return history
}

/// Draws the schedule of requests under a policy.
func draw(
  _ scheduler: any Scheduler, _ requests: [(Seconds, Tokens, Tokens)], rows: Int = 4,
  cost: ToyCost = ToyCost()
) throws -> String {
  var drawing = ScheduleDrawing(layers: cost.layers, rows: rows, columns: 100)
  for iteration in try run(scheduler, requests, cost: cost).iterations { drawing.record(iteration) }
  return drawing.description
}
