/// What instances have reported and the router has yet to learn, and what it knows of their loads.
///
/// A report of time t is known to a choice at time T if t < T and t + delay <= T. Reports get to the router in the order
/// of their times, of equal times by instance, and of one instance in the order in which it made them.
struct ReportQueue: Sendable {
  /// Seconds between a report and the moment from which on the router knows of it, above 0.
  let delay: Seconds
  /// Requests at each instance as far as the router knows: those sent there whose ends it has not been told of.
  private(set) var inFlight: [Int]
  /// Reports under way, in order, from `head` on.
  private var reports: [Report] = []
  private var head = 0

  /// Creates an empty queue for some instances.
  init(delay: Seconds, instances: Int) {
    self.delay = delay
    inFlight = Array(repeating: 0, count: instances)
  }

  /// Takes note that a request was sent to an instance, which the router knows at once.
  mutating func noteSent(to instance: Int) { inFlight[instance] += 1 }

  /// Takes in a report.
  ///
  /// - Complexity: O(1) where it is not before those taken in earlier, as in a simulation that handles event by event.
  mutating func add(_ report: Report) {
    var place = reports.count
    while place > head, report.isBefore(reports[place - 1]) { place -= 1 }
    reports.insert(report, at: place)
  }

  /// Tells the router what it knows by now.
  ///
  /// - Parameters:
  ///   - now: when it is about to choose.
  ///   - router: is told of first tokens and ends.
  ///   - listens: whether it wants to be.
  /// - Complexity: O(1) for each report that is told, amortised.
  mutating func deliver(at now: Seconds, to router: inout any Router, listens: Bool) {
    while head < reports.count, reports[head].isKnown(at: now, after: delay) {
      let report = reports[head]
      head += 1
      switch report.event {
      case .firstToken(let request, let time):
        if listens { router.noteFirstToken(of: request, at: time) }
      case .end(let request, let time):
        inFlight[report.instance] -= 1
        if listens { router.noteEnd(of: request, at: time) }
      }
    }
    // Room is given back once half of it is behind.
    if head > 64, 2 * head > reports.count {
      reports.removeFirst(head)
      head = 0
    }
  }
}
