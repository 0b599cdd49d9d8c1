import Foundation
import Synchronization
import Testing

@testable import Experiments
@testable import Serving

/// Where threads learn what others have reported.
@Suite(.timeLimit(.minutes(2))) struct ReportExchangeTests {
  private func report(_ instance: Int, _ number: Int, at time: Seconds) -> Report {
    Report(instance: instance, number: number, event: .end(10 * instance + number, time))
  }

  /// Runs threads, and returns when all are done.
  private func onThreads(_ count: Int, _ work: @escaping @Sendable (_ place: Int) -> Void) {
    let group = DispatchGroup()
    for place in 0..<count {
      group.enter()
      Thread {
        work(place)
        group.leave()
      }.start()
    }
    group.wait()
  }

  /// Reports are in the order of their times, of equal times by instance, and of one instance as it made them.
  @Test func reportsAreOrdered() {
    let ordered = [
      report(3, 0, at: 0.5), report(0, 4, at: 1), report(0, 5, at: 1), report(2, 1, at: 1),
      report(1, 0, at: 2),
    ]
    #expect(ordered.reversed().sorted() == ordered)
    #expect(
      report(0, 0, at: 1).isKnown(at: 1.5, after: 0.5) && !report(0, 0, at: 1).isKnown(at: 1.25, after: 0.5))
    #expect(
      !report(0, 0, at: 1).isKnown(at: 1, after: 1e-20), "what happens at the time of a choice comes after it"
    )
  }

  /// Each thread gets what all have brought to a meeting, in order; who has left brings nothing more.
  @Test(arguments: 1...5) func allGetWhatAllBring(threads: Int) {
    let exchange = ReportExchange(threads: threads)
    let rounds = 200
    let heard = Mutex(Array(repeating: [[Report]](), count: threads))
    onThreads(threads) { place in
      // The first thread leaves half way.
      for round in 0..<rounds where place > 0 || round < rounds / 2 {
        if (round + place) % 7 == 0 { usleep(20) }
        let own = [report(place, round, at: Double(round)), report(place, round + 1, at: Double(round))]
        let reports = exchange.meet(place, isLong: false) { $0 += own }?.reports ?? []
        heard.withLock { $0[place].append(reports) }
      }
      exchange.leave()
    }
    for (place, rounds) in heard.withLock({ $0 }).enumerated() {
      for (round, reports) in rounds.enumerated() {
        let members = (round < 100 ? 0 : 1)..<threads
        #expect(
          reports
            == members.flatMap {
              [report($0, round, at: Double(round)), report($0, round + 1, at: Double(round))]
            },
          "thread \(place)")
      }
    }
  }

  /// Those that wait are sent home, and so are those that come later.
  @Test func whoWaitsIsSentHome() {
    let exchange = ReportExchange(threads: 3)
    let sentHome = Atomic(0)
    onThreads(3) { place in
      if place == 2 {
        usleep(20_000)
        exchange.abandon()
      }
      if exchange.meet(place, isLong: false, bring: { _ in }) == nil { sentHome.add(1, ordering: .relaxed) }
    }
    #expect(sentHome.load(ordering: .relaxed) == 3)
  }
}
