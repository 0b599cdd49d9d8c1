import Statistics

extension ExpertRouting {
  /// What the busiest of some ranks has to do beyond the mean of all, over that mean, where choices are so many that chance
  /// is no matter.
  ///
  /// Loads of a correlated law have no places: without a balancer it is the mean over ``ExpertPlacement/shuffles`` random ones. Those
  /// of a measured law have them: then each rank has the next experts by their numbers, and it is the mean over layers.
  ///
  /// - Parameters:
  ///   - ranks: that share out the experts, a divisor of them.
  ///   - redundant: copies beyond one of each expert, where a balancer places them; nil where none does.
  /// - Returns: 0 where experts have equal loads; nil where the law says nothing of loads.
  /// - Complexity: O(``ExpertPlacement/shuffles`` · experts), or O((experts + redundant)²) a layer with a balancer.
  public func imbalance(over ranks: Int, redundant: Int? = nil) -> Double? {
    guard ranks > 1, let loads = loadsByLayer else { return nil }
    guard let equal = loads.first?.first, loads.contains(where: { $0.contains { $0 != equal } }) else {
      return 0
    }
    let ofLayers = loads.map { loads in
      if let redundant {
        return ExpertPlacement(loads: loads, ranks: ranks, redundant: redundant).busiest - 1
      }
      return placesAreKnown
        ? ExpertPlacement.busiest(of: loads, ranks: ranks) - 1
        : ExpertPlacement.busiest(ofShuffled: loads, ranks: ranks) - 1
    }
    return ofLayers.reduce(0, +) / Double(ofLayers.count)
  }
}
