/// What a simulation reports, kept event by event, to be played back in the order of several simulations' events.
///
/// Kernels and rows of steps are not kept: it does not want them.
public struct Tape: Recorder, Sendable {
  private enum Entry: Sendable {
    case iterations(Int)
    case gaps(Int, tokens: Int)
    case span
    case request
    case transfer
  }

  /// Where an event's entries end, and what it did to the number of requests in the system.
  private struct Mark: Sendable {
    var moment: Moment
    var end: Int
    var inSystem: Int
    var sent: Int
  }

  private var entries: [Entry] = []
  private var iterations: [IterationRecord] = []
  private var gaps: [Seconds] = []
  private var spans: [SpanRecord] = []
  private var requests: [RequestRecord] = []
  private var transfers: [TransferRecord] = []
  private var marks: [Mark] = []
  /// How far it has been played back.
  private var played = (
    marks: 0, entries: 0, iterations: 0, gaps: 0, spans: 0, requests: 0, transfers: 0
  )

  /// Creates an empty tape.
  public init() {}

  /// Keeps an iteration.
  public mutating func record(_ iteration: IterationRecord) {
    iterations.append(iteration)
    entries.append(.iterations(1))
  }

  /// Keeps successive iterations of an instance.
  public mutating func record(_ iterations: Span<IterationRecord>) {
    guard !iterations.isEmpty else { return }
    for i in iterations.indices { self.iterations.append(iterations[i]) }
    entries.append(.iterations(iterations.count))
  }

  /// Keeps a gap.
  public mutating func record(gap: Seconds, tokens: Int) {
    gaps.append(gap)
    entries.append(.gaps(1, tokens: tokens))
  }

  /// Keeps successive gaps.
  public mutating func record(gaps: Span<Seconds>, tokens: Int) {
    guard !gaps.isEmpty else { return }
    for i in gaps.indices { self.gaps.append(gaps[i]) }
    entries.append(.gaps(gaps.count, tokens: tokens))
  }

  /// Keeps a stretch of iterations of a request.
  public mutating func record(_ span: SpanRecord) {
    spans.append(span)
    entries.append(.span)
  }

  /// Keeps a request that has ended.
  public mutating func record(_ request: RequestRecord) {
    requests.append(request)
    entries.append(.request)
  }

  /// Keeps a transfer.
  public mutating func record(_ transfer: TransferRecord) {
    transfers.append(transfer)
    entries.append(.transfer)
  }

  /// Ends an event: what was recorded since the last one belongs to it.
  ///
  /// - Parameters:
  ///   - moment: when it happened; not before the last one.
  ///   - sent: requests that it sent to instances.
  ///   - inSystem: how much the number of requests in the system has grown; below 0 where some have ended.
  mutating func mark(_ moment: Moment, sent: Int, inSystem: Int) {
    guard sent != 0 || inSystem != 0 || entries.count > (marks.last?.end ?? 0) else { return }
    marks.append(Mark(moment: moment, end: entries.count, inSystem: inSystem, sent: sent))
  }

  /// How much it holds: iterations, gaps and events.
  public var length: Int { iterations.count + gaps.count + marks.count }

  /// When the next event to be played back happened; `nil` if there is none.
  public var next: Moment? { played.marks < marks.count ? marks[played.marks].moment : nil }

  /// Plays the next event back.
  ///
  /// - Parameters:
  ///   - recorder: is told of what was recorded.
  ///   - population: is told of requests that were sent.
  ///   - inSystem: requests in the system before; afterwards, those that are then.
  public mutating func play(
    into recorder: inout some Recorder, _ population: inout Population, inSystem: inout Int
  ) {
    let mark = marks[played.marks]
    played.marks += 1
    for i in 0..<mark.sent { population.note(inSystem + i + 1) }
    inSystem += mark.inSystem
    while played.entries < mark.end {
      switch entries[played.entries] {
      case .iterations(let count):
        recorder.record(iterations.span.extracting(played.iterations..<played.iterations + count))
        played.iterations += count
      case .gaps(let count, let tokens):
        recorder.record(gaps: gaps.span.extracting(played.gaps..<played.gaps + count), tokens: tokens)
        played.gaps += count
      case .span:
        recorder.record(spans[played.spans])
        played.spans += 1
      case .request:
        recorder.record(requests[played.requests])
        played.requests += 1
      case .transfer:
        recorder.record(transfers[played.transfers])
        played.transfers += 1
      }
      played.entries += 1
    }
  }

  /// Forgets everything, and keeps the room for it.
  public mutating func removeAll() {
    entries.removeAll(keepingCapacity: true)
    iterations.removeAll(keepingCapacity: true)
    gaps.removeAll(keepingCapacity: true)
    spans.removeAll(keepingCapacity: true)
    requests.removeAll(keepingCapacity: true)
    transfers.removeAll(keepingCapacity: true)
    marks.removeAll(keepingCapacity: true)
    played = (0, 0, 0, 0, 0, 0, 0)
  }
}

/// Why a simulation does not go on with a tape.
public enum TapeEnd: Sendable {
  /// The tape is as long as it may be.
  case full
  /// What it shares with others is to be exchanged; it handles nothing before that moment any more.
  case meeting(Moment)
  /// The last request has been sent, and nothing is to be exchanged any more; this is said once, and only where something was.
  case allSent
  /// Nothing is left.
  case over
}

extension Simulation {
  /// Handles events, and keeps what is reported of them.
  ///
  /// - Parameters:
  ///   - tape: is recorded on.
  ///   - length: ends once it is so long.
  /// - Returns: why it has ended.
  /// - Throws: if a policy breaks the rules.
  public mutating func run(onto tape: inout Tape, atMost length: Int) throws(SimulationError) -> TapeEnd {
    while tape.length < length {
      if let pause = pause() { return pause }
      let (sent, inSystem) = (population.arrivals, totalInFlight)
      let goesOn = try step(recorder: &tape)
      tape.mark(moment, sent: population.arrivals - sent, inSystem: totalInFlight - inSystem)
      guard goesOn else { return .over }
    }
    return .full
  }
}
