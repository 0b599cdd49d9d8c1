/// The values of some requests, sorted once, so that every resample is summed up in one pass.
package struct CompareSample {
  private let values: [Double]
  /// Requests with a value, from the least to the greatest.
  private let order: [Int]

  package init(_ values: [Double]) {
    self.values = values
    order = values.indices.filter { !values[$0].isNaN }.sorted { values[$0] < values[$1] }
  }

  /// Mean, median and 99th percentile of the requests, each as often as its weight says.
  ///
  /// Percentiles are numpy's, linear between ranks. Not numbers if there is no value at all.
  ///
  /// - Complexity: O(n).
  package func statistics(weights: [Int]) -> [Double] {
    var total = 0
    var sum = 0.0
    for i in order {
      total += weights[i]
      sum += values[i] * Double(weights[i])
    }
    guard total > 0 else { return CompareStatistic.allCases.map { _ in .nan } }
    var upTo = 0
    var next = order.startIndex
    // Ranks are asked for in rising order, so that the values are passed through once.
    func value(atRank rank: Int) -> Double {
      while upTo <= rank, next < order.endIndex {
        upTo += weights[order[next]]
        next += 1
      }
      return values[order[next - 1]]
    }
    return CompareStatistic.allCases.map { statistic in
      guard let quantile = statistic.quantile else { return sum / Double(total) }
      let position = quantile * Double(total - 1)
      let rank = Int(position)
      let below = value(atRank: rank)
      let above = rank + 1 < total ? value(atRank: rank + 1) : below
      return below + (above - below) * (position - Double(rank))
    }
  }
}
