import Serving
import Synchronization
import Workloads

/// A wish, made on another thread, that a run sends no further requests.
public final class Interruption: Sendable {
  private let isWished = Atomic(false)
  private let isFelt = Atomic(false)

  /// Creates a wish that nobody has made yet.
  public init() {}

  /// Makes the wish.
  public func request() { isWished.store(true, ordering: .relaxed) }

  /// Whether it was made.
  public var isRequested: Bool { isWished.load(ordering: .relaxed) }

  /// Whether a run had requests left that were not sent: one that had sent all before the wish is complete.
  public var hasCut: Bool { isFelt.load(ordering: .relaxed) }

  /// Takes note of requests that are not sent.
  fileprivate func cut() { isFelt.store(true, ordering: .relaxed) }
}

/// Requests that end when somebody wishes it.
struct InterruptibleRequests: IteratorProtocol {
  var requests: RequestIterator
  let interruption: Interruption

  mutating func next() -> Request? {
    guard let request = requests.next() else { return nil }
    guard interruption.isRequested else { return request }
    interruption.cut()
    return nil
  }
}
