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
  private var start: Seconds = 0
  /// With steps in flight: when each step begins, and the clock once it is planned.
  private(set) var starts: [Seconds] = []
  private(set) var clocks: [StepClock] = []
  /// With steps in flight: when the last step but one ends.
  var event: Seconds = 0
  /// Steps that are laid out in time.
  private(set) var count = 0
  /// When each of them ends.
  private(set) var ends = Array(repeating: Seconds(0), count: mostSteps)
  /// The power limit after each step, if there is one.
  private(set) var power = Array(repeating: PowerLimit.State(), count: mostSteps)
  /// KV blocks in use in each step.
  private(set) var blocks = Array(repeating: Int32(0), count: mostSteps)
  /// Whether there are steps to take.
  var isPending = false
  /// What was recorded of the steps that were taken, and their distances in time.
  private(set) var records = Array(repeating: IterationRecord(), count: mostSteps)
  private(set) var gaps = Array(repeating: Seconds(0), count: mostSteps)

  /// When the last step ends.
  var end: Seconds { count > 0 ? ends[count - 1] : start }
  /// How long the last step takes.
  var lastSeconds: Seconds { run.cost(ofStep: count - 1).seconds }
  /// When a step begins.
  func start(ofStep step: Int) -> Seconds { step > 0 ? ends[step - 1] : start }

  /// The same, with steps in flight or without.
  func begins(_ step: Int) -> Seconds { starts.isEmpty ? start(ofStep: step) : starts[step] }

  /// With steps in flight: elements that have ended, the first of which is the flight that ends at `first`.
  ///
  /// - Parameters:
  ///   - time: before it they have ended.
  ///   - orThen: whether one that ends at that time has ended, too.
  ///   - first: when the first one ends.
  /// - Returns: how many.
  func elements(endedBefore time: Seconds, orThen: Bool, first: Seconds) -> Int {
    guard first < time || orThen && first == time else { return 0 }
    var elements = 1
    while elements < count, ends[elements - 1] < time || orThen && ends[elements - 1] == time {
      elements += 1
    }
    return min(elements, count - 1)
  }

  /// Lays the steps that were priced since the last call out behind a step in flight.
  ///
  /// - Parameters:
  ///   - clock: runs over them.
  ///   - planned: when the next of them is planned; each is as the one before the one before it ends.
  ///   - before: when the step before the next of them ends.
  ///   - stopAt: no step is planned then or later.
  /// - Returns: false if that has come.
  mutating func layAhead(
    on clock: inout StepClock, planned: inout Seconds, before: inout Seconds, stopAt: Seconds
  ) -> Bool {
    while count < run.priced {
      var cost = run.cost(ofStep: count)
      let (start, seconds) = clock.run(&cost, plannedAt: planned, after: before, decodeShare: 1)
      run.steps[count] = DecodeStep(cost)
      planned = before
      before = start + seconds
      starts.append(start)
      clocks.append(clock)
      ends[count] = before
      count += 1
      if planned >= stopAt { return false }
    }
    return true
  }

  /// Forgets all steps; the first one will begin at a time.
  mutating func begin(at now: Seconds) {
    run.forget()
    if !starts.isEmpty {
      starts.removeAll(keepingCapacity: true)
      clocks.removeAll(keepingCapacity: true)
    }
    start = now
    count = 0
    isPending = true
  }

  /// Lays the steps that were priced since the last call out in time.
  ///
  /// - Returns: false if a step ends when the run is cut, or later: it is the last one.
  mutating func lay(on clock: inout StepClock, stopAt: Seconds) -> Bool {
    count = clock.lay(
      count..<run.priced, of: &run, from: end, ends: &ends, states: &power, stopAt: stopAt)
    return end < stopAt
  }

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

  /// Steps that have ended before a time, or at that time as well; the next one contains it.
  func steps(endedBefore time: Seconds, orThen: Bool) -> Int {
    var steps = 0
    while steps < count - 1, ends[steps] < time || orThen && ends[steps] == time { steps += 1 }
    return steps
  }

  /// Takes the first steps, one after another.
  ///
  /// - Parameters:
  ///   - steps: how many.
  ///   - record: that of the step before; at the end, that of the last step taken.
  ///   - decoding: the sequences.
  ///   - index: the number of the first step.
  mutating func take(
    _ steps: Int, as record: inout IterationRecord, decoding: inout DecodingSet, from index: Int64
  ) {
    Self.take(
      steps, after: start, as: &record, index: index, run: run, starts: starts, ends: ends, blocks: blocks,
      decoding: &decoding, records: &records, gaps: &gaps)
  }

  private static func take(
    _ steps: Int, after start: Seconds, as record: inout IterationRecord, index: Int64,
    run: borrowing DecodeRun, starts: [Seconds], ends: [Seconds], blocks: [Int32],
    decoding: inout DecodingSet, records: inout [IterationRecord], gaps: inout [Seconds]
  ) {
    var records = records.mutableSpan
    var gaps = gaps.mutableSpan
    let (costs, starts, ends, blocks) = (run.steps.span, starts.span, ends.span, blocks.span)
    var latest = record
    latest.fill(from: run.common, start: start, end: start)
    latest.index = index
    let rows = Double(decoding.stepping)
    let expertBytes = run.common.decodeExpertBytes / rows
    var longest: Seconds = 0
    for step in 0..<steps {
      // Behind a step in flight there may be time in between; otherwise one begins as the one before ends.
      latest.start = starts.isEmpty ? latest.end : starts[step]
      latest.end = ends[step]
      latest.kvBytes = costs[step].kvBytes
      latest.joules = costs[step].joules
      latest.kernelSeconds = costs[step].kernelSeconds
      latest.kvBlocksUsed = blocks[step]
      records[step] = latest
      latest.index += 1
      let gap = decoding.repeatStep(costs[step], rows: rows, expertBytes: expertBytes, at: ends[step])
      gaps[step] = gap
      longest = max(longest, gap)
    }
    latest.index -= 1
    // No sequence joins or leaves between these steps, so none will ask for the longest gap since one of them.
    decoding.gaps.append(longest, step: decoding.step)
    record = latest
  }

  /// Makes the next decode steps of an instance the run that is to be priced.
  ///
  /// - Returns: how many of them, at most `limit`, may be repeated: up to the next that ends a request, and as long as
  ///   there is memory.
  @inline(never)
  mutating func prepare(_ view: inout InstanceView, atMost limit: Int) -> Int {
    let completion = view.decoding.stepsToNextCompletion(atMost: limit)
    let most = foreseeBlocks(steps: completion ?? limit, memory: view.memory, decoding: view.decoding)
    guard most > 0 else { return 0 }
    run.decodes = view.decoding.stepping
    run.context = view.decoding.nextContext
    run.draw = view.estimator.firstDraw + UInt64(view.step)
    view.decoding.window?.fill(&run.windowContexts, count: most, after: view.decoding.step)
    if !view.decoding.missing.isEmpty {
      run.missing = view.decoding.missing
      run.profile = run.missing.allSatisfy { $0 == 0 } ? nil : view.profile
    }
    return most
  }
}
