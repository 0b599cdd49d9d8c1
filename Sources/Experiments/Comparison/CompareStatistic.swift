/// What of a distribution is compared.
package enum CompareStatistic: String, CaseIterable, Sendable {
  case mean
  case median
  case p99

  /// The percentile as a share; `nil` for the mean.
  package var quantile: Double? {
    switch self {
    case .mean: nil
    case .median: 0.5
    case .p99: 0.99
    }
  }
}
