import Serving

/// Instances of a system that together serve a rate.
package struct PlannedSystem: Sendable {
  package let instances: Int
  package let gpusPerInstance: Int
  /// The rate to be served, in requests a second.
  package let rate: Double
  /// The largest rate that one instance holds by itself.
  package let capacity: CapacityResult
  /// Means over seeds at the rate, all instances together.
  package let figures: CapacityFigures
  /// Share of the time in which an instance computes.
  package let utilisation: Double
  /// Tokens a second, prompts and outputs.
  package let tokensPerSecond: Double

  package init(
    instances: Int, gpusPerInstance: Int, rate: Double, capacity: CapacityResult, figures: CapacityFigures,
    utilisation: Double, tokensPerSecond: Double
  ) {
    self.instances = instances
    self.gpusPerInstance = gpusPerInstance
    self.rate = rate
    self.capacity = capacity
    self.figures = figures
    self.utilisation = utilisation
    self.tokensPerSecond = tokensPerSecond
  }

  /// All GPUs.
  package var gpus: Int { instances * gpusPerInstance }

  /// What the instances would hold one by one, in requests a second.
  ///
  /// Together they may hold more: a router evens out what one instance has to take as it comes.
  package var apart: Double { Double(instances) * (capacity.rate ?? 0) }

  /// How much more than the rate the instances are known to hold, as a share of the rate.
  ///
  /// They hold the rate together, as was simulated, and by themselves what ``apart`` says; the greater counts.
  package var headroom: Double { max(0, apart / rate - 1) }

  /// Energy of a day at this rate.
  package var kilowattHoursPerDay: Double { figures.watts * 24 / 1000 }

  /// What a million tokens, prompts and outputs, cost.
  ///
  /// - Parameter price: of a GPU for an hour.
  /// - Returns: the cost, in the price's currency.
  package func costOfMillionTokens(price: Double) -> Double {
    Double(gpus) * price / 3600 / tokensPerSecond * 1e6
  }
}
