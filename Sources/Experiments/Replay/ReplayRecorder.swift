import Serving

/// Records what a comparison request by request needs: every request, and every gap between its tokens.
package struct ReplayRecorder: Recorder {
  /// Requests by their number; `nil` until they have ended.
  package private(set) var requests: [RequestRecord?]
  private var spans: [[SpanRecord]]
  private var ends: [Seconds] = []
  private var decoded: [Bool] = []

  /// Creates a recorder for `count` requests on one instance.
  package init(count: Int) {
    requests = Array(repeating: nil, count: count)
    spans = Array(repeating: [], count: count)
  }

  package mutating func record(_ iteration: IterationRecord) {
    ends.append(iteration.end)
    decoded.append(iteration.decodeTokens > 0)
  }

  package mutating func record(_ span: SpanRecord) { spans[span.request].append(span) }

  package mutating func record(_ request: RequestRecord) { requests[request.request.id] = request }

  /// The gaps between a request's successive tokens.
  package func gaps(ofRequest request: Int) -> [Seconds] {
    var times: [Seconds] = []
    for span in spans[request].sorted(by: { $0.firstIteration < $1.firstIteration }) {
      switch span.phase {
      case .prefill: if span.completed { times.append(ends[Int(span.lastIteration)]) }
      case .decode:
        for iteration in Int(span.firstIteration)...Int(span.lastIteration) where decoded[iteration] {
          times.append(ends[iteration])
        }
      }
    }
    return zip(times.dropFirst(), times).map { $0 - $1 }
  }
}
