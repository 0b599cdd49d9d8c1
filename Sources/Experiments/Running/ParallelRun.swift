import Foundation
import Serving
import Synchronization

/// Runs instances on several threads, where none knows of another.
///
/// Each thread simulates some of the instances, with all requests and a router of its own, and records on tapes what they
/// report. Tapes are played back in the order of events, so that a recorder is told the same whatever the number of threads.
struct ParallelRun {
  /// How many instances there are.
  let instances: Int
  /// Most threads, at least 1.
  let threads: Int
  /// Makes a simulation of some of the instances.
  let makeSimulation: @Sendable (_ share: Range<Int>) -> Simulation

  /// Iterations, gaps and events on a tape, after which it is handed over.
  private static let length = 20_000

  /// Runs it.
  ///
  /// - Parameter recorder: is told of everything, on this thread; it must not want kernels or rows of steps.
  /// - Returns: what the recorder is not told.
  /// - Throws: if the policy breaks the engine's rules.
  func run(recorder: inout some Recorder) throws(SimulationError) -> SystemTotals {
    let threads = min(threads, instances)
    var lanes = (0..<threads).map { place in
      let lane = Lane()
      let share = instances * place / threads..<instances * (place + 1) / threads
      Thread { [makeSimulation] in
        var simulation = makeSimulation(share)
        Self.run(&simulation, on: lane)
      }.start()
      return Playing(lane: lane)
    }
    defer { for lane in lanes { lane.lane.abandon() } }
    var population = Population()
    var inSystem = 0
    while true {
      var first: (place: Int, moment: Moment)?
      for place in lanes.indices {
        guard let moment = lanes[place].next() else { continue }
        if let known = first, known.moment < moment { continue }
        first = (place, moment)
      }
      guard let place = first?.place else { break }
      if lanes[place].tape.next == nil, case .failed(let error, _) = lanes[place].ending { throw error }
      lanes[place].tape.play(into: &recorder, &population, inSystem: &inSystem)
    }
    return SystemTotals(lanes.flatMap(\.outcomes), population: population)
  }

  /// Runs a simulation, and hands over what it reports.
  private static func run(_ simulation: inout Simulation, on lane: Lane) {
    while var tape = lane.takeEmpty() {
      do {
        let goesOn = try simulation.run(onto: &tape, atMost: length)
        lane.hand(over: tape, goesOn ? nil : .done(simulation.outcomes))
        guard goesOn else { return }
      } catch {
        return lane.hand(over: tape, .failed(error, simulation.moment))
      }
    }
  }
}

/// What a thread, and the one that plays its tapes back, hand each other.
private final class Lane: Sendable {
  /// What comes behind a tape that is the last one.
  enum Ending: Sendable {
    case done([InstanceOutcome])
    case failed(SimulationError, Moment)
  }

  private static let tapes = 4
  private let isAbandoned = Atomic(false)
  private let full = Mutex<[(tape: Tape, ending: Ending?)]>([])
  private let filled = DispatchSemaphore(value: 0)
  private let empty = Mutex<[Tape]>([])
  private let emptied = DispatchSemaphore(value: 0)

  init() { for _ in 0..<Self.tapes { hand(back: Tape()) } }

  /// An empty tape, for which it waits; `nil` if no more are wanted.
  func takeEmpty() -> Tape? {
    emptied.wait()
    guard !isAbandoned.load(ordering: .relaxed) else { return nil }
    return empty.withLock { $0.popLast() }
  }

  /// Hands a tape over to be played back.
  func hand(over tape: Tape, _ ending: Ending?) {
    full.withLock { $0.append((tape, ending)) }
    filled.signal()
  }

  /// The next tape to be played back; waits for it.
  func takeFull() -> (tape: Tape, ending: Ending?) {
    filled.wait()
    return full.withLock { $0.removeFirst() }
  }

  /// Hands a tape back that was played.
  func hand(back tape: Tape) {
    empty.withLock { $0.append(tape) }
    emptied.signal()
  }

  /// Lets the thread end.
  func abandon() {
    isAbandoned.store(true, ordering: .relaxed)
    emptied.signal()
  }
}

/// The tape of a lane that is being played back.
private struct Playing {
  let lane: Lane
  var tape = Tape()
  private(set) var ending: Lane.Ending?

  init(lane: Lane) { self.lane = lane }

  /// What the lane's instances leave behind, at the end.
  var outcomes: [InstanceOutcome] {
    if case .done(let outcomes) = ending { outcomes } else { [] }
  }

  /// When its next event happened, on the next tape where this one is at its end; `nil` once there is none.
  mutating func next() -> Moment? {
    while true {
      if let next = tape.next { return next }
      switch ending {
      case .failed(_, let moment): return moment
      case .done: return nil
      case nil:
        var played = Tape()
        swap(&played, &tape)
        played.removeAll()
        lane.hand(back: played)
        (tape, ending) = lane.takeFull()
      }
    }
  }
}
