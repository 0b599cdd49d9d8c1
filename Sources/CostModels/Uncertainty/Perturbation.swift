import Glibc
import Serving
import Statistics

/// One draw of everything that predictions are unsure of: a factor for each uncertain number, found by its name.
///
/// A factor depends on the seed, the number of the draw and the name alone. So a draw is the same world for all
/// policies, and the difference between two policies can be taken draw by draw; and a number that one system lacks
/// leaves those of the others as they are.
struct Perturbation: Sendable, Hashable {
  /// The seed of all draws.
  let seed: UInt64
  /// Which draw.
  let draw: Int

  /// A factor whose logarithm is normally distributed around 0.
  ///
  /// - Parameters:
  ///   - name: What is uncertain, such as `gemm bf16 5120x2048`.
  ///   - spread: The standard deviation of the logarithm.
  /// - Returns: The factor; 1 for what does not spread.
  func factor(_ name: String, spread: Double) -> Double {
    guard spread > 0 else { return 1 }
    var generator = SplitMix64(seed: seed, purpose: "uncertainty \(draw) \(name)")
    // Strictly between 0 and 1, as the quantile demands.
    let share = (generator.uniform() + 0x1p-54) / (1 + 0x1p-53)
    return exp(spread * NormalDistribution.quantile(share))
  }
}
