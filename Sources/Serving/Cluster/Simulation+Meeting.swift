// Simulations that run a share of the instances each, under a router that learns of what happens at all of them.
extension Simulation {
  /// Why to pause before the next event, `meeting` or `allSent`; `nil` if there is no reason.
  ///
  /// A meeting is due where the next thing to happen is a choice that might know of what others report; see
  /// ``ReportQueue/meetsAt``.
  mutating func pause() -> TapeEnd? {
    guard let meetsAt = reports?.meetsAt, reports?.mode == .shared else { return nil }
    fetchUpcoming()
    guard let arrival = upcoming?.arrival, let id = upcoming?.id else {
      reports?.close()
      return .allSent
    }
    guard arrival >= meetsAt, arrival <= events.first?.time ?? .infinity,
      travellingHead == travelling.count || arrival < travelling[travellingHead].time
    else { return nil }
    return .meeting(Moment(arrival, .sending, id))
  }

  /// Whether there are meetings to come.
  package var meets: Bool { reports?.mode == .shared }

  /// Adds what the instances that are run have reported since the last meeting to what others have.
  package mutating func giveReports(to others: inout [Report]) { reports?.giveUnshared(to: &others) }

  /// Takes in what all simulations have brought to a meeting, in order.
  ///
  /// - Precondition: the simulation has paused for a meeting, and has not gone on since.
  package mutating func hear(_ exchanged: [Report]) {
    guard let arrival = upcoming?.arrival else { preconditionFailure("a choice is next") }
    reports?.take(exchanged, at: arrival)
  }
}
