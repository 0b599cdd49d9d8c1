/// A request in the system, from its arrival to its last token.
///
/// It is written when something happens to the request, never merely because a step ran: what changes with every step
/// is kept in sums over all sequences, and a sequence remembers what those were when it joined. It belongs to one
/// instance at a time, and moves to another by value.
public struct SequenceState: Sendable {
  /// Where a request is on its way.
  public enum Phase: UInt8, Sendable {
    /// It waits for admission.
    case waiting
    /// It is admitted, and its prompt is not yet through the model.
    case prefilling
    /// Its last tile is planned, and its first token is not yet out.
    case finishing
    /// Its prompt is through the model, and its KV entries are on their way to another instance.
    case sending
    /// It decodes, or waits beyond the cap on sequences.
    case decoding
    /// Its last decode step is planned, and the token is not yet out.
    case ending
  }

  /// What will be reported of the request.
  public internal(set) var record: RequestRecord
  /// Where it is on its way.
  public internal(set) var phase = Phase.waiting
  /// Positions to prefill: the prompt and, after a preemption, the tokens written before it.
  var prefillTokens: Int32
  /// Tokens written so far; while it decodes, as of the step it joined at.
  var written: Int32 = 0
  /// Steps at which its prefill and its decoding began.
  var prefillBegin: Int64 = 0
  var decodeBegin: Int64 = 0

  // Prefill: positions `0..<done` are through all layers, `done..<tileEnd` through the first `tileLayers`.
  var done: Int32 = 0
  var tileEnd: Int32 = 0
  var tileLayers: Int32 = 0

  /// KV entries that its tokens through all layers lack behind each drop of a ``TokenProfile``.
  var missing = InlineArray<16, Int32>(repeating: 0)

  /// KV blocks that its prompt holds on its way.
  var promptBlocks: Int32 = 0
  /// Blocks of the second group that its window has passed.
  var passedBlocks: Int32 = 0
  /// The newest step that computes a chunk of its prompt, and the chunk's tokens.
  var chunkStep: Int64 = -1
  var chunkTokens: Int32 = 0
  /// Whether some tile of its prompt has run since it was admitted.
  var hasBegun = false
  /// Whether it steps again after it was left out, rather than for the first time.
  var isResumed = false
  /// Its rank among all admissions.
  var rank: Int64 = 0
  /// Whether it lost its memory while its only token was on its way.
  var endsWaiting = false

  // Neighbours in the queue or, while it decodes, in order of entry; and in the list of those that end at one step.
  var previous = Slot.none
  var next = Slot.none
  var duePrevious = Slot.none
  var dueNext = Slot.none
  /// Whether it takes part in decode steps; if not, it waits beyond the cap on sequences.
  var steps = false
  /// Step after which it joined those that step, and after which it left them.
  var joinStep = 0
  var leaveStep = 0
  /// KV entries stored when it joined.
  var joinContext = 0
  /// KV entries that it stores less the steps planned, as of the steps that have ended.
  var entriesLessSteps = 0
  /// Blocks of each group that it holds while it decodes, with speculation.
  var decodeBlocks: Int32 = 0
  /// Accepted drafts of its newest step.
  var burst: Int32 = 0
  /// Whether entries were evicted since it began to decode.
  var hasEvicted = false
  /// Gaps of steps up to this one are in the record already.
  var gapStep = 0
  /// When it wrote its last token, if that was before it joined.
  var lastTokenAt: Seconds = 0
  /// The sums when it joined.
  var joinShares = DecodeShares()

  init(request: Request) {
    record = RequestRecord(request: request)
    prefillTokens = Int32(request.promptTokens)
  }

  /// KV entries that it stores, between two steps of an instance that it has left.
  public var storedTokens: Tokens { joinContext }

  /// What it has written is to be computed anew.
  mutating func lengthenPrompt() { prefillTokens = Int32(record.request.promptTokens) + written }

  /// Whether it comes before another in a queue by priority.
  func comesBefore(_ other: borrowing SequenceState) -> Bool {
    let (a, b) = (record.request, other.record.request)
    return (a.priority, a.arrival, a.id) < (b.priority, b.arrival, b.id)
  }

  /// Tokens that it has yet to write.
  var left: Int { record.request.outputTokens - Int(written) }

  /// Goes back to the beginning: everything that it had is to be computed anew.
  mutating func restart() {
    record.preemptions += 1
    phase = .waiting
    promptBlocks = 0
    passedBlocks = 0
    hasBegun = false
    lengthenPrompt()
    done = 0
    tileEnd = 0
    tileLayers = 0
    decodeBlocks = 0
    burst = 0
    missing = InlineArray(repeating: 0)
    hasEvicted = false
  }
}

/// What one decoding sequence would have been attributed since the run began, had it been there all along.
///
/// A sequence that reads `c + k` KV entries at step `k` is attributed, for attention, the sum of `rate(k) (c + k)`; with
/// the running sums of `rate(k)` and `rate(k) k` that is two subtractions when it leaves.
struct DecodeShares: Sendable {
  /// Sum of each row's equal share of energy.
  var joules = 0.0
  /// Sum of each row's equal share of expert bytes.
  var expertBytes = 0.0
  /// Sum of the energy per KV entry read.
  var contextJoules = 0.0
  /// Sum of the energy per KV entry read, times the step.
  var contextJoulesByStep = 0.0
}
