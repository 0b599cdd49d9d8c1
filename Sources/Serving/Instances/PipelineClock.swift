/// How much of a pipeline's time was used.
public struct PipelineUse: Sendable, Hashable {
  /// Stages.
  public var stages = 0
  /// Time of all stages together while a step was in flight.
  public var stageSeconds: Seconds = 0
  /// Time in which stages worked, all stages together.
  public var busySeconds: Seconds = 0

  /// Creates the use of nothing.
  public init() {}

  /// Time in which a step was in flight.
  public var activeSeconds: Seconds { stages > 0 ? stageSeconds / Double(stages) : 0 }

  /// Share of the stages' time in which they waited, for rows, for the host or for tokens, while a step was in flight.
  public var bubble: Double { stageSeconds > 0 ? 1 - busySeconds / stageSeconds : 0 }

  /// What two pipelines used.
  public static func + (a: PipelineUse, b: PipelineUse) -> PipelineUse {
    var sum = PipelineUse()
    sum.stages = a.stages + b.stages
    sum.stageSeconds = a.stageSeconds + b.stageSeconds
    sum.busySeconds = a.busySeconds + b.busySeconds
    return sum
  }
}

/// Makes times of the costs of a pipeline's steps.
///
/// A stage begins a step once the step's rows have come from the stage before, and once it has ended the step before. So a
/// stage waits where the others are slower or the way is long, and all wait for the last tokens of sequences that are to go
/// on: these are the bubbles. The idle power of all GPUs flows all the while.
struct PipelineClock {
  /// Whether the host prepares a step while others run.
  private let overlapsHost: Bool
  private let idleWatts: Double
  /// When each stage has ended its last step.
  private var free: [Seconds]
  private var powers: [PowerLimit?]
  /// When the first stage began its last step, when the host had prepared that, and when the last stage ends it.
  private var lastStart: Seconds = 0
  private var prepared: Seconds = 0
  private var lastEnd: Seconds = 0
  private(set) var use = PipelineUse()

  init(_ model: PipelineCostModel, overlapsHost: Bool) {
    self.overlapsHost = overlapsHost
    idleWatts = model.idleWatts
    free = model.stages.map { _ in 0 }
    powers = model.stages.map(\.power)
    use.stages = model.stages.count
  }

  /// Lets a step pass the stages that has just been priced.
  ///
  /// - Parameters:
  ///   - model: what has priced it; the power limits may change what it costs.
  ///   - cost: what it costs in all, with the idle power of the time in which no earlier step runs.
  ///   - now: when it is planned.
  ///   - decodeShare: share of the decode rows among all rows.
  /// - Returns: when it begins, and how long it is under way.
  mutating func run(
    _ model: PipelineCostModel, _ cost: inout StepCost, plannedAt now: Seconds, decodeShare: Double
  ) -> (start: Seconds, seconds: Seconds) {
    let host = model.costs[0].hostSeconds
    model.costs[0].hostSeconds = 0
    // A host that is ahead begins when the step before does, unless the instance had nothing to do.
    let called = overlapsHost && now <= lastEnd ? min(now, lastStart) : now
    prepared = max(called, prepared) + host
    let begin = max(now, prepared, free[0])
    var end = begin
    for s in free.indices {
      end = max(end, free[s])
      if powers[s] != nil {
        powers[s]?.rest(end - free[s])
        powers[s]?.run(&model.costs[s])
      }
      let seconds = model.costs[s].seconds
      end += seconds
      use.busySeconds += seconds
      free[s] = end
      end += model.sends[s]
    }
    model.sum(into: &cost)
    let start = overlapsHost ? begin : begin - host
    if !overlapsHost { cost.hostSeconds = host }
    let seconds = end - start
    lastStart = begin
    let alone = start + seconds - max(start, lastEnd)
    lastEnd = start + seconds
    use.stageSeconds += alone * Double(free.count)
    cost.addIdle(idleWatts * alone, decodeShare: decodeShare)
    return (start, seconds)
  }

  /// What the power limits have done on all stages; `nil` if nothing.
  var limitUse: KernelUse? {
    let states = powers.compactMap { $0?.state }
    guard states.contains(where: { $0.slowedSteps > 0 }) else { return nil }
    return states.reduce(into: KernelUse(kernel: "power_limit")) {
      $0.calls += $1.slowedSteps
      $0.seconds += $1.addedSeconds
      $0.joules -= $1.savedJoules
    }
  }
}
