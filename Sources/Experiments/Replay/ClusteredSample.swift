/// Values that belong to requests, so that requests can be drawn with all of their values.
///
/// Gaps of one request are anything but independent of each other: a bootstrap has to draw whole requests.
package struct ClusteredSample: Sendable {
  /// What is said of a sample.
  package static let statistics = ["mean", "median", "p90", "p99"]
  private static let percentiles = [50.0, 90, 99]

  /// All values in ascending order, and the request of each; apart, because draws walk through the latter alone.
  private let values: [Double]
  private let requests: [Int32]
  /// How many values each request has, and their sum.
  private let counts: [Int]
  private let sums: [Double]

  /// Creates a sample of the values of each request.
  package init(_ clusters: [[Double]]) {
    counts = clusters.map(\.count)
    sums = clusters.map { $0.reduce(0, +) }
    var flat: [(value: Double, request: Int32)] = []
    flat.reserveCapacity(counts.reduce(0, +))
    for (request, values) in clusters.enumerated() {
      for value in values { flat.append((value, Int32(request))) }
    }
    flat.sort { $0.value < $1.value }
    values = flat.map(\.value)
    requests = flat.map(\.request)
  }

  /// The figures of the sample in which each request occurs as often as its weight says.
  ///
  /// Percentiles lie linearly between ranks, as numpy has them.
  ///
  /// - Parameter weights: how often each request occurs.
  /// - Returns: a value for each of ``statistics``; not a number if nothing is left.
  /// - Complexity: O(values).
  package func statistics(weights: [Int32]) -> [Double] {
    var total = 0
    var sum = 0.0
    for (request, weight) in weights.enumerated() {
      total += counts[request] * Int(weight)
      sum += sums[request] * Double(weight)
    }
    guard total > 0 else { return Self.statistics.map { _ in .nan } }
    let positions = Self.percentiles.map { $0 / 100 * Double(total - 1) }
    // The rank below each position and the one above it; those of two positions may overlap.
    let ranks = positions.flatMap { [Int($0), min(Int($0) + 1, total - 1)] }
    let found = values(atRanks: ranks, weights: weights)
    let between = positions.enumerated().map { i, position in
      found[2 * i] + (found[2 * i + 1] - found[2 * i]) * (position - position.rounded(.down))
    }
    return [sum / Double(total)] + between
  }

  /// The values at ranks, from 0, among all values with their weights.
  private func values(atRanks ranks: [Int], weights: [Int32]) -> [Double] {
    var found = Array(repeating: 0.0, count: ranks.count)
    var passed = 0
    var index = -1
    for place in ranks.indices.sorted(by: { ranks[$0] < ranks[$1] }) {
      while passed <= ranks[place] {
        index += 1
        passed += Int(weights[Int(requests[index])])
      }
      found[place] = values[index]
    }
    return found
  }
}
