import Dispatch
import Serving
import Synchronization

/// What a thread that simulates, and the one that plays its tapes back, hand each other.
final class TapeLane: Sendable {
  /// What comes behind a tape, where that is not simply the next one.
  enum Continuation: Sendable {
    /// More tapes, with nothing before a moment.
    case notBefore(Moment)
    /// Nothing: this is what the instances leave behind.
    case done([InstanceOutcome])
    /// Nothing: the simulation has failed.
    case failed(SimulationError, Moment)
  }

  /// Empty tapes, and how many there are too many of.
  private struct Empty {
    var tapes: [Tape] = []
    var surplus = 0
  }

  private static let tapes = 4
  private let isAbandoned = Atomic(false)
  private let full = Mutex<[(tape: Tape, behind: Continuation?)]>([])
  private let filled = DispatchSemaphore(value: 0)
  private let empty = Mutex(Empty())
  private let emptied = DispatchSemaphore(value: 0)

  /// Creates a lane with empty tapes.
  init() { for _ in 0..<Self.tapes { hand(back: Tape()) } }

  /// An empty tape, for which it waits; `nil` if no more are wanted.
  func takeEmpty() -> Tape? {
    emptied.wait()
    guard !isAbandoned.load(ordering: .relaxed) else { return nil }
    return empty.withLock { $0.tapes.popLast() }
  }

  /// An empty tape, one more if there is none; `nil` if no more are wanted.
  func takeEmptyAtOnce() -> Tape? {
    guard emptied.wait(timeout: .now()) == .timedOut else {
      guard !isAbandoned.load(ordering: .relaxed) else { return nil }
      return empty.withLock { $0.tapes.popLast() }
    }
    empty.withLock { $0.surplus += 1 }
    return Tape()
  }

  /// Hands a tape over to be played back.
  func hand(over tape: Tape, _ behind: Continuation? = nil) {
    full.withLock { $0.append((tape, behind)) }
    filled.signal()
  }

  /// The next tape to be played back; waits for it.
  func takeFull() -> (tape: Tape, behind: Continuation?) {
    filled.wait()
    return full.withLock { $0.removeFirst() }
  }

  /// Hands a tape back that was played; one that is too many is dropped.
  func hand(back tape: Tape) {
    let isKept = empty.withLock { empty in
      guard empty.surplus == 0 else {
        empty.surplus -= 1
        return false
      }
      empty.tapes.append(tape)
      return true
    }
    if isKept { emptied.signal() }
  }

  /// Lets the thread end.
  func abandon() {
    isAbandoned.store(true, ordering: .relaxed)
    emptied.signal()
  }
}

/// The tape of a lane that is being played back.
struct PlayedLane {
  /// When something happened in a lane next.
  struct Next {
    /// The moment, or the earliest that it may be.
    var moment: Moment
    /// Whether it is known what happened then: an event on the tape, or a failure.
    var isKnown = true
  }

  /// The lane.
  let lane: TapeLane
  /// The tape that is played; an empty one where it has been handed back.
  var tape = Tape()
  private var holdsTape = false
  private var behind: TapeLane.Continuation?

  /// Creates the player of a lane.
  init(lane: TapeLane) { self.lane = lane }

  /// What the lane's instances leave behind, at the end.
  var outcomes: [InstanceOutcome] {
    if case .done(let outcomes) = behind { outcomes } else { [] }
  }

  /// Why the simulation fails behind the tape; `nil` if it does not.
  var failure: SimulationError? {
    guard tape.next == nil, case .failed(let error, _) = behind else { return nil }
    return error
  }

  /// What it has next, on the next tape where this one is at its end; `nil` once there is nothing.
  mutating func next() -> Next? {
    while true {
      if let next = tape.next { return Next(moment: next) }
      if holdsTape { handBack() }
      switch behind {
      case .notBefore(let moment): return Next(moment: moment, isKnown: false)
      case .failed(_, let moment): return Next(moment: moment)
      case .done: return nil
      case nil: takeTape()
      }
    }
  }

  /// Waits for the next tape.
  mutating func takeTape() {
    (tape, behind) = lane.takeFull()
    holdsTape = true
  }

  /// Hands the tape back, which is played: the thread may wait for it.
  private mutating func handBack() {
    var played = Tape()
    swap(&played, &tape)
    played.removeAll()
    lane.hand(back: played)
    holdsTape = false
  }
}
