/// What has happened to requests and is yet to be told to the recorder.
///
/// The arrays are reused.
struct News: Sendable {
  var spans: [SpanRecord] = []
  var requests: [RequestRecord] = []
  /// Gaps between successive tokens of a sequence, each with the number of sequences that had it.
  var gaps: [(seconds: Seconds, tokens: Int)] = []

  mutating func removeAll() {
    spans.removeAll(keepingCapacity: true)
    requests.removeAll(keepingCapacity: true)
    gaps.removeAll(keepingCapacity: true)
  }
}
