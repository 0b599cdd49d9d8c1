/// Makes times of costs: when a step begins and ends, given the one before it, and what the power limit leaves it.
public struct StepClock: Sendable, Hashable {
  /// Whether the host prepares a step while the GPU runs the one before.
  public let overlapsHost: Bool
  private let idleWatts: Double
  /// The limit on the power of the instance's GPUs; `nil` where nothing limits it.
  public internal(set) var power: PowerLimit?
  private var lastEnd: Seconds = 0
  /// When the host has prepared the last step.
  private var prepared: Seconds = 0

  /// Creates a clock at 0.
  ///
  /// - Parameters:
  ///   - overlapsHost: whether the host prepares a step while the GPU runs the one before.
  ///   - idleWatts: power that flows whatever runs.
  ///   - power: the limit on power, if there is one.
  public init(overlapsHost: Bool = false, idleWatts: Double = 0, power: PowerLimit? = nil) {
    self.overlapsHost = overlapsHost
    self.idleWatts = idleWatts
    self.power = power
  }

  /// Runs a step that is planned at a time.
  ///
  /// Without overlap it begins at once, and takes what it costs. With overlap its kernels begin when those of the step
  /// before have ended, and the host has prepared it. The idle power that flows all the while is added to its cost.
  ///
  /// - Parameters:
  ///   - cost: what it costs; the power limit may change it.
  ///   - now: when it is planned.
  ///   - before: when the step before ends.
  ///   - decodeShare: share of the decode rows among all rows, which share the idle energy equally.
  /// - Returns: when the step begins, and how long it takes.
  @inline(__always)
  public mutating func run(
    _ cost: inout StepCost, plannedAt now: Seconds, after before: Seconds, decodeShare: Double
  ) -> (start: Seconds, seconds: Seconds) {
    var start = now
    if overlapsHost {
      prepared = max(now, prepared) + cost.hostSeconds
      start = max(lastEnd, prepared)
      // The step before hides the preparation.
      cost.hostSeconds = 0
    }
    if power != nil {
      rest(start - before)
      power?.run(&cost)
    }
    let seconds = cost.seconds
    if overlapsHost { lastEnd = start + seconds }
    cost.addIdle(idleWatts * seconds, decodeShare: decodeShare)
    return (start, seconds)
  }

  /// What the power limit has done: the time that it has added and, below 0, the energy that it has saved; `nil` if nothing.
  var limitUse: KernelUse? {
    guard let state = power?.state, state.slowedSteps > 0 else { return nil }
    return KernelUse(
      kernel: "power_limit", calls: state.slowedSteps, seconds: state.addedSeconds, joules: -state.savedJoules
    )
  }

  /// Nothing runs for some time.
  @inline(__always)
  mutating func rest(_ seconds: Seconds) { if seconds > 0 { power?.rest(seconds) } }

  /// Lays decode steps out in time, one after the other.
  ///
  /// - Parameters:
  ///   - steps: which steps of the run; the power limit may change what they cost, and the idle power is added.
  ///   - run: the run.
  ///   - start: when the first one begins.
  ///   - ends: when each ends is put here.
  ///   - states: the power limit after each is put here, if there is one.
  ///   - stopAt: the first step that ends then or later is the last.
  /// - Returns: one past the last step that is laid out.
  mutating func lay(
    _ steps: Range<Int>, of run: inout DecodeRun, from start: Seconds, ends: inout [Seconds],
    states: inout [PowerLimit.State], stopAt: Seconds
  ) -> Int {
    let common = run.common
    let (issued, prepared, exposed) = (common.launchSeconds, common.hostSeconds, common.exposedSeconds)
    var (end, limit) = (start, power)
    defer { power = limit }
    var costs = run.steps.mutableSpan
    var ends = ends.mutableSpan
    var states = states.mutableSpan
    for step in steps {
      // As of a whole cost, to the last bit.
      var seconds = max(costs[step].kernelSeconds, issued) + prepared + exposed
      if limit?.takes(joules: costs[step].joules, seconds: seconds) == false {
        var cost = common
        costs[step].fill(&cost)
        limit?.slow(&cost)
        costs[step] = DecodeStep(cost)
        seconds = cost.seconds
      }
      if let state = limit?.state { states[step] = state }
      costs[step].decodeRowJoules += idleWatts * seconds
      end += seconds
      ends[step] = end
      if end >= stopAt { return step + 1 }
    }
    return steps.upperBound
  }
}
