import Policies
import Serving

/// A scenario's schedule beside the simulator's.
package struct ScheduleComparison: Sendable {
  /// Steps of the recorded schedule.
  package let steps: Int
  /// The first step that differs, with what was recorded and what was simulated; `nil` if none does.
  package private(set) var firstDifference: (step: Int, recorded: [StepRow], simulated: [StepRow])?
  /// The first request that fared otherwise; `nil` if none did.
  package private(set) var firstOutcome:
    (request: Int, recorded: ScheduleScenario.Outcome, simulated: ScheduleScenario.Outcome)?
  /// What the simulator ran, step by step.
  package let simulated: [[StepRow]]

  /// Whether the schedule and the outcomes are the same.
  package var isEqual: Bool { firstDifference == nil && firstOutcome == nil }

  /// Runs a scenario, with decode steps repeated and without, and compares both.
  ///
  /// - Throws: if the policy breaks a rule.
  package init(_ scenario: ScheduleScenario) throws(SimulationError) {
    let exact = try ScheduleRecorder(running: scenario, fastForwards: false)
    let fast = try ScheduleRecorder(running: scenario, fastForwards: true)
    steps = scenario.steps.count
    simulated = exact.steps
    for step in 0..<max(steps, simulated.count) {
      let recorded = step < steps ? scenario.steps[step] : []
      let own = step < simulated.count ? simulated[step] : []
      guard recorded != own else { continue }
      firstDifference = (step, recorded, own)
      break
    }
    for request in scenario.requests.indices {
      let own = exact.outcome(request)
      let faster = fast.outcome(request)
      // Without recorded outcomes both ways of running are still held against each other.
      let recorded = scenario.outcomes.map { $0[request] } ?? own
      guard recorded != own || recorded != faster else { continue }
      firstOutcome = (request, recorded, own != recorded ? own : faster)
      break
    }
  }
}

/// Keeps the schedule of a run in which a step takes one unit of time.
struct ScheduleRecorder: Recorder {
  private(set) var steps: [[StepRow]] = []
  private var records: [Int: RequestRecord] = [:]
  let wantsRows: Bool

  init(running scenario: ScheduleScenario, fastForwards: Bool) throws(SimulationError) {
    wantsRows = !fastForwards
    let configuration = InstanceConfiguration(
      scheduler: scenario.scheduler, costModel: UnitCostModel(), memory: scenario.memory,
      maxSequences: scenario.maxSequences, rules: scenario.rules,
      cache: scenario.cache)
    var simulation = Simulation(
      instances: [configuration], requests: scenario.requests.makeIterator(), fastForwards: fastForwards)
    try simulation.run(recorder: &self)
  }

  mutating func record(_ iteration: IterationRecord) {}
  mutating func record(_ span: SpanRecord) {}
  mutating func record(_ request: RequestRecord) { records[request.request.id] = request }
  mutating func record(rows: [StepRow], instance: Int32, iteration: Int64) {
    steps.append(rows.sorted { $0.request < $1.request })
  }

  func outcome(_ request: Int) -> ScheduleScenario.Outcome {
    func whole(_ time: Seconds?) -> Int { time.flatMap { Int(exactly: $0) } ?? -1 }
    let record = records[request]
    return ScheduleScenario.Outcome(
      cached: Int(record?.cachedTokens ?? -1), preemptions: Int(record?.preemptions ?? -1),
      scheduled: whole(record?.scheduledAt), firstToken: whole(record?.firstTokenAt),
      finished: whole(record?.completedAt))
  }
}
