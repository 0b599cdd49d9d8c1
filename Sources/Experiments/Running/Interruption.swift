import Serving
import Synchronization
import Workloads

/// A wish, made on another thread, that a run sends no further requests.
public final class Interruption: Sendable {
  private let isWished = Atomic(false)

  /// Creates a wish that nobody has made yet.
  public init() {}

  /// Makes the wish.
  public func request() { isWished.store(true, ordering: .relaxed) }

  /// Whether it was made.
  public var isRequested: Bool { isWished.load(ordering: .relaxed) }
}

/// Requests that end when somebody wishes it.
struct InterruptibleRequests: IteratorProtocol {
  var requests: RequestIterator
  let interruption: Interruption

  mutating func next() -> Request? { interruption.isRequested ? nil : requests.next() }
}
