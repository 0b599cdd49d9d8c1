/// What is computed of a sample.
public enum Statistic: Sendable, Hashable {
  /// The arithmetic mean.
  case mean
  /// The quantile of a share, from 0 to 1; see ``Quantiles``.
  case quantile(Double)

  /// The median.
  public static var median: Statistic { .quantile(0.5) }
}

/// Values that belong to units, such as the gaps of requests, so that units are drawn with all of their values.
///
/// Values of one unit are not independent of each other: a bootstrap has to draw whole units (A. C. Davison and
/// D. V. Hinkley, "Bootstrap methods and their application", 1997, section 3.8). The values are sorted once, and each
/// resample is a list of weights, so that its figures take one pass.
public struct ClusteredSample: Sendable {
  /// All values in ascending order, and the unit of each; apart, because resamples walk through the latter alone.
  private let values: [Double]
  private let owners: [Int32]
  /// How many values each unit has, and their sum.
  private let counts: [Int]
  private let sums: [Double]
  /// The units that have values, in the order in which their sums are added up.
  private let order: [Int]

  /// Creates a sample of units with any number of values each.
  ///
  /// - Complexity: O(n log n) for n values.
  public init(clusters: [[Double]]) {
    self.init(clusters, order: Array(clusters.indices))
  }

  /// Creates a sample of units with one value each; one that is not a number is none.
  ///
  /// - Complexity: O(n log n).
  public init(_ values: [Double]) {
    // Sums of small values first lose the fewest bits.
    let order = values.indices.filter { !values[$0].isNaN }.sorted { values[$0] < values[$1] }
    self.init(values.map { $0.isNaN ? [] : [$0] }, order: order)
  }

  private init(_ clusters: [[Double]], order: [Int]) {
    counts = clusters.map(\.count)
    sums = clusters.map { $0.reduce(0, +) }
    var flat: [(value: Double, owner: Int32)] = []
    flat.reserveCapacity(counts.reduce(0, +))
    for (unit, values) in clusters.enumerated() {
      for value in values { flat.append((value, Int32(unit))) }
    }
    flat.sort { $0.value < $1.value }
    values = flat.map(\.value)
    owners = flat.map(\.owner)
    self.order = order
  }

  /// How many units there are, those without a value among them.
  public var units: Int { counts.count }

  /// The figures of the sample itself.
  ///
  /// - Returns: A value for each of `wanted`; not a number if there is no value.
  /// - Complexity: O(values).
  public func statistics(_ wanted: [Statistic]) -> [Double] {
    statistics(wanted, weights: Array(repeating: 1, count: units))
  }

  /// The figures of the sample in which each unit occurs as often as its weight says.
  ///
  /// - Parameters:
  ///   - wanted: Which figures.
  ///   - weights: How often each unit occurs, as ``Bootstrap/draw(into:)`` draws it.
  /// - Returns: A value for each of `wanted`; not a number if no value is left.
  /// - Complexity: O(values).
  public func statistics(_ wanted: [Statistic], weights: [Int32]) -> [Double] {
    var total = 0
    var sum = 0.0
    for unit in order {
      total += counts[unit] * Int(weights[unit])
      sum += sums[unit] * Double(weights[unit])
    }
    var shares: [Double] = []
    for case .quantile(let share) in wanted { shares.append(share) }
    let quantiles = Quantiles.quantiles(
      shares, count: values.count, total: total, value: { values[$0] },
      weight: { Int(weights[Int(owners[$0])]) })
    var next = 0
    return wanted.map { statistic in
      guard statistic != .mean else { return total > 0 ? sum / Double(total) : .nan }
      next += 1
      return quantiles[next - 1]
    }
  }
}
