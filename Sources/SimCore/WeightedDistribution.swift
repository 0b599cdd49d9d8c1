import Glibc

/// A distribution of values with integer weights: its mean, deviation, extremes and percentiles.
///
/// Sequences that decode together have the same gap between two tokens, so the gaps of millions of tokens are as many
/// pairs as there were iterations. Up to ``exactPairs`` of them are kept as they are; beyond that they are counted in
/// bins of 1/4096 of an octave, and percentiles are right to 0.02 %. Mean, deviation and extremes are exact always.
public struct WeightedDistribution: Sendable {
  /// Pairs that are kept before they are counted in bins.
  public static let exactPairs = 1 << 21
  private static let binsPerOctave = 4096.0
  private static let lowestOctave = -30.0

  private var pairs: [(value: Double, weight: Int)] = []
  private var bins: [Int] = []
  /// Sum of the weights.
  public private(set) var count = 0
  private var sum = 0.0
  private var sumOfSquares = 0.0
  /// The least value; infinite if there is none.
  public private(set) var min = Double.infinity
  /// The greatest value; 0 if there is none.
  public private(set) var max = 0.0

  /// Creates an empty distribution.
  public init() {}

  /// Adds a value that occurs `weight` times; neither may be negative.
  ///
  /// - Complexity: O(1) amortised.
  public mutating func add(_ value: Double, weight: Int = 1) {
    count += weight
    sum += value * Double(weight)
    sumOfSquares += value * value * Double(weight)
    min = Swift.min(min, value)
    max = Swift.max(max, value)
    guard bins.isEmpty else {
      bins[Self.bin(value)] += weight
      return
    }
    pairs.append((value, weight))
    if pairs.count == Self.exactPairs { fold() }
  }

  /// The mean; 0 if there is nothing.
  public var mean: Double { count > 0 ? sum / Double(count) : 0 }

  /// The standard deviation of the population; 0 if there is nothing.
  public var deviation: Double {
    count > 0 ? (Swift.max(0, sumOfSquares / Double(count) - mean * mean)).squareRoot() : 0
  }

  /// Percentiles of the values, each repeated as often as its weight says.
  ///
  /// Between ranks they are interpolated linearly, as numpy does it.
  ///
  /// - Parameter percents: from 0 to 100.
  /// - Returns: a percentile for each; 0 if there is nothing.
  /// - Complexity: O(n log n) for n pairs.
  public func percentiles(_ percents: [Double]) -> [Double] {
    guard count > 0 else { return percents.map { _ in 0 } }
    let sorted = bins.isEmpty ? pairs.sorted { $0.value < $1.value } : binned
    var upTo: [Int] = []
    upTo.reserveCapacity(sorted.count)
    var total = 0
    for pair in sorted {
      total += pair.weight
      upTo.append(total)
    }
    func value(atRank rank: Int) -> Double {
      var low = 0
      var high = upTo.count - 1
      while low < high {
        let middle = (low + high) / 2
        if upTo[middle] > rank { high = middle } else { low = middle + 1 }
      }
      return sorted[low].value
    }
    return percents.map { percent in
      let position = percent / 100 * Double(total - 1)
      let rank = Int(position)
      let below = value(atRank: rank)
      let above = rank + 1 < total ? value(atRank: rank + 1) : below
      return below + (above - below) * (position - Double(rank))
    }
  }

  private static func bin(_ value: Double) -> Int {
    let octave = log2(Swift.max(value, 0x1p-29)) - lowestOctave
    return Swift.min(Int(octave * binsPerOctave), Int(60 * binsPerOctave) - 1)
  }

  private var binned: [(value: Double, weight: Int)] {
    bins.indices.compactMap { bin in
      guard bins[bin] > 0 else { return nil }
      let middle = exp2((Double(bin) + 0.5) / Self.binsPerOctave + Self.lowestOctave)
      return (Swift.min(Swift.max(middle, min), max), bins[bin])
    }
  }

  private mutating func fold() {
    bins = Array(repeating: 0, count: Int(60 * Self.binsPerOctave))
    for pair in pairs { bins[Self.bin(pair.value)] += pair.weight }
    pairs = []
  }
}
