/// Signed relative errors of one kind of thing, summarised.
struct ErrorDistribution {
  let count: Int
  let mean: Double
  let median: Double
  /// Mean size, sign aside.
  let meanSize: Double
  /// Nine tenths of the errors are at most as large, sign aside.
  let ninthDecileOfSizes: Double
  /// The largest one, with its sign.
  let worst: Double

  /// Summarises errors; `nil` if there are none.
  init?(_ errors: [Double]) {
    guard let first = errors.first else { return nil }
    let sizes = errors.map { abs($0) }
    count = errors.count
    mean = errors.reduce(0, +) / Double(count)
    meanSize = sizes.reduce(0, +) / Double(count)
    median = Self.quantile(0.5, of: errors)
    ninthDecileOfSizes = Self.quantile(0.9, of: sizes)
    worst = errors.reduce(first) { abs($1) > abs($0) ? $1 : $0 }
  }

  private static func quantile(_ share: Double, of values: [Double]) -> Double {
    let sorted = values.sorted()
    let position = share * Double(sorted.count - 1)
    let below = sorted[Int(position)]
    let above = sorted[min(Int(position) + 1, sorted.count - 1)]
    return below + (above - below) * (position - position.rounded(.down))
  }
}
