/// The search for the best parameters of one policy under one criterion: the capacities of all candidates coarsely, with
/// one seed, then of the best of them ever more exactly and with more seeds.
///
/// All candidates see the same requests at the same rate and seed, so that they differ by their parameters alone.
package struct PolicyTuning: Sendable {
  /// One round.
  private struct Round {
    /// Candidates that take part, at most; the best of the round before.
    var candidates: Int
    /// Seeds, at most.
    var seeds: Int
    var tolerance: Double
    var growth: Double
  }

  /// A run that is needed.
  package struct Trial: Hashable, Sendable {
    package var candidate: Int
    package var rate: Double
    package var seed: UInt64
  }

  /// The policies, the given one first.
  package let candidates: [String]
  package let criterion: CapacityCriterion
  private let seeds: [UInt64]
  private let rounds: [Round]
  private var round = 0
  private var searches: [(candidate: Int, capacity: PolicyCapacity)]
  private var known: [Trial: CapacityFigures] = [:]
  /// The largest rate that any candidate is known to hold in this round.
  private var lead = 0.0

  /// A candidate that fails at less than this share of what another holds is given up in the first rounds.
  private static let hopeless = 0.7

  /// Begins a search.
  ///
  /// - Parameters:
  ///   - candidates: policies, one at least.
  ///   - criterion: what a rate must keep to.
  ///   - seeds: one at least.
  ///   - guess: the rate to begin with.
  ///   - tolerance: of the capacities in the end.
  package init(
    candidates: [String], criterion: CapacityCriterion, seeds: [UInt64], guess: Double, tolerance: Double
  ) {
    self.candidates = candidates
    self.criterion = criterion
    self.seeds = seeds
    rounds = [
      Round(candidates: 1, seeds: 1, tolerance: max(0.3, tolerance), growth: 2),
      Round(candidates: .max, seeds: 1, tolerance: max(0.12, tolerance), growth: 1.5),
      Round(candidates: 4, seeds: 2, tolerance: max(0.05, tolerance), growth: 1.2),
      Round(candidates: 2, seeds: .max, tolerance: tolerance, growth: 1 + 3 * tolerance),
    ]
    searches = []
    begin([0], guesses: [guess])
  }

  /// The runs whose figures are needed to go on; none once the search is over.
  package var wanted: [Trial] {
    searches.flatMap { search in
      isHopeless(search.capacity)
        ? []
        : search.capacity.wanted.map {
          Trial(candidate: search.candidate, rate: $0.rate, seed: $0.seed)
        }
    }
  }

  /// Takes the figures of runs, and goes on as far as they allow.
  package mutating func add(_ figures: [Trial: CapacityFigures]) {
    known.merge(figures) { _, new in new }
    var isOver = false
    while !isOver {
      var answered = false
      for i in searches.indices {
        for trial in searches[i].capacity.wanted {
          let key = Trial(candidate: searches[i].candidate, rate: trial.rate, seed: trial.seed)
          guard let figures = known[key] else { continue }
          searches[i].capacity.add(trial, figures)
          answered = true
        }
        lead = max(lead, searches[i].capacity.pooled.holding ?? 0)
      }
      guard !answered else { continue }
      guard wanted.isEmpty, round + 1 < rounds.count else { return }
      let ranked = ranking
      round += 1
      let next = round == 1 ? Array(candidates.indices) : ranked.map(\.candidate)
      // All candidates begin at the rate of the first one; the best go on from their own.
      let guess = ranked.first?.rate ?? nil
      begin(
        Array(next.prefix(rounds[round].candidates)),
        guesses: round == 1 ? next.map { _ in guess } : ranked.map(\.rate))
      isOver = wanted.isEmpty && round + 1 == rounds.count
    }
  }

  /// The best candidate so far and its capacity; final once nothing is wanted.
  package var best: (policy: String, result: CapacityResult) {
    let first = ranking[0]
    let search = searches.first { $0.candidate == first.candidate } ?? searches[0]
    return (candidates[search.candidate], search.capacity.result)
  }

  /// The number of different runs that were looked at.
  package var runs: Int { known.count }

  /// Candidates of this round and their capacities, the largest first; of equals the earlier one.
  private var ranking: [(candidate: Int, rate: Double?)] {
    searches.map { (candidate: $0.candidate, rate: $0.capacity.result.rate) }
      .sorted { a, b in
        let (left, right) = (a.rate ?? 0, b.rate ?? 0)
        return left != right ? left > right : a.candidate < b.candidate
      }
  }

  private func isHopeless(_ capacity: PolicyCapacity) -> Bool {
    guard round < 2, searches.count > 1, let failing = capacity.pooled.failing else { return false }
    return failing < lead * Self.hopeless
  }

  private mutating func begin(_ candidates: [Int], guesses: [Double?]) {
    let now = rounds[round]
    let isLast = round + 1 == rounds.count
    lead = 0
    let range = RateBisection.limits
    searches = zip(candidates, guesses).map { candidate, guess in
      // A rate that was never found is looked for from below.
      let guess = min(max(guess ?? 0.05, range.lowerBound), range.upperBound)
      return (
        candidate: candidate,
        capacity: PolicyCapacity(
          seeds: Array(seeds.prefix(now.seeds)), criterion: criterion, guess: guess,
          tolerance: now.tolerance, growth: now.growth, intervals: isLast)
      )
    }
  }
}
