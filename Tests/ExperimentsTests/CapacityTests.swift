import Statistics
import Testing

@testable import Experiments

@Suite struct CapacityTests {
  func criterion(watts: Double? = nil, energy: Double? = nil) -> CapacityCriterion {
    CapacityCriterion(attainment: 0.9, maxWatts: watts, maxEnergyPerToken: energy)
  }

  /// Runs a search on made-up figures: attainment falls from 1 at the edge of each seed, power rises with the rate.
  func study(_ edges: [Double], criterion: CapacityCriterion, guess: Double = 1) -> CapacityResult {
    var capacity = PolicyCapacity(
      seeds: edges.indices.map { UInt64($0) }, criterion: criterion, guess: guess, tolerance: 0.01)
    while let trial = capacity.wanted.first {
      let edge = edges[Int(trial.seed)]
      capacity.add(
        trial,
        CapacityFigures(
          attainment: trial.rate <= edge ? 1 : 0, watts: 100 * trial.rate,
          millijoulesPerToken: 10 + 20 / trial.rate, unfinished: 0))
    }
    return capacity.result
  }

  @Test(arguments: [0.013, 0.5, 1, 2.7, 4, 900]) func searchesFindTheEdge(edge: Double) throws {
    var search = RateBisection(guess: 1, tolerance: 0.01)
    var questions = 0
    while let rate = search.next {
      search.answer(rate <= edge)
      questions += 1
    }
    let (low, high) = (try #require(search.holding), try #require(search.failing))
    #expect(low <= edge && edge < high)
    #expect(high / low - 1 <= 0.01)
    #expect(questions <= 20)
  }

  @Test func searchesEndWhereNothingHoldsOrFails() {
    for holds in [false, true] {
      var search = RateBisection(guess: 1, tolerance: 0.01)
      while search.next != nil { search.answer(holds) }
      #expect((search.holding == nil) == !holds)
      #expect((search.failing == nil) == holds)
    }
  }

  /// All seeds must hold for a mean of 0.9, so the pooled edge is the least.
  @Test func seedsArePooledAndScatter() throws {
    let result = study([2.0, 2.2, 2.4], criterion: criterion())
    let rate = try #require(result.rate)
    #expect(rate <= 2 && rate > 1.97)
    #expect(result.limit == .attainment)
    let interval = try #require(result.interval)
    // Mean 2.2, deviation 0.2, t = 4.303.
    #expect(abs(interval.low - 1.70) < 0.05 && abs(interval.high - 2.70) < 0.05)
  }

  @Test func wattsLimitTheRate() throws {
    let result = study([5, 5], criterion: criterion(watts: 150))
    #expect(try #require(result.rate) <= 1.5)
    #expect(result.limit == .watts)
  }

  /// At 5 requests a second a token takes 14 mJ; no lower rate takes less.
  @Test func energyIsCheckedAtTheCapacity() {
    #expect(study([5, 5], criterion: criterion(energy: 15)).rate != nil)
    let result = study([5, 5], criterion: criterion(energy: 13))
    #expect(result.rate == nil)
    #expect(result.limit == .energy)
  }

  @Test func theGuessMattersLittle() throws {
    for guess in [0.1, 1, 7, 50] {
      let rate = try #require(study([3, 3], criterion: criterion(), guess: guess).rate)
      #expect(rate <= 3 && rate > 2.96)
    }
  }

  @Test func aSingleSeedHasNoInterval() { #expect(study([3], criterion: criterion()).interval == nil) }
}
