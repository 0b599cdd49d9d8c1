import Foundation

/// A progress bar on standard error; none where that is not a terminal.
struct Progress {
  private let total: Int
  private let start = ContinuousClock.now
  private var done = 0
  private var drawn = ContinuousClock.now

  /// Creates a bar for so many steps; `nil` if nobody would see it.
  init?(total: Int) {
    guard isatty(STDERR_FILENO) == 1 else { return nil }
    self.total = total
  }

  /// Takes note of one step more; the bar is redrawn ten times a second at most.
  mutating func advance() {
    done += 1
    guard done & 63 == 0 || done == total else { return }
    let now = ContinuousClock.now
    guard now - drawn > .milliseconds(100) else { return }
    drawn = now
    let share = Double(done) / Double(max(total, 1))
    let elapsed =
      Double((now - start).components.seconds) + Double((now - start).components.attoseconds) * 1e-18
    let bar = String(repeating: "█", count: Int(share * 30)).padding(
      toLength: 30, withPad: "░", startingAt: 0)
    let left = share > 0 ? elapsed * (1 - share) / share : 0
    write("\r\(bar) \(Int(share * 100)) %  \(done)/\(total) requests  \(Int(left.rounded(.up))) s left ")
  }

  /// Removes the bar.
  func clear() { write("\r\u{1B}[K") }

  private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
