/// Answers "what was the longest gap between two successive decode steps since step n" without visiting them.
///
/// A stack of (step, gap) that decreases in gap: a gap that was followed by a longer one can never again be the
/// answer. Every question is about a suffix of the history, so the answer is the first entry after step n.
struct GapHistory: Sendable {
  private var stack: [(step: Int, gap: Seconds)] = []

  /// Adds the gap that ended with a step; steps must increase.
  ///
  /// - Complexity: O(1) amortised.
  mutating func append(_ gap: Seconds, step: Int) {
    var kept = stack.count
    while kept > 0, stack[kept - 1].gap <= gap { kept -= 1 }
    if kept == stack.count {
      stack.append((step, gap))
    } else {
      // Mostly just the last gap gives way to a longer one.
      stack[kept] = (step, gap)
      if kept + 1 < stack.count { stack.removeLast(stack.count - kept - 1) }
    }
  }

  /// The longest gap among the steps after `step`; 0 if there is none.
  ///
  /// - Complexity: O(log n) for n entries on the stack.
  func longest(after step: Int) -> Seconds {
    var low = 0
    var high = stack.count
    while low < high {
      let middle = (low + high) / 2
      if stack[middle].step > step { high = middle } else { low = middle + 1 }
    }
    return low < stack.count ? stack[low].gap : 0
  }

  /// Number of entries kept.
  var count: Int { stack.count }

  /// Forgets the steps up to `step`, about which nobody will ask any more.
  mutating func forget(through step: Int) {
    stack.removeAll { $0.step <= step }
  }
}
