/// Values that belong to requests, so that requests can be drawn with all of their values.
///
/// Gaps of one request are anything but independent of each other: a bootstrap has to draw whole requests.
struct ClusteredSample: Sendable {
  /// What is said of a sample.
  static let statistics = ["mean", "median", "p90", "p99"]
  private static let percentiles = [50.0, 90, 99]

  /// Values in ascending order, with the request of each.
  private let sorted: [(value: Double, request: Int32)]

  /// Creates a sample of the values of each request.
  init(_ values: [[Double]]) {
    var flat: [(value: Double, request: Int32)] = []
    for (request, values) in values.enumerated() {
      for value in values { flat.append((value, Int32(request))) }
    }
    sorted = flat.sorted { $0.value < $1.value }
  }

  /// The figures of the sample in which each request occurs as often as its weight says.
  ///
  /// Percentiles lie linearly between ranks, as numpy has them.
  ///
  /// - Parameter weights: how often each request occurs.
  /// - Returns: a value for each of ``statistics``; not a number if nothing is left.
  /// - Complexity: O(values).
  func statistics(weights: [Int]) -> [Double] {
    var total = 0
    var sum = 0.0
    for entry in sorted {
      let weight = weights[Int(entry.request)]
      total += weight
      sum += entry.value * Double(weight)
    }
    guard total > 0 else { return Self.statistics.map { _ in .nan } }
    let positions = Self.percentiles.map { $0 / 100 * Double(total - 1) }
    // The rank below each position and the one above it; those of two positions may overlap.
    let ranks = positions.flatMap { [Int($0), min(Int($0) + 1, total - 1)] }
    let ascending = ranks.indices.sorted { ranks[$0] < ranks[$1] }
    var found = Array(repeating: 0.0, count: ranks.count)
    var next = 0
    var passed = 0
    for entry in sorted {
      passed += weights[Int(entry.request)]
      while next < ranks.count, passed > ranks[ascending[next]] {
        found[ascending[next]] = entry.value
        next += 1
      }
      if next == ranks.count { break }
    }
    let between = positions.enumerated().map { i, position in
      found[2 * i] + (found[2 * i + 1] - found[2 * i]) * (position - position.rounded(.down))
    }
    return [sum / Double(total)] + between
  }
}
