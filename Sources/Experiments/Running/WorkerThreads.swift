import Foundation
import Synchronization

/// Several threads that take one item after another, until there is none left or one of them fails.
///
/// Threads of their own may be as many as are asked for; `DispatchQueue.concurrentPerform` has one for each core.
package struct WorkerThreads: Sendable {
  /// Their number.
  package let count: Int

  /// What threads share.
  private final class Shared: Sendable {
    let next = Atomic(0)
    let failure = Mutex<(any Error)?>(nil)
  }

  /// Creates a description of threads; there is one at least.
  package init(_ count: Int) { self.count = max(count, 1) }

  /// Runs items, and returns when all threads are done.
  ///
  /// - Parameters:
  ///   - items: their number; no more threads than that are started.
  ///   - work: what each thread does: it works on the items whose numbers `next` gives, until that gives `nil`.
  /// - Throws: the first error that `work` threw; then no thread begins another item.
  package func run(_ items: Int, work: @escaping @Sendable (_ next: () -> Int?) throws -> Void) throws {
    let shared = Shared()
    let group = DispatchGroup()
    for _ in 0..<min(count, items) {
      group.enter()
      Thread {
        do {
          try work {
            guard shared.failure.withLock({ $0 == nil }) else { return nil }
            let item = shared.next.add(1, ordering: .relaxed).oldValue
            return item < items ? item : nil
          }
        } catch {
          shared.failure.withLock { $0 = $0 ?? error }
        }
        group.leave()
      }.start()
    }
    group.wait()
    if let failure = shared.failure.withLock({ $0 }) { throw failure }
  }
}
