import Serving
import Statistics

/// Makes the requests of a workload one after another.
public struct RequestIterator: IteratorProtocol, Sendable {
  private let count: Int
  private let imageTokens: Tokens
  private let model: LengthModel?
  private let rows: [TraceRow]
  /// Whether the trace says what prompts begin with.
  private let hasContents: Bool
  /// How long the trace's own arrivals last until they begin again.
  private let period: Seconds
  private var lengths: SplitMix64
  private var arrivals: ArrivalClock
  private var classes: ClassDraw?
  private var id = 0
  private var row = 0
  private var lap: Seconds = 0
  /// The content of the first row in this lap; each lap has contents of its own.
  private var firstContent: Int32 = 0

  init(_ workload: Workload) {
    count = workload.count
    imageTokens = workload.imageTokens
    lengths = SplitMix64(seed: workload.seed, purpose: "lengths")
    arrivals = ArrivalClock(workload.arrivals, seed: workload.seed)
    classes = workload.classes.isEmpty ? nil : ClassDraw(workload.classes, seed: workload.seed)
    switch workload.source {
    case .model(let model):
      self.model = model
      rows = []
      hasContents = false
      period = 0
    case .trace(let trace):
      model = nil
      rows = trace.rows
      hasContents = trace.prefixBlocks != nil
      let gaps = Double(trace.rows.count - 1)
      period = gaps > 0 ? trace.span * (gaps + 1) / gaps : 0
    }
  }

  /// The next request, or nil after the last one.
  ///
  /// - Complexity: O(1).
  public mutating func next() -> Request? {
    guard var request = nextText() else { return nil }
    if imageTokens > 0 {
      // A trace that does not tell has one image in each prompt.
      request.images = model == nil && rows[row - 1].images >= 0 ? Int(rows[row - 1].images) : 1
      request.imageTokens = min(request.images * imageTokens, request.promptTokens - 1)
      // Those of which no token fits are none.
      request.images = (request.imageTokens + imageTokens - 1) / imageTokens
    }
    classes?.mark(&request)
    return request
  }

  /// The next request, as if it had no images and were like all others.
  private mutating func nextText() -> Request? {
    guard id < count else { return nil }
    defer { id += 1 }
    if let model {
      let drawn = model.sample(using: &lengths)
      return Request(
        id: id, arrival: arrivals.next(recorded: .nan), promptTokens: drawn.prompt, outputTokens: drawn.output
      )
    }
    if row == rows.count {
      row = 0
      lap += period
      // Where numbers come to their end, contents begin again.
      let next = Int(firstContent) + 2 * rows.count <= Int(Int32.max) ? Int(firstContent) + rows.count : 0
      firstContent = Int32(next)
    }
    let recorded = rows[row]
    row += 1
    var request = Request(
      id: id, arrival: arrivals.next(recorded: lap + recorded.arrival),
      promptTokens: Int(recorded.promptTokens), outputTokens: Int(recorded.outputTokens))
    if hasContents { request.content = firstContent + Int32(row - 1) }
    return request
  }
}
