import Statistics

/// Draws from known distributions.
extension SplitMix64 {
  /// A draw from the standard normal distribution.
  mutating func normal() -> Double { NormalDistribution.quantile(uniform() + 0x1p-54) }

  mutating func normals(_ count: Int) -> [Double] { (0..<count).map { _ in normal() } }
}

/// How often something holds: the share of trials, each with random numbers of its own.
func share(of trials: Int, _ holds: (inout SplitMix64) -> Bool) -> Double {
  var count = 0
  for trial in 0..<trials {
    var random = SplitMix64(seed: UInt64(trial), purpose: "trial")
    if holds(&random) { count += 1 }
  }
  return Double(count) / Double(trials)
}
