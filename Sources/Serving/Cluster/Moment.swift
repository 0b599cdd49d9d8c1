/// When something happened in a simulation, and its place among what happened at the same time.
public struct Moment: Sendable, Hashable, Comparable {
  /// What happened, in the order in which a simulation takes up what happens at the same time.
  enum Kind: UInt8 {
    /// Requests got to their instances.
    case comingIn
    /// Requests were sent.
    case sending
    /// An instance ended a step.
    case stepEnd
    /// The run is over.
    case end
  }

  /// The time.
  public var time: Seconds
  private var kind: UInt8
  /// The instance whose step ended, or the first request that was sent.
  private var place: Int

  /// Creates a moment.
  init(_ time: Seconds, _ kind: Kind, _ place: Int = 0) {
    self.time = time
    self.kind = kind.rawValue
    self.place = place
  }

  /// The order in which a simulation takes things up.
  public static func < (a: Moment, b: Moment) -> Bool {
    if a.time != b.time { return a.time < b.time }
    return a.kind != b.kind ? a.kind < b.kind : a.place < b.place
  }
}
