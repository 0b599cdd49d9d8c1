/// What has happened to requests and is yet to be told to the recorder.
///
/// The arrays are reused.
struct News: Sendable {
  var spans: [SpanRecord] = []
  var requests: [RequestRecord] = []
  /// The gap since the last decode step, and how many sequences took both steps; 0 if none did.
  var stepGap: (seconds: Seconds, tokens: Int) = (0, 0)
  /// Tokens that came out together with the one before them.
  var burstTokens = 0
  /// Other gaps between successive tokens of a sequence: of those that joined since the last step.
  var gaps: [Seconds] = []

  /// Prompts that are through and go elsewhere; the simulation takes them.
  var handovers: [Slot] = []
  /// What of such prompts is through so far, in tokens x layers; the simulation takes them.
  var tiles: [(slot: Slot, area: Int)] = []

  /// Whether there is anything beside ``stepGap``; mostly there is not.
  var isMore: Bool { !gaps.isEmpty || !spans.isEmpty || !requests.isEmpty }

  mutating func removeAll() {
    spans.removeAll(keepingCapacity: true)
    requests.removeAll(keepingCapacity: true)
    gaps.removeAll(keepingCapacity: true)
    stepGap.tokens = 0
    burstTokens = 0
  }
}
