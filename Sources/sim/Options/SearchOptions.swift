import ArgumentParser
import Experiments
import Workloads

/// What a rate must keep to, and how exactly it is looked for.
struct SearchOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Share of requests that must meet the objective. Default: 0.9.", valueName: "0...1"))
  var attainment: Double?

  @Option(help: ArgumentHelp("The same in percent: 99 is --attainment 0.99.", valueName: "percent"))
  var percentile: Double?

  @Option(help: ArgumentHelp("Seeds, as a list or a range first:last.", valueName: "list"))
  var seeds = "0:4"

  @Option(
    help: ArgumentHelp("How far the rates that hold and fail may be apart in the end.", valueName: "share"))
  var tolerance: Double?

  @Option(help: ArgumentHelp("Most mean power of all GPUs.", valueName: "W"))
  var maxWatts: Double?

  @Option(help: ArgumentHelp("Most energy per token, input and output.", valueName: "mJ"))
  var maxEnergyPerToken: Double?

  /// The least share of requests that must meet the objective.
  func checkedAttainment() throws(CommandLineError) -> Double {
    if attainment != nil, percentile != nil {
      throw .contradiction("--percentile: says the same as --attainment; give one of both")
    }
    if let percentile, !(percentile > 0 && percentile <= 100) {
      throw .badValue(option: "--percentile", value: "\(percentile)", expected: "more than 0, at most 100")
    }
    let share = percentile.map { $0 / 100 } ?? attainment ?? 0.9
    guard share > 0, share <= 1 else {
      throw .badValue(option: "--attainment", value: "\(share)", expected: "more than 0, at most 1")
    }
    return share
  }

  /// A criterion for each objective.
  func criteria(_ objectives: [Objective]) throws(CommandLineError) -> [CapacityCriterion] {
    for (option, value) in [("--max-watts", maxWatts), ("--max-energy-per-token", maxEnergyPerToken)] {
      if let value, !(value > 0) {
        throw .badValue(option: option, value: "\(value)", expected: "more than 0")
      }
    }
    let attainment = try checkedAttainment()
    return objectives.map {
      CapacityCriterion(
        objective: $0, attainment: attainment, maxWatts: maxWatts, maxEnergyPerToken: maxEnergyPerToken)
    }
  }

  /// The seeds, each once.
  func checkedSeeds(_ traffic: WorkloadOptions) throws(CommandLineError) -> [UInt64] {
    guard traffic.seed == 0 else { throw .contradiction("--seed: several runs are made; give --seeds") }
    let axis = try SweepAxis(option: "--seeds", words: [seeds[...]])
    let numbers = axis.alternatives.compactMap { UInt64($0.joined()) }
    guard numbers.count == axis.alternatives.count, Set(numbers).count == numbers.count else {
      throw .badValue(
        option: "--seeds", value: seeds, expected: "different whole numbers, such as 0:4 or 1,2,3")
    }
    return numbers
  }

  /// The tolerance, or a default.
  func checkedTolerance(default fallback: Double) throws(CommandLineError) -> Double {
    let tolerance = tolerance ?? fallback
    guard (1e-6...1).contains(tolerance) else {
      throw .badValue(option: "--tolerance", value: "\(tolerance)", expected: "from 0.000001 to 1")
    }
    return tolerance
  }

  /// Refuses arrivals whose rate is not for a search to set.
  func refuseOtherArrivals(_ traffic: WorkloadOptions) throws(CommandLineError) {
    let others: [ArrivalKind] = [.allAtOnce, .trace, .ramp]
    let given = [
      traffic.arrivals.flatMap { others.contains($0) ? "--arrivals \($0.rawValue)" : nil },
      traffic.rampUpStrategy.map { _ in "--ramp-up-strategy" },
      traffic.rampUpStartRps.map { _ in "--ramp-up-start-rps" },
      traffic.rampUpEndRps.map { _ in "--ramp-up-end-rps" },
    ].compactMap { $0 }
    guard let option = given.first else { return }
    throw .contradiction(
      "\(option): a search sets the rate of arrivals, and these have none or their own; leave it out")
  }

  /// The rate to begin with.
  func checkedGuess(_ traffic: WorkloadOptions) throws(CommandLineError) -> Double {
    try refuseOtherArrivals(traffic)
    let guess = traffic.requestRate ?? 1
    guard RateBisection.limits.contains(guess) else {
      throw .badValue(
        option: "--request-rate", value: "\(guess)", expected: "a first guess from 0.001 to 100000")
    }
    return guess
  }
}
