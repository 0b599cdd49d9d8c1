/// What an instance tells the router of a request.
struct Report: Sendable {
  /// The instance that tells it.
  let instance: Int
  /// What has happened, and when.
  let event: RequestEvent

  /// When it happened.
  var time: Seconds { event.time }

  /// Whether a choice at some time knows of it where that takes a delay.
  ///
  /// What happens at the very time of a choice comes after it, however short the delay.
  func isKnown(at now: Seconds, after delay: Seconds) -> Bool { time < now && time + delay <= now }

  /// Whether the router is told of it earlier than of another report of another instance or time.
  func isBefore(_ other: Report) -> Bool {
    time != other.time ? time < other.time : instance < other.instance
  }
}

/// What a router may be told of a request, by its number, and when it happened.
enum RequestEvent: Sendable {
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
