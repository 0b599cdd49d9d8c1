import Glibc
import Serving
import Statistics

/// Draws from a gamma distribution of scale 1.
///
/// Marsaglia and Tsang, "A simple method for generating gamma variables", ACM Transactions on Mathematical
/// Software 26(3), 2000, doi:10.1145/358407.358414; below a shape of 1 with the boost of its section 6.
struct GammaSampler: Sendable {
  private let shape: Double
  private let d: Double
  private let c: Double
  /// The second of a pair of normal numbers, kept for the next draw.
  private var spare: Double?

  /// Creates a sampler; its mean and its variance are `shape`, which is above 0.
  init(shape: Double) {
    self.shape = shape
    d = (shape < 1 ? shape + 1 : shape) - 1 / 3
    c = 1 / (9 * d).squareRoot()
  }

  /// Draws a number, 0 or more.
  mutating func sample(using random: inout SplitMix64) -> Double {
    while true {
      let x = normal(using: &random)
      let root = 1 + c * x
      guard root > 0 else { continue }
      let v = root * root * root
      let u = 1 - random.uniform()
      guard log(u) < 0.5 * x * x + d * (1 - v + log(v)) else { continue }
      return shape < 1 ? d * v * pow(1 - random.uniform(), 1 / shape) : d * v
    }
  }

  /// A number of the standard normal distribution, by Marsaglia's polar method.
  private mutating func normal(using random: inout SplitMix64) -> Double {
    if let last = spare {
      spare = nil
      return last
    }
    while true {
      let x = 2 * random.uniform() - 1
      let y = 2 * random.uniform() - 1
      let square = x * x + y * y
      guard square < 1, square > 0 else { continue }
      let factor = (-2 * log(square) / square).squareRoot()
      spare = y * factor
      return x * factor
    }
  }
}
