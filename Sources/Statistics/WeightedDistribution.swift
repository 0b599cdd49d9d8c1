/// A distribution of values with integer weights: its mean, deviation, extremes and percentiles.
///
/// Sequences that decode together have the same gap between two tokens, so the gaps of millions of tokens are as many
/// pairs as there were iterations. Up to ``exactPairs`` of them are kept as they are; beyond that they are counted in
/// 4,096 bins an octave, and percentiles are right to 0.02 %. Mean, deviation and extremes are exact always, and no figure
/// depends on the order of the values.
public struct WeightedDistribution: Sendable {
  /// Pairs that are kept before they are counted in bins.
  public static let exactPairs = 1 << 21
  /// Pairs from which on room is made for all.
  private static let manyPairs = 1 << 14

  // The pairs.
  private var values: [Double] = []
  private var weights: [UInt32] = []
  private var bins: [Int] = []
  /// Sum of the weights.
  public private(set) var count = 0
  private var sum = ExactSum()
  private var sumOfSquares = ExactSum()
  /// The least value; infinite if there is none.
  public private(set) var min = Double.infinity
  /// The greatest value; 0 if there is none.
  public private(set) var max = 0.0

  /// Creates an empty distribution.
  public init() {}

  /// Adds a value that occurs `weight` times, fewer than 2^32; neither may be negative.
  ///
  /// - Complexity: O(1) amortised.
  public mutating func add(_ value: Double, weight: Int = 1) {
    count += weight
    sum.add(value, times: weight)
    sumOfSquares.add(value * value, times: weight)
    min = Swift.min(min, value)
    max = Swift.max(max, value)
    guard bins.isEmpty else {
      bins[Self.bin(value)] += weight
      return
    }
    values.append(value)
    weights.append(UInt32(weight))
    binIfMany()
  }

  /// Adds values that each occur `weight` times, as if one by one; neither may be negative.
  ///
  /// - Complexity: O(values) amortised.
  public mutating func add(_ values: Span<Double>, weight: Int) {
    var (sum, sumOfSquares) = (ExactSum.Stretch(), ExactSum.Stretch())
    var (least, greatest) = (Double.infinity, 0.0)
    for i in values.indices {
      let value = values[i]
      sum.add(value)
      sumOfSquares.add(value * value)
      least = Swift.min(least, value)
      greatest = Swift.max(greatest, value)
    }
    guard greatest * greatest < 2, values.count <= ExactSum.Stretch.most else {
      for i in values.indices { add(values[i], weight: weight) }
      return
    }
    self.sum.add(sum, times: weight)
    self.sumOfSquares.add(sumOfSquares, times: weight)
    (min, max) = (Swift.min(min, least), Swift.max(max, greatest))
    count += weight * values.count
    if bins.isEmpty {
      for i in values.indices { self.values.append(values[i]) }
      weights.append(contentsOf: repeatElement(UInt32(weight), count: values.count))
      binIfMany()
    } else {
      for i in values.indices { bins[Self.bin(values[i])] += weight }
    }
  }

  private mutating func binIfMany() {
    if values.count > Self.exactPairs {
      bins = binned()
      values = []
      weights = []
    } else if values.count >= Self.manyPairs, values.capacity < Self.exactPairs {
      // There will be more; memory is taken only as it is written to, but growing would write it again and again.
      values.reserveCapacity(Self.exactPairs + Self.manyPairs)
      weights.reserveCapacity(Self.exactPairs + Self.manyPairs)
    }
  }

  /// The mean; 0 if there is nothing.
  public var mean: Double { count > 0 ? sum.value / Double(count) : 0 }

  /// The standard deviation of the population; 0 if there is nothing.
  public var deviation: Double {
    count > 0 ? (Swift.max(0, sumOfSquares.value / Double(count) - mean * mean)).squareRoot() : 0
  }

  /// Percentiles of the values, each repeated as often as its weight says; see ``Quantiles``.
  ///
  /// - Parameter percents: from 0 to 100.
  /// - Returns: A value for each percentile; 0 if there is nothing.
  /// - Complexity: O(n) for n pairs, and O(m log m) for the m of them that share a bin with a percentile.
  public func percentiles(_ percents: [Double]) -> [Double] {
    guard count > 0 else { return percents.map { _ in 0 } }
    let positions = percents.map { Quantiles.Position($0 / 100, count: count) }
    let values = values(atRanks: Set(positions.flatMap { [$0.below, $0.above] }).sorted())
    return positions.map { $0.value(values[$0.below, default: 0], values[$0.above, default: 0]) }
  }

  /// One percentile; see ``percentiles(_:)``, which finds several of them at once.
  ///
  /// - Parameter percent: From 0 to 100.
  /// - Returns: Its value; 0 if there is nothing.
  public func percentile(_ percent: Double) -> Double { percentiles([percent])[0] }

  /// The values at some ranks, which ascend: the bins tell where each lies, and the pairs there exactly which it is.
  private func values(atRanks ranks: [Int]) -> [Int: Double] {
    let first = bins.isEmpty ? Self.bin(min) : 0
    let counts = bins.isEmpty ? binned(from: first, through: Self.bin(max)) : bins
    var isWanted = Array(repeating: false, count: counts.count)
    var members: [Int: [(value: Double, weight: Int)]] = [:]
    var places: [(rank: Int, bin: Int, before: Int)] = []
    var before = 0
    var next = 0
    for bin in counts.indices where counts[bin] > 0 {
      while next < ranks.count, ranks[next] < before + counts[bin] {
        places.append((ranks[next], first + bin, before))
        isWanted[bin] = true
        next += 1
      }
      before += counts[bin]
    }
    for i in pairs(in: isWanted.span, from: first) {
      members[Self.bin(self.values[i]), default: []].append((self.values[i], Int(weights[i])))
    }
    for bin in members.keys { members[bin]?.sort { $0.value < $1.value } }
    var values: [Int: Double] = [:]
    for place in places {
      guard let pairs = members[place.bin], !pairs.isEmpty else {
        values[place.rank] = Swift.min(Swift.max(Self.middle(ofBin: place.bin), min), max)
        continue
      }
      var upTo = place.before
      values[place.rank] =
        pairs.first { pair in
          upTo += pair.weight
          return place.rank < upTo
        }?.value
    }
    return values
  }

  /// The pairs that lie in some bins.
  private func pairs(in isWanted: Span<Bool>, from first: Int) -> [Int] {
    let values = values.span
    var found: [Int] = []
    for i in values.indices where isWanted[Self.bin(values[i]) - first] { found.append(i) }
    return found
  }

  // A bin is the exponent and the first 12 bits of the fraction, for values from 2^-30 to 2^30.
  private static let binsPerOctave = 4096
  private static let firstBin = (1023 - 30) * binsPerOctave
  private static let binCount = 60 * binsPerOctave

  private static func bin(_ value: Double) -> Int {
    Swift.min(Swift.max(Int(value.bitPattern &>> 40) - firstBin, 0), binCount - 1)
  }

  private static func middle(ofBin bin: Int) -> Double {
    Double(bitPattern: UInt64(bin + firstBin) &<< 40 | 1 &<< 39)
  }

  /// Counts the pairs in some bins, which hold them all.
  private func binned(from first: Int = 0, through last: Int = binCount - 1) -> [Int] {
    var bins = Array(repeating: 0, count: last - first + 1)
    let (values, weights) = (values.span, weights.span)
    var counts = bins.mutableSpan
    for i in values.indices { counts[Self.bin(values[i]) - first] += Int(weights[i]) }
    return bins
  }
}
