import Statistics

/// A statistic that is compared.
package enum CompareStatistic: String, CaseIterable, Sendable {
  case mean
  case median
  case p99

  /// How it is worked out.
  package var statistic: Statistic {
    switch self {
    case .mean: .mean
    case .median: .median
    case .p99: .quantile(0.99)
    }
  }
}
