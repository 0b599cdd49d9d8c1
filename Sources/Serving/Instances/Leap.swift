/// Decode steps that are priced ahead and not yet taken.
///
/// An instance whose policy would only repeat itself leaps to the step at whose end something of its own happens, and
/// does nothing until then. What another instance does is no reason to stop. A request that is sent here cuts the leap:
/// the steps that have ended by then are taken, the one that runs goes on, the rest is dropped.
struct Leap {
  /// Most steps at once: few enough for all that is kept of them to stay in the cache.
  static let mostSteps = 64

  var run = DecodeRun()
  /// When the first step begins.
  var start: Seconds = 0
  /// When each step ends.
  var ends: [Seconds] = []
  /// With steps in flight: when each step begins, and the clock once it is planned.
  var starts: [Seconds] = []
  var clocks: [StepClock] = []
  /// With steps in flight: when the last step but one ends.
  var event: Seconds = 0
  /// The power limit after each step, if there is one.
  var power = Array(repeating: PowerLimit.State(), count: mostSteps)
  /// KV blocks in use in each step.
  var blocks = Array(repeating: Int32(0), count: mostSteps)
  /// Whether there are steps to take.
  var isPending = false
  /// What was recorded of the steps that were taken, and their distances in time.
  var records = Array(repeating: IterationRecord(), count: mostSteps)
  var gaps = Array(repeating: Seconds(0), count: mostSteps)

  /// Works out the KV blocks in use in each of the next steps.
  ///
  /// - Returns: the number of steps, at most `steps`, for which there is memory.
  mutating func foreseeBlocks(steps: Int, memory: borrowing KVMemory, decoding: borrowing DecodingSet) -> Int
  {
    let needs = decoding.byRemainder.span
    var blocks = blocks.mutableSpan
    var free = memory.freeBlocks
    let total = memory.totalBlocks
    var needing = decoding.classNeedingBlock
    for step in 0..<steps {
      free -= Int(needs[needing])
      guard free >= 0 else { return step }
      blocks[step] = Int32(total - free)
      needing = (needing > 0 ? needing : needs.count) - 1
    }
    return steps
  }

  /// With steps in flight: elements that have ended before a time, the first of which is the flight that ends at `first`.
  func elements(endedBefore time: Seconds, first: Seconds) -> Int {
    guard first < time else { return 0 }
    var count = 1
    while count < ends.count, ends[count - 1] < time { count += 1 }
    return min(count, ends.count - 1)
  }

  /// Steps that have ended before a time; the next one contains it.
  func steps(endedBefore time: Seconds) -> Int {
    var count = 0
    while count < ends.count - 1, ends[count] < time { count += 1 }
    return count
  }
}
