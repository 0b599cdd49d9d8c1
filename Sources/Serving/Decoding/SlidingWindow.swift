/// Keeps the number of KV entries that stepping sequences see through a sliding window.
///
/// The sum of min(context, window) grows with each step by the number of sequences still shorter than the window;
/// how many reach it at a step is known when they join.
struct SlidingWindow: Sendable {
  /// Positions that a row sees, itself included.
  let size: Tokens
  /// Entries that the sequences will attend to in the next step.
  private(set) var nextContext = 0
  private var growing = 0
  private var reaching: [Int32]

  init(size: Tokens) {
    self.size = size
    var length = 16
    while length <= size { length *= 2 }
    reaching = Array(repeating: 0, count: length)
  }

  /// Adds a sequence that stores `context` entries after step `step`.
  mutating func insert(context: Tokens, step: Int) { change(by: 1, context: context, step: step) }

  /// Removes a sequence that stores `context` entries after step `step`.
  mutating func remove(context: Tokens, step: Int) { change(by: -1, context: context, step: step) }

  private mutating func change(by sign: Int, context: Tokens, step: Int) {
    let seen = context + 1
    nextContext += sign * min(seen, size)
    if seen < size {
      growing += sign
      reaching[(step + size - seen) & (reaching.count - 1)] += Int32(sign)
    }
  }

  /// Takes note that step `step` is done.
  mutating func advance(to step: Int) {
    nextContext += growing
    let slot = step & (reaching.count - 1)
    growing -= Int(reaching[slot])
    reaching[slot] = 0
  }

  /// Fills in the entries that the sequences will attend to in each of the next steps, if nobody joins or leaves.
  ///
  /// - Parameters:
  ///   - contexts: what was in it is replaced.
  ///   - count: number of steps.
  ///   - step: steps done so far.
  func fill(_ contexts: inout [Tokens], count: Int, after step: Int) {
    contexts.removeAll(keepingCapacity: true)
    var (next, growing) = (nextContext, growing)
    for ahead in 1...count {
      contexts.append(next)
      next += growing
      // Whoever grows reaches the window before the ring comes round.
      if ahead < reaching.count { growing -= Int(reaching[(step + ahead) & (reaching.count - 1)]) }
    }
  }
}
