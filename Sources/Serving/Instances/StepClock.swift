/// Makes times of costs: when a step begins and ends, given the one before it.
public struct StepClock: Sendable, Hashable {
  /// Whether the host prepares a step while the GPU runs the one before.
  public let overlapsHost: Bool
  private let idleWatts: Double
  private var lastEnd: Seconds = 0

  /// Creates a clock at 0.
  ///
  /// - Parameters:
  ///   - overlapsHost: whether the host prepares a step while the GPU runs the one before.
  ///   - idleWatts: power that flows whatever runs.
  public init(overlapsHost: Bool = false, idleWatts: Double = 0) {
    self.overlapsHost = overlapsHost
    self.idleWatts = idleWatts
  }

  /// Runs a step that is planned at a time.
  ///
  /// Without overlap it begins at once, and takes what it costs. With overlap its kernels begin when those of the step
  /// before have ended, and the host has prepared it. The idle power that flows all the while is added to its cost.
  ///
  /// - Returns: when the step begins, and how long it takes.
  @inline(__always)
  public mutating func run(
    _ cost: inout StepCost, plannedAt now: Seconds, decodeShare: Double
  ) -> (start: Seconds, seconds: Seconds) {
    var (start, seconds) = (now, cost.seconds)
    if overlapsHost {
      start = max(lastEnd, now + cost.hostSeconds)
      seconds = max(cost.kernelSeconds, cost.launchSeconds)
      lastEnd = start + seconds
    }
    cost.addIdle(idleWatts * seconds, decodeShare: decodeShare)
    return (start, seconds)
  }
}
