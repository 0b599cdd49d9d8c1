import Statistics

/// Signed relative errors of one kind of thing, summarised.
struct ErrorDistribution {
  /// The errors, and their sizes, sign aside.
  let errors: Sample
  let sizes: Sample

  /// Summarises errors; `nil` if there are none.
  init?(_ errors: [Double]) {
    guard !errors.isEmpty else { return nil }
    self.errors = Sample(errors)
    sizes = Sample(errors.map { abs($0) })
  }

  /// The largest error, with its sign.
  var worst: Double {
    guard let first = errors.sorted.first, let last = errors.sorted.last else { return .nan }
    return abs(first) > abs(last) ? first : last
  }
}
