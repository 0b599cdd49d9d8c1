import Policies
import Serving
import Testing

/// A power limit that binds, with steps that are asked for and steps that are repeated.
@Suite struct PowerTests {
  private func run(
    _ random: RandomCase, instances: Int, stepsInFlight: Int = 1, fastForwards: Bool
  ) throws -> (history: History, joules: Double) {
    let configurations = (0..<instances).map { _ in
      var configuration = random.instance(ChunkedPrefill(budget: random.budget))
      configuration.rules.stepsInFlight = stepsInFlight
      configuration.power = PowerLimit(headroomWatts: 60_000, window: 0.01, clockExponent: 2)
      return configuration
    }
    var simulation = Simulation(
      instances: configurations, requests: random.requests.makeIterator(),
      maxModelLength: random.maxModelLength, maxConcurrency: random.maxConcurrency,
      fastForwards: fastForwards)
    var recorder: any Recorder = History()
    try simulation.run(recorder: &recorder)
    let history = try #require(recorder as? History)
    let limit = simulation.kernels.filter { $0.kernel == "power_limit" }
    return (history, limit.reduce(0) { $0 + $1.seconds })
  }

  @Test(arguments: 0..<60) func repeatingStepsChangesNothing(seed: Int) throws {
    let random = RandomCase(seed: seed)
    for (instances, steps) in [(1, 1), (3, 1), (1, 2), (3, 2)] {
      let asked = try run(random, instances: instances, stepsInFlight: steps, fastForwards: false)
      let repeated = try run(random, instances: instances, stepsInFlight: steps, fastForwards: true)
      func sorted(_ history: History) -> [IterationRecord] {
        history.iterations.sorted { ($0.instance, $0.index) < ($1.instance, $1.index) }
      }
      #expect(sorted(asked.history) == sorted(repeated.history))
      #expect(asked.joules == repeated.joules)
      let requests = [asked.history, repeated.history].map { history in
        "\(history.requests.sorted { $0.request.id < $1.request.id })"  // nan is not nan
      }
      #expect(requests[0] == requests[1])
    }
  }

  /// The cases are worth something only if the limit binds in steps that are repeated, too.
  @Test func theLimitBinds() throws {
    var bound = 0
    for seed in 0..<60 {
      let random = RandomCase(seed: seed)
      if try run(random, instances: 1, fastForwards: true).joules > 0 { bound += 1 }
    }
    #expect(bound >= 15, "\(bound)")
  }

  /// With two steps in flight the GPUs rest between the end of one step and the beginning of the next, and no longer.
  @Test func withTwoStepsInFlightMeanPowerKeepsToTheLimit() throws {
    let cost = LoadedCost()
    let limit = PowerLimit(headroomWatts: 60_000, window: 0.01, clockExponent: 2)
    var rules = EngineRules()
    rules.stepsInFlight = 2
    let configuration = InstanceConfiguration(
      scheduler: ChunkedPrefill(budget: 64), costModel: cost.model, memory: cost.memory, rules: rules,
      power: limit)
    let requests = (0..<30).map {
      Request(id: $0, arrival: 0.001 * Double($0), promptTokens: 50 + 13 * $0, outputTokens: 20)
    }
    let history = try PoliciesTests.run([configuration], requests)
    let first = try #require(history.iterations.first)
    let last = try #require(history.iterations.last)
    let joules = history.iterations.reduce(0) { $0 + $1.joules }
    #expect(joules <= 60_000 * (last.end - first.start) + limit.capacity)
    #expect(joules > 0.9 * 60_000 * (last.end - first.start), "it binds")
  }
}
