import Experiments
import Foundation
import Synchronization

/// A progress bar on standard error; none where that is not a terminal.
///
/// Several threads may advance it: they share one counter, and the one that finds a redraw due makes it.
final class Progress: RunProgress {
  private let total: Int
  private let unit: String
  private let start = ContinuousClock.now
  private let done = Atomic(0)
  private let drawn = Mutex(ContinuousClock.now)

  /// Creates a bar of `total` steps; `nil` where standard error is not a terminal.
  init?(total: Int, unit: String = "requests") {
    guard isatty(STDERR_FILENO) == 1 else { return nil }
    self.total = total
    self.unit = unit
  }

  /// Counts further steps; the bar is redrawn ten times a second at most.
  func advance(by steps: Int) {
    let done = done.add(steps, ordering: .relaxed).newValue
    guard done & 63 < steps || done == total else { return }
    _ = drawn.withLockIfAvailable { drawn in
      let now = ContinuousClock.now
      guard now - drawn > .milliseconds(100) else { return }
      drawn = now
      draw(done, after: (now - start).seconds)
    }
  }

  /// Removes the bar.
  func clear() { write("\r\u{1B}[K") }

  private func draw(_ done: Int, after elapsed: Double) {
    let share = min(Double(done) / Double(max(total, 1)), 1)
    let bar = String(repeating: "█", count: Int(share * 30)).padding(
      toLength: 30, withPad: "░", startingAt: 0)
    let left = share > 0 ? elapsed * (1 - share) / share : 0
    write("\r\(bar) \(Int(share * 100)) %  \(done)/\(total) \(unit)  \(Int(left.rounded(.up))) s left ")
  }

  private func write(_ text: String) { writeError(text) }
}
