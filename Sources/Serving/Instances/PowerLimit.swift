import Glibc

/// Keeps the average power of an instance's GPUs below a limit, by lowering their clock.
///
/// Energy above the limit collects in a bucket; what a step or a pause leaves unused of the limit drains it. While there
/// is room in the bucket steps run at full clock, so that a short burst is untouched. A step that would make it overflow
/// runs at the clock at which it is full when the step ends. At a share f of the clock the time that is bound by
/// arithmetic grows as 1/f, and the power of those kernels falls as f to the power of an exponent; the rest of the step
/// is untouched. So steady load ends exactly at the limit, and over any window of t seconds mean power exceeds the limit
/// by the capacity divided by t at most.
///
/// Where the lowest clock does not suffice, as for kernels that are bound by memory alone, the GPUs wait.
public struct PowerLimit: Sendable, Hashable {
  /// What a limit knows of the past, and what it has done.
  public struct State: Sendable, Hashable {
    /// Energy in the bucket.
    public fileprivate(set) var level: Joules = 0
    /// Steps that it has slowed down.
    public fileprivate(set) var slowedSteps = 0
    /// Time that it has added to them.
    public fileprivate(set) var addedSeconds: Seconds = 0
    /// Energy that a lower clock has saved.
    public fileprivate(set) var savedJoules: Joules = 0

    /// Nothing has happened yet.
    public init() {}
  }

  /// The lowest clock, as a share of the highest: an assumption without a source.
  public static let lowestClock = 0.25

  /// Power above idle that kernels may draw on average, all GPUs together.
  public let headroomWatts: Double
  /// Energy that may be drawn above the limit in a burst.
  public let capacity: Joules
  /// How steeply power falls with the clock.
  public let clockExponent: Double
  /// The bucket, and what the limit has done.
  public internal(set) var state = State()

  /// Creates a limit with an empty bucket.
  ///
  /// - Parameters:
  ///   - headroomWatts: power above idle, above 0.
  ///   - window: the time constant: a burst of twice the headroom may last so long.
  ///   - clockExponent: how steeply power falls with the clock, 1 or more.
  public init(headroomWatts: Double, window: Seconds, clockExponent: Double) {
    precondition(headroomWatts > 0 && window > 0 && clockExponent >= 1, "a limit that kernels can keep to")
    self.headroomWatts = headroomWatts
    self.capacity = headroomWatts * window
    self.clockExponent = clockExponent
  }

  /// The GPUs have nothing to do.
  @inline(__always)
  package mutating func rest(_ seconds: Seconds) {
    state.level = max(0, state.level - headroomWatts * seconds)
  }

  /// A step runs; if the limit demands it its kernels take longer, and less energy.
  @inline(__always)
  package mutating func run(_ cost: inout StepCost) {
    if !takes(joules: cost.joules, seconds: cost.seconds) { slow(&cost) }
  }

  /// Lets a step run at full clock, if the bucket takes what it leaves there.
  ///
  /// - Returns: false if it does not: then the step is to be slowed down.
  @inline(__always)
  mutating func takes(joules: Joules, seconds: Seconds) -> Bool {
    let level = state.level + joules - headroomWatts * seconds
    guard level <= capacity else { return false }
    state.level = max(0, level)
    return true
  }

  /// Lowers the clock for a step that would overfill the bucket.
  mutating func slow(_ cost: inout StepCost) {
    let excess = state.level + cost.joules - headroomWatts * cost.seconds - capacity
    // The clock is 1 / (1 + u). Launches hide some of what is added to kernels.
    let slack = max(0, cost.launchSeconds - cost.kernelSeconds)
    let slowest = 1 / Self.lowestClock - 1
    func saved(_ u: Double) -> Joules { cost.clockedJoules * (1 - pow(1 + u, 1 - clockExponent)) }
    func drained(_ u: Double) -> Joules {
      saved(u) + headroomWatts * max(0, cost.clockedSeconds * u - slack)
    }
    var u = 0.0
    if cost.clockedSeconds > 0 {
      let hidden = min(slack / cost.clockedSeconds, slowest)
      if saved(hidden) >= excess {
        u = pow(1 - excess / cost.clockedJoules, 1 / (1 - clockExponent)) - 1
      } else {
        u = hidden
        // What is drained is concave from here on: Newton's method comes from below and cannot overshoot.
        for _ in 0..<60 where u < slowest {
          let slope =
            cost.clockedJoules * (clockExponent - 1) * pow(1 + u, -clockExponent)
            + headroomWatts * cost.clockedSeconds
          let step = (excess - drained(u)) / slope
          u = min(slowest, u + step)
          if step <= 1e-12 * (1 + u) { break }
        }
      }
    }
    let saving = saved(u)
    let waiting = max(0, excess - drained(u)) / headroomWatts
    let before = cost.seconds
    cost.kernelSeconds += cost.clockedSeconds * u
    if waiting > 0 { cost.kernelSeconds = max(cost.kernelSeconds, cost.launchSeconds) + waiting }
    if saving > 0 { cost.save(saving) }
    state.level = capacity
    state.slowedSteps += 1
    state.addedSeconds += cost.seconds - before
    state.savedJoules += saving
  }
}
