import Statistics

/// Errors of predictions of measured servers, without their signs, and what they are summed up to.
package struct ServerErrors: Sendable {
  /// Errors of the time per output token, and of the time to first token where that is scored.
  package private(set) var timePerToken: [Double] = []
  package private(set) var firstToken: [Double] = []
  /// Rows of a fixed-length loop, whose time to first token is not scored.
  package private(set) var firstTokenUnscored: [Double] = []

  package init() {}

  /// Adds a row.
  package mutating func add(_ server: MeasuredServer, firstToken: Double, timePerToken: Double) {
    if server.scoresTimePerToken { self.timePerToken.append(timePerToken / server.timePerToken - 1) }
    guard server.flag.isEmpty else { return }
    let error = firstToken / server.firstToken - 1
    if server.scoresFirstToken { self.firstToken.append(error) } else { firstTokenUnscored.append(error) }
  }

  /// The median and the 90th percentile of the sizes of errors, and the median with its sign.
  package static func summary(_ errors: [Double]) -> (median: Double, p90: Double, bias: Double)? {
    guard !errors.isEmpty else { return nil }
    let sizes = errors.map(abs).sorted()
    return (
      Quantiles.quantile(0.5, ofSorted: sizes), Quantiles.quantile(0.9, ofSorted: sizes),
      Quantiles.quantile(0.5, of: errors)
    )
  }
}
