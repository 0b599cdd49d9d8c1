/// What has happened to requests and is yet to be told to the recorder.
///
/// The arrays are reused.
struct News: Sendable {
  var spans: [SpanRecord] = []
  var requests: [RequestRecord] = []
  /// Gaps between successive tokens of a sequence, each with the number of sequences that had it.
  var gaps: [(seconds: Seconds, tokens: Int)] = []

  mutating func removeAll() {
    // Removing nothing costs as much as removing something.
    if !spans.isEmpty { spans.removeAll(keepingCapacity: true) }
    if !requests.isEmpty { requests.removeAll(keepingCapacity: true) }
    if !gaps.isEmpty { gaps.removeAll(keepingCapacity: true) }
  }
}
