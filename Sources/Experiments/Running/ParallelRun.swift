import Foundation
import Serving

/// Runs instances on several threads, where none knows of another, or only late by what is reported to the router.
///
/// Each thread simulates some of the instances, with all requests and a router of its own, and records on tapes what they
/// report. Tapes are played back in the order of events, so that a recorder is told the same whatever the number of threads.
///
/// Where a router learns late of first tokens and ends, the threads meet before a choice that might know of what others
/// have reported (``ReportExchange``). The routers then are all told the same, and all choose the same. Once the tape of one
/// is long, all hand over theirs after a meeting, and say that nothing comes before its moment.
///
/// Threads never wait for each other in a circle, few as the tapes of a lane are:
///
/// - Between meetings no thread waits for the player: it takes one more tape if none is empty. So each comes to the next
///   meeting, or leaves, and every meeting ends.
/// - A thread that waits for an empty tape after a meeting at moment M has full ones, all of what came before M. The others
///   hand over theirs after the same meeting without waiting for anything. The player, which plays what is earliest and hands
///   tapes back as soon as they are played, has then all that it needs up to M, and so gets to those full tapes.
/// - A thread that has left waits for the player only, and has full tapes then.
/// - So the player waits only for threads that work, or wait for others that work.
struct ParallelRun {
  /// How many instances there are.
  let instances: Int
  /// Most threads, at least 1.
  let threads: Int
  /// Iterations, gaps and events on a tape, after which it is handed over.
  var tapeLength = 20_000
  /// Makes a simulation of some of the instances.
  let makeSimulation: @Sendable (_ share: Range<Int>) -> Simulation

  /// Runs it.
  ///
  /// - Parameter recorder: is told of everything, on this thread; it must not want kernels or rows of steps.
  /// - Returns: what the recorder is not told.
  /// - Throws: if the policy breaks the engine's rules.
  func run(recorder: inout some Recorder) throws(SimulationError) -> SystemTotals {
    let threads = min(threads, instances)
    let exchange = ReportExchange(threads: threads)
    var lanes = (0..<threads).map { place in
      let lane = TapeLane()
      let share = instances * place / threads..<instances * (place + 1) / threads
      Thread { [makeSimulation, tapeLength] in
        var simulation = makeSimulation(share)
        Self.run(&simulation, at: place, on: lane, exchange, tapeLength: tapeLength)
      }.start()
      return PlayedLane(lane: lane)
    }
    defer {
      for lane in lanes { lane.lane.abandon() }
      exchange.abandon()
    }
    var population = Population()
    var inSystem = 0
    while let first = Self.first(of: &lanes) {
      guard first.next.isKnown else {
        lanes[first.place].takeTape()
        continue
      }
      if let failure = lanes[first.place].failure { throw failure }
      lanes[first.place].tape.play(into: &recorder, &population, inSystem: &inSystem)
    }
    return SystemTotals(lanes.flatMap(\.outcomes), population: population)
  }

  /// The lane that has the earliest next, of equals one that is not known; `nil` once none has any.
  private static func first(of lanes: inout [PlayedLane]) -> (place: Int, next: PlayedLane.Next)? {
    var first: (place: Int, next: PlayedLane.Next)?
    for place in lanes.indices {
      guard let next = lanes[place].next() else { continue }
      if let known = first {
        if known.next.moment < next.moment { continue }
        if !known.next.isKnown, known.next.moment == next.moment { continue }
      }
      first = (place, next)
    }
    return first
  }

  /// Runs a simulation, and hands over what it reports.
  private static func run(
    _ simulation: inout Simulation, at place: Int, on lane: TapeLane, _ exchange: ReportExchange,
    tapeLength: Int
  ) {
    var isMember = true
    defer { if isMember { exchange.leave() } }
    var empty = lane.takeEmpty()
    while var tape = empty {
      do {
        switch try simulation.run(onto: &tape, atMost: tapeLength) {
        case .full:
          lane.hand(over: tape)
          empty = isMember && simulation.meets ? lane.takeEmptyAtOnce() : lane.takeEmpty()
        case .meeting(let moment):
          let isLong = tape.length >= tapeLength / 2
          let meeting = exchange.meet(place, isLong: isLong) { simulation.giveReports(to: &$0) }
          guard let meeting else { return }
          simulation.hear(meeting.reports)
          guard meeting.handsOver else {
            empty = tape
            continue
          }
          lane.hand(over: tape, .notBefore(moment))
          empty = lane.takeEmpty()
        case .allSent:
          exchange.leave()
          isMember = false
          empty = tape
        case .over: return lane.hand(over: tape, .done(simulation.outcomes))
        }
      } catch {
        return lane.hand(over: tape, .failed(error, simulation.moment))
      }
    }
  }
}
