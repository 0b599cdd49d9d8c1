import Serving

/// What a rate must keep to.
package struct CapacityCriterion: Sendable, Hashable {
  /// The limits on latencies.
  package let objective: Objective
  /// Least share of requests that meet the limits of single requests.
  package let attainment: Double
  /// Most power of all GPUs, in watts.
  package let maxWatts: Double?
  /// Most energy per token, in millijoules.
  package let maxEnergyPerToken: Double?

  package init(
    objective: Objective = Objective([]), attainment: Double, maxWatts: Double? = nil,
    maxEnergyPerToken: Double? = nil
  ) {
    self.objective = objective
    self.attainment = attainment
    self.maxWatts = maxWatts
    self.maxEnergyPerToken = maxEnergyPerToken
  }

  /// What may stand in the way of a higher rate.
  package enum Limit: Sendable, Hashable, CustomStringConvertible {
    /// A latency, by its limit's name: `ttft`, `p99_itl`.
    case latency(String)
    /// Too few requests meet the objective, for no single latency.
    case attainment
    /// Mean power.
    case watts
    /// Energy per token.
    case energy
    /// The model does not fit.
    case memory

    /// The word for `limited_by`.
    package var description: String {
      switch self {
      case .latency(let name): name
      case .attainment: "attainment"
      case .watts: "watts"
      case .energy: "energy"
      case .memory: "memory"
      }
    }
  }

  /// What a rate fails by, if it does; energy per token left aside.
  ///
  /// That falls as the rate rises, since idle power is spread over more tokens: no lower rate would mend it, so it is
  /// no part of the search and checked at its end.
  package func failure(of figures: CapacityFigures) -> Limit? {
    if figures.attainment < attainment { return culprit(in: figures) }
    for limit in objective.statistics where misses(limit, figures) { return .latency(limit.name) }
    if let maxWatts, figures.watts > maxWatts { return .watts }
    return nil
  }

  /// Whether energy per token is above its cap.
  package func exceedsEnergy(_ figures: CapacityFigures) -> Bool {
    maxEnergyPerToken.map { figures.millijoulesPerToken > $0 } ?? false
  }

  /// Whether a statistic is above its limit.
  ///
  /// Requests that were not served are above every limit.
  private func misses(_ limit: LatencyLimit, _ figures: CapacityFigures) -> Bool {
    if let percent = limit.percentile, figures.served < percent / 100 { return true }
    guard let figure = limit.figure, let value = figures.latencies[figure.name] else { return false }
    return value > limit.seconds * 1000
  }

  /// The latency that the fewest requests keep, as far as shares are known.
  ///
  /// Runs of a database have the shares of the first token and of gaps alone; if both of these are high enough, it is
  /// one of the others.
  private func culprit(in figures: CapacityFigures) -> Limit {
    let names = objective.limits.filter { $0.scope == .eachRequest }.map {
      $0.latency == .itl ? LatencyLimit.Latency.tbt.rawValue : $0.latency.rawValue
    }
    let known = names.compactMap { name in figures.shares[name].map { (name: name, share: $0) } }
    let others = names.filter { figures.shares[$0] == nil }
    let least = known.min { $0.share < $1.share }
    if let least, least.share < attainment || others.isEmpty { return .latency(least.name) }
    return others.isEmpty ? .attainment : .latency(others.joined(separator: "+"))
  }
}
