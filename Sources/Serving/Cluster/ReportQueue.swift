/// What instances have reported and the router has yet to learn, and what it knows of their loads.
///
/// A report of time t is known to a choice at time T if t < T and t + delay <= T. Reports get to the router in the order
/// of their times, of equal times by instance, and of one instance in the order in which it made them.
///
/// Where several simulations run a share of the instances each, their reports are exchanged at meetings: see
/// ``meetsAt``.
struct ReportQueue: Sendable {
  /// Where the reports of the instances that are run go.
  enum Mode {
    /// To the router: all instances are run.
    case whole
    /// To the next meeting, from which they come back with those of other simulations.
    case shared
    /// Nowhere: there are no more choices.
    case closed
  }

  /// Seconds between a report and the moment from which on the router knows of it, above 0.
  let delay: Seconds
  /// Where reports go.
  private(set) var mode: Mode
  /// Requests at each instance as far as the router knows: those sent there whose ends it has not been told of.
  private(set) var inFlight: [Int]
  /// The first time of a choice that might know of a report which has not been exchanged.
  ///
  /// A meeting takes place before a choice at some time A, when everything before A has happened. What is reported later has
  /// a time of A or more, and is known to choices from A + delay on, but to none at A itself. Rounding is monotonic, so
  /// that this holds to the last bit. All simulations have the same arrivals, and so the same meetings.
  private(set) var meetsAt = -Seconds.infinity
  /// Reports under way, in order, from `head` on.
  private var reports: [Report] = []
  private var head = 0
  /// Reports that have not been exchanged.
  private var unshared: [Report] = []
  private var count = 0

  /// Creates an empty queue for some instances.
  ///
  /// - Parameters:
  ///   - delay: seconds, above 0.
  ///   - instances: their number, those that others run included.
  ///   - isShared: whether others run some of them.
  init(delay: Seconds, instances: Int, isShared: Bool) {
    self.delay = delay
    mode = isShared ? .shared : .whole
    inFlight = Array(repeating: 0, count: instances)
  }

  /// Takes note that a request was sent to an instance, which the router knows at once.
  mutating func noteSent(to instance: Int) { inFlight[instance] += 1 }

  /// Takes in what an instance reports.
  ///
  /// - Complexity: O(1) where it is not before what was taken in earlier, as in a simulation that handles event by event.
  mutating func add(_ event: RequestEvent, of instance: Int) {
    let report = Report(instance: instance, number: count, event: event)
    count += 1
    switch mode {
    case .closed: return
    case .shared: unshared.append(report)
    case .whole:
      var place = reports.count
      while place > head, report < reports[place - 1] { place -= 1 }
      reports.insert(report, at: place)
    }
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

  /// Brings what has been reported since the last meeting to the next one.
  mutating func giveUnshared(to others: inout [Report]) {
    others += unshared
    unshared.removeAll(keepingCapacity: true)
  }

  /// Takes in what all simulations have brought to a meeting.
  ///
  /// - Parameters:
  ///   - exchanged: their reports, in order; none is before those of an earlier meeting.
  ///   - now: the time of the choice that the meeting took place before.
  mutating func take(_ exchanged: [Report], at now: Seconds) {
    reports += exchanged
    meetsAt = max(now + delay, now.nextUp)
  }

  /// Takes note that there are no more choices.
  mutating func close() {
    mode = .closed
    unshared = []
    reports = []
    head = 0
  }
}
