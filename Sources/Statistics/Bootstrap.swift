import Glibc

/// Resamples of units: how often each of them is drawn.
///
/// B. Efron, "Bootstrap methods: another look at the jackknife", Annals of Statistics 7 (1979),
/// doi:10.1214/aos/1176344552. Figures of two sides that are computed from the same weights are paired: what their
/// units have in common drops out of differences.
///
/// Units that follow each other in time are alike, as latencies of requests that share a queue are, and intervals from
/// units drawn one by one would be too narrow. Then blocks of successive units are drawn, around the end: the circular
/// block bootstrap of D. N. Politis and J. P. Romano, "A circular block-resampling procedure for stationary data" (1992).
///
///     var bootstrap = Bootstrap(count: 200, blockLength: Bootstrap.blockLength(ofSeries: 200), seed: 42)
///     let draws = bootstrap.draws(1000) { weights in sample.statistics([.mean, .median], weights: weights) }
///     let interval = Interval(ofDraws: draws[0])
public struct Bootstrap: Sendable {
  /// How many units there are.
  public let count: Int
  /// How many successive units are drawn at once.
  public let blockLength: Int
  private var random: SplitMix64

  /// Creates a stream of resamples.
  ///
  /// - Parameters:
  ///   - count: How many units there are.
  ///   - blockLength: How many successive units are drawn at once; 1 where they are independent.
  ///   - seed: The run's seed; the stream is that of the purpose "bootstrap".
  public init(count: Int, blockLength: Int = 1, seed: UInt64) {
    self.count = count
    self.blockLength = max(1, blockLength)
    random = SplitMix64(seed: seed, purpose: "bootstrap")
  }

  /// The length of blocks for a series: its cube root, rounded.
  ///
  /// P. Hall, J. L. Horowitz and B.-Y. Jing, "On blocking rules for the bootstrap with dependent data", Biometrika 82
  /// (1995), doi:10.1093/biomet/82.3.561: the order of growth that is best for variances.
  public static func blockLength(ofSeries count: Int) -> Int { max(1, Int(cbrt(Double(count)).rounded())) }

  /// Draws a resample.
  ///
  /// - Parameter weights: How often each unit is drawn; they add up to the number of units.
  /// - Complexity: O(units).
  public mutating func draw(into weights: inout [Int32]) {
    for i in weights.indices { weights[i] = 0 }
    var left = count
    while left > 0 {
      var i = random.index(below: count)
      for _ in 0..<min(left, blockLength) {
        weights[i] += 1
        i = i + 1 == count ? 0 : i + 1
      }
      left -= blockLength
    }
  }

  /// Figures of resamples.
  ///
  /// - Parameters:
  ///   - draws: How many resamples.
  ///   - figures: The figures of one resample, from the weights of its units; always the same number of them.
  /// - Returns: For each figure its values in all resamples.
  /// - Throws: What `figures` throws.
  /// - Complexity: O(units) for each resample, and what `figures` takes.
  public mutating func draws<Failure: Error>(
    _ draws: Int, of figures: (_ weights: [Int32]) throws(Failure) -> [Double]
  ) throws(Failure) -> [[Double]] {
    var weights = Array(repeating: Int32(0), count: count)
    var drawn: [[Double]] = []
    for _ in 0..<draws {
      draw(into: &weights)
      for (i, figure) in try figures(weights).enumerated() {
        if i == drawn.count { drawn.append([]) }
        drawn[i].append(figure)
      }
    }
    return drawn
  }
}
