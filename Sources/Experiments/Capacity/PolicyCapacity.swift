import Statistics

/// The search for the capacity of one policy, over several seeds.
///
/// One search uses the means over all seeds, and its result is the capacity. Each seed also has a search of its own;
/// the scatter of their results gives the interval. All start from the same guess, so that they mostly
/// ask for the same runs.
package struct PolicyCapacity {
  /// One run of a search.
  package struct Trial: Hashable, Sendable {
    package var rate: Double
    package var seed: UInt64
  }

  package let seeds: [UInt64]
  package let criterion: CapacityCriterion
  package private(set) var pooled: RateBisection
  private var single: [RateBisection]
  private var figures: [Trial: CapacityFigures] = [:]
  /// What the least failing rate fails by.
  private var limit: CapacityCriterion.Limit?

  /// Begins a search.
  ///
  /// - Parameters:
  ///   - seeds: at least one.
  ///   - criterion: what a rate must keep to.
  ///   - guess: the rate to begin with.
  ///   - tolerance: how far apart, as a share, the rates that hold and fail may be in the end.
  ///   - growth: the factor from rate to rate until both kinds are known.
  ///   - intervals: whether each seed has a search of its own.
  package init(
    seeds: [UInt64], criterion: CapacityCriterion, guess: Double, tolerance: Double, growth: Double = 2,
    intervals: Bool = true
  ) {
    self.seeds = seeds
    self.criterion = criterion
    let search = RateBisection(guess: guess, tolerance: tolerance, growth: growth)
    pooled = search
    single = intervals ? seeds.map { _ in search } : []
  }

  /// The runs whose figures are needed to go on; none once the search is over.
  package var wanted: [Trial] {
    var wanted: Set<Trial> = []
    if let rate = pooled.next { for seed in seeds { wanted.insert(Trial(rate: rate, seed: seed)) } }
    for (search, seed) in zip(single, seeds) {
      if let rate = search.next { wanted.insert(Trial(rate: rate, seed: seed)) }
    }
    return wanted.filter { figures[$0] == nil }.sorted { ($0.rate, $0.seed) < ($1.rate, $1.seed) }
  }

  /// Takes the figures of a run, and goes on as far as they allow.
  package mutating func add(_ trial: Trial, _ figures: CapacityFigures) {
    self.figures[trial] = figures
    while let rate = pooled.next, let mean = mean(at: rate) {
      let failure = criterion.failure(of: mean)
      if let failure { limit = failure }
      pooled.answer(failure == nil)
    }
    for i in single.indices {
      while let rate = single[i].next, let own = self.figures[Trial(rate: rate, seed: seeds[i])] {
        single[i].answer(criterion.failure(of: own) == nil)
      }
    }
  }

  /// What was found; final once nothing is wanted.
  package var result: CapacityResult {
    let figures = pooled.holding.flatMap { mean(at: $0) }
    let missesEnergy = figures.map { criterion.exceedsEnergy($0) } ?? false
    let own = single.compactMap(\.holding)
    return CapacityResult(
      rate: missesEnergy ? nil : pooled.holding, failing: pooled.failing,
      interval: own.count == seeds.count && !missesEnergy ? interval(of: own) : nil,
      limit: missesEnergy ? .energy : limit, figures: figures,
      ownRates: own.count == seeds.count && !missesEnergy ? own : [], runs: self.figures.count)
  }

  /// The 95 % interval of the mean of the seeds' own capacities, which cannot be negative.
  ///
  /// Each of them is known to hold, and may be larger by the tolerance.
  private func interval(of rates: [Double]) -> Interval? {
    Sample(rates).meanInterval().map {
      Interval(low: max(0, $0.low), high: $0.high * (1 + pooled.tolerance))
    }
  }

  /// Means over the seeds, if all have been run.
  private func mean(at rate: Double) -> CapacityFigures? {
    let all = seeds.compactMap { figures[Trial(rate: rate, seed: $0)] }
    guard all.count == seeds.count else { return nil }
    return CapacityFigures(meanOf: all)
  }
}
