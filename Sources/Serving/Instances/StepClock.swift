/// Makes times of costs: when a step begins and ends, given the one before it, and what the power limit leaves it.
public struct StepClock: Sendable, Hashable {
  /// Whether the host prepares a step while the GPU runs the one before.
  public let overlapsHost: Bool
  /// The limit on the power of the instance's GPUs; `nil` where nothing limits it.
  public internal(set) var power: PowerLimit?
  private var lastEnd: Seconds = 0
  /// When the host has prepared the last step.
  private var prepared: Seconds = 0

  /// Creates a clock at 0.
  public init(overlapsHost: Bool = false, power: PowerLimit? = nil) {
    self.overlapsHost = overlapsHost
    self.power = power
  }

  /// Runs a step that is planned at a time.
  ///
  /// Without overlap it begins at once, and takes what it costs. With overlap its kernels begin when those of the step
  /// before have ended, and the host has prepared it.
  ///
  /// - Parameters:
  ///   - cost: what it costs; the power limit may change it.
  ///   - now: when it is planned.
  ///   - before: when the step before ends.
  /// - Returns: when the step begins, and how long it takes.
  @inline(__always)
  public mutating func run(
    _ cost: inout StepCost, plannedAt now: Seconds, after before: Seconds
  ) -> (start: Seconds, seconds: Seconds) {
    guard overlapsHost else {
      if power != nil {
        rest(now - before)
        power?.run(&cost)
      }
      return (now, cost.seconds)
    }
    prepared = max(now, prepared) + cost.hostSeconds
    let start = max(lastEnd, prepared)
    // The step before hides the preparation.
    cost.hostSeconds = 0
    if power != nil {
      rest(start - before)
      power?.run(&cost)
    }
    let seconds = cost.seconds
    lastEnd = start + seconds
    return (start, seconds)
  }

  /// Nothing runs for some time.
  mutating func rest(_ seconds: Seconds) { if seconds > 0 { power?.rest(seconds) } }
}
