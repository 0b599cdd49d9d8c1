/// What an instance tells the router of a request.
package struct Report: Sendable, Hashable {
  /// The instance that tells it.
  let instance: Int
  /// Its place among the reports that a simulation has taken in.
  let number: Int
  /// What has happened, and when.
  let event: RequestEvent

  /// When it happened.
  var time: Seconds { event.time }

  /// Whether a choice at some time knows of it where that takes a delay.
  ///
  /// What happens at the very time of a choice comes after it, however short the delay.
  func isKnown(at now: Seconds, after delay: Seconds) -> Bool { time < now && time + delay <= now }
}

/// The order in which a router is told: by time, of equal times by instance, and of one instance as it reported.
extension Report: Comparable {
  /// Whether one report is told before another.
  package static func < (a: Report, b: Report) -> Bool {
    if a.time != b.time { return a.time < b.time }
    return a.instance != b.instance ? a.instance < b.instance : a.number < b.number
  }
}

/// What a router may be told of a request, by its number, and when it happened.
enum RequestEvent: Sendable, Hashable {
  /// Its first token is out; after a preemption it is said again.
  case firstToken(Int, Seconds)
  /// It has ended.
  case end(Int, Seconds)

  /// When it happened.
  var time: Seconds {
    switch self {
    case .firstToken(_, let time), .end(_, let time): time
    }
  }
}
