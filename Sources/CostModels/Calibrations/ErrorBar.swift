/// The errors that a kernel's fit must stay below on held-out rows, in percent.
public struct ErrorBar: Codable, Sendable, Hashable {
  /// Bound of the median.
  public let median: Double
  /// Bound of the ninetieth percentile.
  public let p90: Double

  package init(median: Double, p90: Double) {
    self.median = median
    self.p90 = p90
  }

  /// Whether errors are within the bounds.
  public func isMet(by errors: ErrorSummary) -> Bool { errors.median <= median && errors.p90 <= p90 }
}
