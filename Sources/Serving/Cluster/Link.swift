/// A connection over which KV entries travel.
///
/// Transfers under way share its bandwidth equally.
public struct Link: Sendable {
  /// A transfer under way.
  private struct Transfer: Sendable {
    let id: Int
    /// When its first byte is through.
    let begin: Seconds
    var bytesLeft: Double
  }

  /// What it carries in a second, in bytes.
  public let bytesPerSecond: Double
  /// Time from the start of a transfer until its first byte is through.
  public let latency: Seconds
  private var transfers: [Transfer] = []
  private var now: Seconds = 0
  private var begun = 0

  /// Creates an idle link.
  public init(bytesPerSecond: Double, latency: Seconds = 0) {
    precondition(bytesPerSecond > 0 && latency >= 0, "a link moves bytes forward in time")
    self.bytesPerSecond = bytesPerSecond
    self.latency = latency
  }

  /// Begins a transfer.
  ///
  /// - Parameters:
  ///   - bytes: how much is to be moved.
  ///   - time: not before that of any earlier call.
  /// - Returns: the transfer's number; they are counted from 0.
  /// - Complexity: O(transfers under way).
  public mutating func begin(_ bytes: Double, at time: Seconds) -> Int {
    advance(to: time)
    transfers.append(Transfer(id: begun, begin: time + latency, bytesLeft: bytes))
    begun += 1
    return begun - 1
  }

  /// When something changes next if nothing else begins: a transfer ends, or its first byte is through.
  ///
  /// - Complexity: O(transfers under way).
  public var nextChange: Seconds? {
    guard !transfers.isEmpty else { return nil }
    let flowing = transfers.filter { $0.begin <= now }
    let share = bytesPerSecond / Double(max(flowing.count, 1))
    let end = flowing.map { now + $0.bytesLeft / share }.min() ?? .infinity
    return transfers.filter { $0.begin > now }.reduce(end) { min($0, $1.begin) }
  }

  /// Takes out the transfers that have ended.
  ///
  /// - Parameter time: from ``nextChange``.
  /// - Returns: their numbers, in order.
  public mutating func takeEnded(at time: Seconds) -> [Int] {
    advance(to: time)
    // Half a byte is less than any rounding of times leaves.
    let ended = transfers.filter { $0.begin <= now && $0.bytesLeft < 0.5 }.map(\.id)
    transfers.removeAll { $0.begin <= now && $0.bytesLeft < 0.5 }
    return ended
  }

  /// Moves the bytes that flow until a time.
  private mutating func advance(to time: Seconds) {
    while now < time {
      let until = min(time, nextChange ?? time)
      let flowing = transfers.indices.filter { transfers[$0].begin <= now }
      let moved = (until - now) * bytesPerSecond / Double(max(flowing.count, 1))
      for i in flowing { transfers[i].bytesLeft = max(0, transfers[i].bytesLeft - moved) }
      guard until > now else { break }
      now = until
    }
    now = max(now, time)
  }
}
