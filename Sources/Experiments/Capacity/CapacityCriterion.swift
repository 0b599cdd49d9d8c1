/// What a rate must keep to.
package struct CapacityCriterion: Sendable {
  /// Least share of requests that meet the objective.
  package let attainment: Double
  /// Most power of all GPUs, in watts.
  package let maxWatts: Double?
  /// Most energy per token, in millijoules.
  package let maxEnergyPerToken: Double?

  package init(attainment: Double, maxWatts: Double? = nil, maxEnergyPerToken: Double? = nil) {
    self.attainment = attainment
    self.maxWatts = maxWatts
    self.maxEnergyPerToken = maxEnergyPerToken
  }

  /// What may stand in the way of a higher rate.
  package enum Limit: String, Sendable { case attainment, watts, energy }

  /// What a rate fails by, if it does; energy per token left aside.
  ///
  /// That falls as the rate rises, since idle power is spread over more tokens: no lower rate would mend it, so it is
  /// no part of the search and checked at its end.
  package func failure(of figures: CapacityFigures) -> Limit? {
    if figures.attainment < attainment { return .attainment }
    if let maxWatts, figures.watts > maxWatts { return .watts }
    return nil
  }

  /// Whether energy per token is above its cap.
  package func exceedsEnergy(_ figures: CapacityFigures) -> Bool {
    maxEnergyPerToken.map { figures.millijoulesPerToken > $0 } ?? false
  }
}
