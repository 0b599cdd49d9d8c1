/// Makes times of costs: when a step begins and ends, given the one before it.
public struct StepClock: Sendable, Hashable {
  /// Whether the host prepares a step while the GPU runs the one before.
  public let overlapsHost: Bool
  private var lastEnd: Seconds = 0
  /// When the host has prepared the last step.
  private var prepared: Seconds = 0

  /// Creates a clock at 0.
  public init(overlapsHost: Bool = false) { self.overlapsHost = overlapsHost }

  /// Runs a step that is planned at a time.
  ///
  /// Without overlap it begins at once, and takes what it costs. With overlap its kernels begin when those of the step
  /// before have ended, and the host has prepared it.
  ///
  /// - Returns: when the step begins, and how long it takes.
  @inline(__always)
  public mutating func run(
    _ cost: borrowing StepCost, plannedAt now: Seconds
  ) -> (start: Seconds, seconds: Seconds) {
    guard overlapsHost else { return (now, cost.seconds) }
    prepared = max(now, prepared) + cost.hostSeconds
    let start = max(lastEnd, prepared)
    let seconds = max(cost.kernelSeconds, cost.launchSeconds) + cost.exposedSeconds
    lastEnd = start + seconds
    return (start, seconds)
  }
}
