/// What has happened to requests and is yet to be told to the recorder.
///
/// The arrays are reused.
struct News: Sendable {
  var spans: [SpanRecord] = []
  var requests: [RequestRecord] = []
  /// The gap since the last decode step, and how many sequences took both steps; 0 if none did.
  var stepGap: (seconds: Seconds, tokens: Int) = (0, 0)
  /// Other gaps between successive tokens of a sequence: of those that joined since the last step.
  var gaps: [Seconds] = []

  mutating func removeAll() {
    // Removing nothing costs as much as removing something.
    if !spans.isEmpty { spans.removeAll(keepingCapacity: true) }
    if !requests.isEmpty { requests.removeAll(keepingCapacity: true) }
    stepGap.tokens = 0
    if !gaps.isEmpty { gaps.removeAll(keepingCapacity: true) }
  }
}
