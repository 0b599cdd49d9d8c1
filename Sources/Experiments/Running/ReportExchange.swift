import Dispatch
import Foundation
import Serving
import Synchronization

/// Where threads that simulate shares of the instances meet, and each learns what the instances of all have reported.
///
/// All meet at the same moments of the simulation, since those follow from arrivals and the delay of reports alone. A thread
/// that has no more to meet for, or has failed, leaves; the others then meet without it.
final class ReportExchange: Sendable {
  /// What a thread takes from a meeting.
  struct Meeting: Sendable {
    /// What all have reported since the last meeting, in the order in which routers are told.
    var reports: [Report] = []
    /// Whether all are to hand over their tapes, because that of one of them is long.
    var handsOver = false
  }

  private struct State {
    /// Threads that have not left.
    var members: Int
    /// How many of them have come to the meeting.
    var present = 0
    /// Places of those that sleep until it is over.
    var sleeping: [Int] = []
    /// What is brought to it.
    var next = Meeting()
    /// The last meeting.
    ///
    /// It stays until all members have come to the next one, and so until each has taken it.
    var last = Meeting()
  }

  private let state: Mutex<State>
  /// Meetings that are over.
  private let meetings = Atomic(0)
  private let isAbandoned = Atomic(false)
  /// Wakes each thread.
  private let wakes: [DispatchSemaphore]
  /// How often a thread looks whether the meeting is over before it sleeps: never where cores are fewer than threads.
  private let patience: Int
  /// Looks that take about as long as falling asleep and being woken, some 0.1 ms; most meetings are over by then.
  private static let looks = 300_000

  /// Creates a meeting place for some threads, each of which has a place from 0.
  init(threads: Int) {
    state = Mutex(State(members: threads))
    wakes = (0..<threads).map { _ in DispatchSemaphore(value: 0) }
    patience = threads <= ProcessInfo.processInfo.activeProcessorCount ? Self.looks : 0
  }

  /// Waits until all members have come.
  ///
  /// - Parameters:
  ///   - place: that of the calling thread.
  ///   - isLong: whether its tape is long.
  ///   - bring: adds what its instances have reported since the last meeting.
  /// - Returns: what all have brought; `nil` if the run is abandoned.
  /// - Complexity: O(n log n) in the reports of all, once for all threads.
  func meet(_ place: Int, isLong: Bool, bring: (inout [Report]) -> Void) -> Meeting? {
    let number = state.withLock { state in
      let number = meetings.load(ordering: .relaxed)
      bring(&state.next.reports)
      if isLong { state.next.handsOver = true }
      state.present += 1
      closeIfComplete(&state)
      return number
    }
    waitForEnd(of: number, place)
    guard !isAbandoned.load(ordering: .relaxed) else { return nil }
    return state.withLock { $0.last }
  }

  /// Leaves for good: the others meet without the calling thread, which must not come back.
  func leave() {
    state.withLock { state in
      state.members -= 1
      closeIfComplete(&state)
    }
  }

  /// Sends all home: those that wait, and those that come later.
  func abandon() {
    isAbandoned.store(true, ordering: .relaxed)
    for wake in wakes { wake.signal() }
  }

  /// Waits until a meeting is over, or the run is abandoned: a while awake, then asleep.
  private func waitForEnd(of number: Int, _ place: Int) {
    for _ in 0..<patience where meetings.load(ordering: .acquiring) != number { return }
    let isOver = state.withLock { state in
      let isOver = meetings.load(ordering: .relaxed) != number
      if !isOver { state.sleeping.append(place) }
      return isOver
    }
    if !isOver { wakes[place].wait() }
  }

  /// Ends the meeting if all members are there.
  private func closeIfComplete(_ state: inout State) {
    guard state.present > 0, state.present == state.members else { return }
    swap(&state.last, &state.next)
    state.next.reports.removeAll(keepingCapacity: true)
    state.next.handsOver = false
    state.last.reports.sort()
    state.present = 0
    meetings.add(1, ordering: .releasing)
    for place in state.sleeping { wakes[place].signal() }
    state.sleeping.removeAll(keepingCapacity: true)
  }
}
