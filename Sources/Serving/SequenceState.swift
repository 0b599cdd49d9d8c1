/// The index of a sequence in ``ServingState``'s table; -1 for none.
typealias SequenceIndex = Int32

/// A request in the system, from its arrival to its last token.
///
/// It is written when something happens to the request, never merely because an iteration ran: what changes with
/// every iteration is kept in sums over all sequences, and a sequence remembers what those were when it joined.
struct SequenceState: Sendable {
  /// What will be reported of the request.
  var record: RequestRecord
  /// Positions to prefill: the prompt and, after a preemption, the tokens written before it.
  var prefillTokens: Int32
  /// Tokens written so far; while it decodes, as of the step it joined at.
  var written: Int32 = 0
  /// Iteration at which the present phase began.
  var spanBegin: Int64 = 0
  /// Whether it has been admitted and its prompt is not yet through the model.
  var isPrefilling = false

  // Prefill: positions `0..<done` are through all layers, `done..<tileEnd` through the first `tileLayers`.
  var done: Int32 = 0
  var tileEnd: Int32 = 0
  var tileLayers: Int32 = 0

  // Decode: neighbours in order of entry, and in the list of those that end at the same step.
  var previous: SequenceIndex = -1
  var next: SequenceIndex = -1
  var duePrevious: SequenceIndex = -1
  var dueNext: SequenceIndex = -1
  /// Whether it takes part in decode steps; if not, it waits beyond the cap on sequences.
  var steps = false
  /// Step after which it joined those that step.
  var joinStep = 0
  /// KV entries stored when it joined.
  var joinContext = 0
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
}

/// What one decoding sequence has been charged since the run began, had it been there all along.
///
/// A sequence that reads `c + k` KV entries at step `k` is charged, for attention, the sum of `rate(k) (c + k)`; with
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
