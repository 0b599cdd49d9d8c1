import Serving
import Statistics

/// A random workload on a random machine, with every corner that an engine may trip over: little memory, few
/// sequences, bursts, ties, idle gaps, single tokens.
struct RandomCase {
  var cost = LoadedCost()
  var maxSequences = 256
  var rules = EngineRules()
  var speculation: Speculation?
  var profile: TokenProfile?
  var retention: Retention?
  /// How the model is cut into stages; `nil` where it is whole.
  var pipeline: NaiveEngine.Pipeline?
  var maxModelLength = 1 << 20
  var maxConcurrency = Int.max
  var requests: [Request] = []
  /// Budgets are of the order of the prompts.
  var budget = 1
  private var random: SplitMix64

  /// A number in the range.
  mutating func pick(_ range: ClosedRange<Int>) -> Int {
    range.lowerBound + Int(random.uniform() * Double(range.count))
  }

  /// One of several.
  mutating func pick<T>(_ values: T...) -> T { values[pick(0...values.count - 1)] }

  init(seed: Int) {
    random = SplitMix64(seed: UInt64(seed), purpose: "cases")
    let scale = pick(1, 1, 40)
    cost.layers = pick(24, 25, 48)
    cost.blockSize = pick(1, 4, 16)
    cost.kvBlocks = pick(100...700) * scale / cost.blockSize + 2
    cost.slidingWindow = pick(nil, 1, 16, pick(2...100))
    cost.quantum = pick(1, 64, 256)
    maxSequences = pick(1, pick(2...12), 256, 256)
    maxConcurrency = pick(.max, .max, .max, pick(1...20))
    maxModelLength = pick(1 << 20, 1 << 20, 60 * scale)
    budget = pick(pick(1...20), pick(20...120), pick(100...200)) * scale

    let pace = pick(0, 100, 1000, 10_000)
    let burst = pick(1, 1, 4, 20)
    let longestPrompt = pick(3, 30, 100) * scale
    let longestOutput = pick(3, 60, 100)
    var ticks = 0
    for id in 0..<pick(1...60) {
      if id % burst == 0 { ticks += pick(0...pace) / cost.quantum * cost.quantum }
      if pick(0...30) == 0 { ticks += 1 << 20 }
      requests.append(
        Request(
          id: id, arrival: Double(ticks) * LoadedCost.tick, promptTokens: pick(1...longestPrompt),
          outputTokens: pick(1, pick(1...longestOutput), pick(1...longestOutput), longestOutput)))
    }
  }

  /// Cuts the model into two to four stages somewhere.
  mutating func cutIntoStages() {
    var borders: Set<Int> = []
    for _ in 0..<pick(1, 1, 2, 3) { borders.insert(pick(1...cost.layers - 1)) }
    let ends = borders.sorted() + [cost.layers]
    pipeline = NaiveEngine.Pipeline(
      stages: zip([0] + ends, ends).map { $0..<$1 }, latencyTicks: pick(0, 20, 5000),
      ticksPerRow: pick(0, 1, 30))
  }

  /// The configuration of one instance.
  func instance(_ scheduler: any Scheduler) -> InstanceConfiguration {
    InstanceConfiguration(
      scheduler: scheduler, costModel: pipeline.map { cost.model(on: $0) } ?? cost.model, memory: cost.memory,
      maxSequences: maxSequences,
      rules: rules, speculation: speculation, profile: profile, retention: retention)
  }

  /// Runs it.
  func run(_ scheduler: any Scheduler, fastForwards: Bool = true) throws -> History {
    try PoliciesTests.run(
      [instance(scheduler)], requests, maxModelLength: maxModelLength, maxConcurrency: maxConcurrency,
      fastForwards: fastForwards)
  }
}
