import Statistics

/// The policies at their best under one criterion.
package struct TuningResult: Sendable {
  /// A policy at its best.
  package struct Tuned: Sendable {
    /// The policy as the user gave it.
    package let family: String
    /// With the best parameters.
    package let best: String
    package let capacity: CapacityResult

    package init(family: String, best: String, capacity: CapacityResult) {
      self.family = family
      self.best = best
      self.capacity = capacity
    }
  }

  /// How far the winner is ahead of another policy.
  package struct Lead: Sendable {
    package let other: Tuned
    /// The winner's capacity over the other's; `nil` if the other has none.
    package let ratio: Double?
    /// The 95 % interval of the mean ratio over seeds, by Student's t, widened by the tolerance of both capacities;
    /// `nil` for a single seed.
    package let interval: Interval?

    /// Whether the lead is more than chance and the tolerance of the search.
    package var isShown: Bool { ratio == nil || (interval.map { $0.low > 1 } ?? false) }
  }

  package let criterion: CapacityCriterion
  /// In the order in which they were given.
  package let policies: [Tuned]
  /// Of the search: a capacity is at most this share more than the rate that is known to hold.
  package let tolerance: Double

  package init(criterion: CapacityCriterion, policies: [Tuned], tolerance: Double) {
    self.criterion = criterion
    self.policies = policies
    self.tolerance = tolerance
  }

  /// Whether runs at a policy's capacity are bursts, and say nothing of a steady rate.
  package var isBurst: Bool { policies.contains(where: \.capacity.isBurst) }

  /// The policy that holds the largest rate; `nil` if none holds any, or if that was found in bursts.
  package var winner: Tuned? {
    if isBurst { return nil }
    return policies.filter { $0.capacity.rate != nil }.max {
      ($0.capacity.rate ?? 0) < ($1.capacity.rate ?? 0)
    }
  }

  /// How far the winner is ahead of each of the others, the nearest first.
  package var leads: [Lead] {
    guard let winner, let rate = winner.capacity.rate else { return [] }
    let others = policies.filter { $0.family != winner.family }
      .sorted { ($0.capacity.rate ?? 0) > ($1.capacity.rate ?? 0) }
    return others.map { other in
      let (a, b) = (winner.capacity.ownRates, other.capacity.ownRates)
      let ratios = a.count == b.count ? zip(a, b).map { $0 / $1 } : []
      let ratio = other.capacity.rate.map { rate / $0 }
      return Lead(other: other, ratio: ratio, interval: interval(of: ratios, around: ratio))
    }
  }

  /// The interval of a mean ratio of capacities, each of which may be larger than what is known by the tolerance.
  ///
  /// It covers the ratio of the capacities over all seeds, too.
  private func interval(of ratios: [Double], around ratio: Double?) -> Interval? {
    Sample(ratios).meanInterval().map { interval in
      let (low, high) = (interval.low / (1 + tolerance), interval.high * (1 + tolerance))
      return Interval(low: max(0, min(low, ratio ?? low)), high: max(high, ratio ?? high))
    }
  }
}
